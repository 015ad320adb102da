/* SPDX-License-Identifier: MIT */
#include "vmm/scenario_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_US 86400e6

/* The number at the start of @word, digits and a dot; what follows, or NULL. */
static const char *number(const char *word, double *to)
{
	size_t len = strspn(word, "0123456789.");
	char *end;

	if (!len || len > 15)
		return NULL;
	*to = strtod(word, &end);
	return end == word + len ? end : NULL;
}

bool value_number(const char *word, double *to)
{
	const char *rest = number(word, to);

	return rest && !*rest;
}

bool value_us(const char *word, double *us)
{
	static const struct {
		const char *name;
		double us;
	} units[] = { { "us", 1 }, { "ms", 1e3 }, { "s", 1e6 }, { "m", 6e7 } };
	const char *rest = number(word, us);

	if (rest && !*rest)
		return *us == 0;
	for (unsigned i = 0; rest && i < 4; i++) {
		if (strcmp(rest, units[i].name))
			continue;
		*us *= units[i].us;
		return *us <= DAY_US;
	}
	return false;
}

bool value_ms(const char *word, int64_t *ms)
{
	double us;

	if (!value_us(word, &us))
		return false;
	*ms = (int64_t)(us / 1e3);
	return true;
}

bool value_share(const char *word, double *share)
{
	const char *rest = number(word, share);

	*share /= 100;
	return rest && !strcmp(rest, "%") && *share <= 1;
}

bool value_amount(const char *word, struct amount *to)
{
	const char *rest = number(word, &to->value);
	uint64_t bytes;

	to->percent = rest && !strcmp(rest, "%");
	if (to->percent || (rest && !*rest && to->value == 0))
		return true;
	if (!size_parse(word, 0, &bytes))
		return false;
	to->value = (double)bytes;
	return true;
}

bool value_range(const char *word, struct amount *low, struct amount *high)
{
	const char *dots = strstr(word, "..");
	char first[32];

	if (!dots || dots - word >= (int)sizeof(first))
		return false;
	snprintf(first, sizeof(first), "%.*s", (int)(dots - word), word);
	return value_amount(first, low) && value_amount(dots + 2, high) &&
	       low->percent == high->percent && low->value < high->value;
}

static bool value_metric(const char *word, enum metric *to)
{
	for (int m = 0; m < METRICS; m++)
		if (!strcmp(word, metric_name[m].name)) {
			*to = (enum metric)m;
			return true;
		}
	return false;
}

bool value_bound(const char *metric, const char *sign, const char *limit,
		 struct bound *to)
{
	to->less = !strcmp(sign, "<");
	return (to->less || !strcmp(sign, ">")) &&
	       value_metric(metric, &to->metric) &&
	       value_number(limit, &to->limit);
}
