/* SPDX-License-Identifier: MIT */
/* An injection as JSON: the flat object of the control API. */
#ifndef VMM_INJECTION_H
#define VMM_INJECTION_H

#include <jansson.h>

#include "vmm/status.h"

/*
 * The fields that @body has into *i, which keeps the others; *tier, the name of
 * one, or NULL for all. False: one line in *why.
 */
bool injection_read(json_t *body, struct injection *i, const char **tier,
		    struct complaint *why);

/* GET /pressure's entry for a tier. NULL: no memory. */
json_t *injection_json(const struct injected *t);

#endif
