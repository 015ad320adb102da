/* SPDX-License-Identifier: MIT */
/* The words of a scenario that have a value. Each is false on anything else. */
#ifndef VMM_SCENARIO_VALUE_H
#define VMM_SCENARIO_VALUE_H

#include "vmm/scenario.h"

bool value_number(const char *word, double *to);
/* "5s", "1.5m", "250ms", "80us", "0": in microseconds, a day at most. */
bool value_us(const char *word, double *us);
/* The same in milliseconds. */
bool value_ms(const char *word, int64_t *ms);
/* "5%" as 0.05: 0 to 1. */
bool value_share(const char *word, double *share);
/* "64M", "0" or "50%". */
bool value_amount(const char *word, struct amount *to);
/* "10%..50%": the smaller one first, both of a kind. */
bool value_range(const char *word, struct amount *low, struct amount *high);
/* "METRIC", "<" or ">", "5". */
bool value_bound(const char *metric, const char *sign, const char *limit,
		 struct bound *to);

#endif
