/* SPDX-License-Identifier: MIT */
/* What a person wants changed of a VM, as a request to its API. */
#ifndef VMM_CTL_ORDER_H
#define VMM_CTL_ORDER_H

#include "vmm/options.h"

struct order {
	const char *method, *target;
	char json[160];
};

/* False: @text makes no sense; one line in *why. */
bool order_resident(struct order *o, const char *text, struct complaint *why);
bool order_balloon(struct order *o, const char *text, struct complaint *why);
bool order_policy(struct order *o, const char *text, struct complaint *why);

/* "Paused", "Resumed" or "Stopped". */
struct order order_state(const char *state);

#endif
