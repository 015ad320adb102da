/* SPDX-License-Identifier: MIT */
/*
 * Time passes only between two calls, and between two calls nothing changes:
 * so each call first accounts for the time since the last one, period by
 * period, and no timer is needed.
 */
#include <math.h>

#include "ept/pressure.h"

static const double window_s[] = { 10, 60, 300 };

#define PERIOD_S ((double)PRESSURE_PERIOD_NS / 1e9)

/* @periods periods in a row had the same @share of stall, in percent. */
static void fold(double avg[3], double share, double periods)
{
	for (unsigned i = 0; i < 3; i++)
		avg[i] = share + (avg[i] - share) *
					 exp(-PERIOD_S * periods / window_s[i]);
}

static bool holds(const struct pressure *p, enum pressure_kind k)
{
	return k == PRESSURE_SOME ? p->stalled
				  : p->stalled && p->stalled == p->vcpus;
}

/* The totals up to @now, within one period or in whole ones. */
static void account(struct pressure *p, uint64_t now)
{
	for (unsigned k = 0; k < PRESSURE_KINDS; k++)
		if (holds(p, k))
			p->kind[k].total += now - p->now;
	p->now = now;
}

/* @periods whole periods have ended; each had the same part of what came to
 * the totals meanwhile. */
static void end_periods(struct pressure *p, uint64_t periods)
{
	double ns = (double)PRESSURE_PERIOD_NS * (double)periods;

	if (!periods)
		return;
	for (unsigned k = 0; k < PRESSURE_KINDS; k++) {
		uint64_t part = p->kind[k].total - p->kind[k].folded;

		fold(p->kind[k].avg, (double)part * 100 / ns, (double)periods);
		p->kind[k].folded = p->kind[k].total;
	}
	p->period += periods * PRESSURE_PERIOD_NS;
}

/* First what is left of the current period, then the whole ones behind it,
 * which are all alike, then the beginning of the last. */
static void advance(struct pressure *p, uint64_t now)
{
	uint64_t whole;

	if (now < p->now)
		return; /* two threads read the clock before the lock */
	if (now - p->period >= PRESSURE_PERIOD_NS) {
		account(p, p->period + PRESSURE_PERIOD_NS);
		end_periods(p, 1);
		whole = (now - p->period) / PRESSURE_PERIOD_NS;
		account(p, p->period + whole * PRESSURE_PERIOD_NS);
		end_periods(p, whole);
	}
	account(p, now);
}

void pressure_init(struct pressure *p, uint64_t now)
{
	*p = (struct pressure){ .now = now, .period = now };
}

void pressure_add_vcpu(struct pressure *p, uint32_t thread, uint64_t now)
{
	advance(p, now);
	if (p->vcpus < PRESSURE_VCPUS)
		p->vcpu[p->vcpus++].thread = thread;
}

static void set_stalled(struct pressure *p, uint32_t thread, bool on,
			uint64_t now)
{
	advance(p, now);
	for (unsigned i = 0; i < p->vcpus; i++) {
		if (p->vcpu[i].thread != thread || p->vcpu[i].stalled == on)
			continue;
		p->vcpu[i].stalled = on;
		p->stalled += on ? 1 : -1u;
	}
}

void pressure_begin(struct pressure *p, uint32_t thread, uint64_t now)
{
	set_stalled(p, thread, true, now);
}

void pressure_end(struct pressure *p, uint32_t thread, uint64_t now)
{
	set_stalled(p, thread, false, now);
}

static struct pressure_line line(const struct pressure *p, enum pressure_kind k)
{
	return (struct pressure_line){
		.avg10 = p->kind[k].avg[0],
		.avg60 = p->kind[k].avg[1],
		.avg300 = p->kind[k].avg[2],
		.total_us = p->kind[k].total / 1000,
	};
}

struct pressure_report pressure_read(struct pressure *p, uint64_t now)
{
	advance(p, now);
	return (struct pressure_report){ line(p, PRESSURE_SOME),
					 line(p, PRESSURE_FULL) };
}
