/* SPDX-License-Identifier: MIT */
#ifndef VMM_CTL_STATUS_H
#define VMM_CTL_STATUS_H

#include <stdbool.h>

/* Print the JSON of GET /status as lines. False: it is not one, and what was
 * printed may be a part. */
bool ctl_print_status(const char *text);

#endif
