/* SPDX-License-Identifier: MIT */
#include "vmm/injection.h"

#include <string.h>

#include "vmm/safe_json.h"

static bool read_delay(const char *name, struct injection *i,
		       struct complaint *why)
{
	for (int d = 0; d < INJECT_DELAYS; d++) {
		if (strcmp(name, inject_delay_name[d]))
			continue;
		i->delay = (enum inject_delay)d;
		return true;
	}
	return complaint_set(why,
			     "delay: no kind %.32s: none, fixed, "
			     "exponential, pareto or bimodal",
			     name);
}

bool injection_read(json_t *body, struct injection *i, const char **tier,
		    struct complaint *why)
{
	json_int_t seed = (json_int_t)i->seed, lease = (json_int_t)i->lease_ms;
	int full = i->full, stall = i->stall;
	const char *delay = NULL, *wrong;
	json_error_t error;

	*tier = NULL;
	if (json_unpack_ex(body, &error, JSON_STRICT,
			   "{s?s, s?s, s?F, s?F, s?F, s?F, s?F, s?b, s?b, "
			   "s?I, s?I}",
			   "tier", tier, "delay", &delay, "delay_us",
			   &i->delay_us, "shape", &i->shape, "slow_us",
			   &i->slow_us, "slow_share", &i->slow_share,
			   "error_rate", &i->error_rate, "full", &full, "stall",
			   &stall, "seed", &seed, "lease_ms", &lease))
		return complaint_set(why, "%s", error.text);
	if (delay && !read_delay(delay, i, why))
		return false;
	if (seed < 0 || lease < 0 || lease > INT32_MAX)
		return complaint_set(why, "seed or lease_ms: out of range");
	i->full = full;
	i->stall = stall;
	i->seed = (uint64_t)seed;
	i->lease_ms = (uint64_t)lease;
	wrong = injection_check(i);
	return !wrong || complaint_set(why, "%s", wrong);
}

json_t *injection_json(const struct injected *t)
{
	const struct injection *i = &t->now;

	return json_pack(
		"{s:o, s:s, s:f, s:f, s:f, s:f, s:f, s:b, s:b, s:I, s:I,"
		" s:{s:I, s:I, s:I, s:I, s:I}}",
		"tier", safe_text(t->tier), "delay",
		inject_delay_name[i->delay], "delay_us", i->delay_us, "shape",
		i->shape, "slow_us", i->slow_us, "slow_share", i->slow_share,
		"error_rate", i->error_rate, "full", i->full, "stall", i->stall,
		"seed", safe_count(i->seed), "lease_ms",
		safe_count(i->lease_ms), "done", "calls_delayed",
		safe_count(t->count.delayed), "delayed_us",
		safe_count(t->count.delayed_us), "calls_stalled",
		safe_count(t->count.stalled), "pages_failed",
		safe_count(t->count.failed), "pages_refused",
		safe_count(t->count.refused));
}
