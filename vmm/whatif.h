/* SPDX-License-Identifier: MIT */
/* What would have happened with other memory or another policy (ept/mrc.h,
 * ept/shadow.h), as JSON and for people. */
#ifndef VMM_WHATIF_H
#define VMM_WHATIF_H

#include "ept/mrc.h"
#include "ept/shadow.h"

struct whatif {
	struct mrc_report mrc;
	struct shadow_report shadow;
};

/* Malloced; NULL: no memory. */
char *whatif_json(const struct whatif *w);

/* Print the JSON of GET /memory/mrc as lines. 0; -1: it is no such report. */
int whatif_print(const char *text);

#endif
