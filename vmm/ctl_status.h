/* SPDX-License-Identifier: MIT */
#ifndef VMM_CTL_STATUS_H
#define VMM_CTL_STATUS_H

/* Print the JSON of GET /status as lines. 0; -1: it is not one, and what was
 * printed may be a part. */
int ctl_print_status(const char *text);

#endif
