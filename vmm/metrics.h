/* SPDX-License-Identifier: MIT */
/* A VM's status in Prometheus' text format, version 0.0.4: what its server
 * scrapes from GET /metrics. */
#ifndef VMM_METRICS_H
#define VMM_METRICS_H

#include "vmm/status.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Malloced; NULL: no memory. */
char *metrics_text(const struct status *st);

#endif
