/* SPDX-License-Identifier: MIT */
/* A balloon's reports, with Firecracker's names, as JSON and for people. */
#ifndef VMM_BALLOON_H
#define VMM_BALLOON_H

#include "devices/virtio_balloon.h"

/* GET /balloon: how it is set up. Malloced; NULL: no memory. */
char *balloon_json(const struct balloon_report *r);
/* GET /balloon/hinting/status: the numbers that host and guest said last. */
char *balloon_hinting_json(const struct balloon_report *r);
/* GET /balloon/statistics: a statistic that the guest did not tell is left
 * out; last_update is in seconds of Unix time. As above. */
char *balloon_statistics_json(const struct balloon_report *r);

/* Print the JSON of GET /balloon/statistics as lines. 0, or -1: @text is no
 * such report. */
int balloon_print(const char *text);

#endif
