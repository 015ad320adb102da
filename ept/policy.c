/* SPDX-License-Identifier: MIT */
/* The policies there are. To add one: its file, its line here. */
#include <stdlib.h>
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

struct policy *policy_create(const struct policy_ops *ops, uint64_t frames,
			     uint64_t capacity)
{
	struct policy *p = calloc(1, ops->size);

	if (!p)
		return NULL;
	*p = (struct policy){ ops, capacity };
	if (ops->init(p, frames))
		return p;
	policy_destroy(p);
	return NULL;
}

void policy_destroy(struct policy *p)
{
	if (p)
		p->ops->fini(p);
	free(p);
}
