/* SPDX-License-Identifier: MIT */
/* An auditor's report (ept/audit.h), as JSON and for people. */
#ifndef VMM_AUDIT_H
#define VMM_AUDIT_H

#include "ept/audit.h"

/* The first divergence of @r in one line: who says what. */
void audit_tell(const struct audit_report *r, char *to, size_t bytes);

/* Malloced; NULL: no memory. */
char *audit_json(const struct audit_report *r);

/* Print the JSON of GET /memory/audit as lines. 0 it found nothing, 1 it
 * found a divergence, -1 @text is no such report. */
int audit_print(const char *text);

#endif
