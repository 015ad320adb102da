/* SPDX-License-Identifier: MIT */
/*
 * Stage 2 without KVM, over one tier of RAM: threads of the test stand for
 * vCPUs and touch the guest mapping, so every fault is provoked and counted
 * exactly.
 */
#ifndef TESTS_UNIT_STAGE2_FIXTURE_H
#define TESTS_UNIT_STAGE2_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "ept/inject.h"
#include "ept/stage2.h"
#include "tests/unit/may_watch.h"

#define PAGES 512
#define FAR   128 /* pages between pages under test: no window reaches */

static struct stage2 *s2;
static struct swap *swap;
static struct tier *tier; /* its only one: of injection, before RAM */
static uint64_t half; /* pages of RAM in each of its two regions */
static struct stage2_failure last_failure;
static unsigned failures;
static struct stage2_witness fixture_witness;

static inline void on_failure(void *ctx, const struct stage2_failure *f)
{
	(void)ctx;
	last_failure = *f;
	__atomic_add_fetch(&failures, 1, __ATOMIC_SEQ_CST);
}

struct options {
	uint64_t pages; /* of RAM; 0: PAGES */
	uint64_t limit; /* pages; 0: all */
	uint64_t pool; /* bytes of the RAM tier, 0: any */
	uint64_t flip;
	const struct policy_ops *policy;
	struct file_extent extent;
	unsigned refs_ms;
	bool large;
	bool poison; /* what is lost raises SIGBUS */
	unsigned audit_every;
	void (*audited)(void *ctx, const struct audit_report *r);
};

static inline void start(struct options o)
{
	uint64_t pages = o.pages ? o.pages : PAGES;
	struct swap_config sc = { .tiers = 1,
				  .pages = pages,
				  .flip_nth = o.flip };
	struct stage2_config c = {
		.region = { { { 0 }, pages / 2 }, { { 1 << 20 }, pages / 2 } },
		.regions = 2,
		.large_pages = o.large,
		.limit = o.limit ? o.limit : pages,
		.policy = o.policy ? o.policy : &policy_clock,
		.extent = &o.extent,
		.extents = o.extent.bytes ? 1 : 0,
		.paging = true,
		.poison = o.poison,
		.vcpus = 2,
		.refs_ms = o.refs_ms,
		.failed = on_failure,
		.audit_every = o.audit_every,
		.audited = o.audited,
		.witness = fixture_witness,
	};

	failures = 0;
	half = pages / 2;
	assert_int_equal(tier_ram_create(&sc.tier[0], o.pool, CODEC_LZ4), 0);
	assert_int_equal(tier_inject_create(&tier, sc.tier[0]), 0);
	sc.tier[0] = tier;
	assert_int_equal(swap_create(&swap, &sc), 0);
	c.swap = swap;
	assert_int_equal(stage2_create(&s2, &c), 0);
}

/* Every test ends with every slot given back. */
static inline void stop(void)
{
	stage2_stop(s2);
	stage2_destroy(s2);
	assert_int_equal(swap_slots_used(swap), 0);
	swap_destroy(swap);
}

static inline gfn_t gfn(uint64_t page)
{
	return (gfn_t){ page < half ? page : (1 << 20) + page - half };
}

static inline volatile uint64_t *touchable(uint64_t page)
{
	return stage2_host(s2, gfn(page));
}

static inline struct stage2_counters counters(void)
{
	struct stage2_counters c;

	stage2_counters(s2, &c);
	return c;
}

static inline enum pte_kind kind(uint64_t page)
{
	return pte_kind(stage2_entry(s2, gfn(page)));
}

#endif
