/* SPDX-License-Identifier: MIT */
/*
 * Breaking the kernel on purpose. "broken=NAME" among the kernel options makes
 * one concept wrong in one place, so that a test can see its demonstration
 * fail: a check that cannot fail proves nothing. NAME is the demonstration's.
 *
 *	if (!broken("cow"))
 *		copy_page(...);
 */
#pragma once

#include <stdbool.h>

#include "guest/lib/string.h"

/* What is broken, "" for nothing. */
extern const char *broken_concept;

static inline bool broken(const char *concept)
{
	return *broken_concept && streq(broken_concept, concept);
}
