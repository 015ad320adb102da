/* SPDX-License-Identifier: MIT */
#include "ept/inject.h"

#include <math.h>

const char *const inject_delay_name[INJECT_DELAYS] = {
	[INJECT_NONE] = "none",
	[INJECT_FIXED] = "fixed",
	[INJECT_EXPONENTIAL] = "exponential",
	[INJECT_PARETO] = "pareto",
	[INJECT_BIMODAL] = "bimodal",
};

static bool is_share(double x)
{
	return x >= 0 && x <= 1;
}

static bool is_wait(double us)
{
	return us >= 0 && us <= INJECT_MOST_US;
}

const char *injection_check(const struct injection *what)
{
	if (!is_wait(what->delay_us) || !is_wait(what->slow_us))
		return "a delay is 0 to 10000000 microseconds";
	if (what->delay == INJECT_PARETO &&
	    !(what->shape >= 0.1 && what->shape <= 100))
		return "pareto's shape is 0.1 to 100";
	if (!is_share(what->slow_share) || !is_share(what->error_rate))
		return "slow_share and error_rate are 0 to 1";
	return NULL;
}

/* SplitMix64 (Steele et al., OOPSLA'14). */
double inject_draw(uint64_t *chance)
{
	uint64_t z = *chance += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (double)((z ^ z >> 31) >> 11) * 0x1p-53 + 0x1p-53;
}

static double draw_us(const struct injection *i, uint64_t *chance)
{
	switch (i->delay) {
	case INJECT_FIXED:
		return i->delay_us;
	case INJECT_EXPONENTIAL:
		return -log(inject_draw(chance)) * i->delay_us;
	case INJECT_PARETO:
		return i->delay_us * pow(inject_draw(chance), -1 / i->shape);
	case INJECT_BIMODAL:
		return inject_draw(chance) <= i->slow_share ? i->slow_us
							    : i->delay_us;
	default:
		return 0;
	}
}

uint64_t injection_delay_us(const struct injection *i, uint64_t *chance)
{
	double us = draw_us(i, chance);

	return us > INJECT_MOST_US ? INJECT_MOST_US : (uint64_t)us;
}

uint64_t injection_failing(const struct injection *i, uint64_t *chance,
			   unsigned n)
{
	uint64_t failing = 0;

	for (unsigned k = 0; i->error_rate > 0 && k < n; k++)
		if (inject_draw(chance) <= i->error_rate)
			failing |= UINT64_C(1) << k;
	return failing;
}
