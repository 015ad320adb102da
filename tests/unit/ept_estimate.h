/* SPDX-License-Identifier: MIT */
/* Shared by the tests of what estimates from a sample. */
#ifndef TESTS_UNIT_EPT_ESTIMATE_H
#define TESTS_UNIT_EPT_ESTIMATE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/unit/ept_strings.h"

#define SEED 77

/* At reference @i its page is discarded instead. */
static inline bool is_discard(size_t i)
{
	return i % 97 == 5;
}

/* How far an estimate may be from the truth, of all references. */
#define TOLERANCE 0.02

static inline void assert_near(const char *what, uint64_t got, uint64_t want,
			       uint64_t references)
{
	double off = ((double)got - (double)want) / (double)references;

	if (off > TOLERANCE || off < -TOLERANCE)
		fail_msg("%s: %lu for %lu is off by %.4f", what, got, want,
			 off);
}

#endif
