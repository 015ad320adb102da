/* SPDX-License-Identifier: MIT */
/* The policies there are. To add one: its file, its line here. */
#include <stddef.h>
#include <string.h>

#include "ept/policy.h"

const struct policy_ops *const policies[] = {
	&policy_clock,	&policy_fifo,  &policy_lru,    &policy_2q, &policy_arc,
	&policy_s3fifo, &policy_sieve, &policy_random, NULL,
};

const struct policy_ops *policy_find(const char *name)
{
	for (size_t i = 0; policies[i]; i++)
		if (strcmp(policies[i]->name, name) == 0)
			return policies[i];
	return NULL;
}
