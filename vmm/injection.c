/* SPDX-License-Identifier: MIT */
#include "vmm/injection.h"

#include <stddef.h>
#include <string.h>

#include "vmm/safe_json.h"

static bool read_delay(struct injection *i, json_t *value)
{
	const char *name = json_string_value(value);

	for (int d = 0; name && d < INJECT_DELAYS; d++) {
		if (strcmp(name, inject_delay_name[d]))
			continue;
		i->delay = (enum inject_delay)d;
		return true;
	}
	return false;
}

static bool read_real(double *to, json_t *value)
{
	*to = json_number_value(value);
	return json_is_number(value);
}

static bool read_count(uint64_t *to, json_t *value, json_int_t most)
{
	json_int_t n = json_integer_value(value);

	*to = (uint64_t)n;
	return json_is_integer(value) && n >= 0 && n <= most;
}

static bool read_switch(bool *to, json_t *value)
{
	*to = json_is_true(value);
	return json_is_boolean(value);
}

static const struct real_field {
	const char *name;
	size_t at;
} real_fields[] = {
	{ "delay_us", offsetof(struct injection, delay_us) },
	{ "shape", offsetof(struct injection, shape) },
	{ "slow_us", offsetof(struct injection, slow_us) },
	{ "slow_share", offsetof(struct injection, slow_share) },
	{ "error_rate", offsetof(struct injection, error_rate) },
};

/* What the field @name has to be, if @value is not; NULL: it is. */
static const char *read_field(struct injection *i, const char *name,
			      json_t *value)
{
	if (!strcmp(name, "tier"))
		return json_is_string(value) ? NULL : "a name";
	if (!strcmp(name, "delay"))
		return read_delay(i, value) ? NULL
					    : "none, fixed, exponential, "
					      "pareto or bimodal";
	if (!strcmp(name, "full"))
		return read_switch(&i->full, value) ? NULL : "true or false";
	if (!strcmp(name, "stall"))
		return read_switch(&i->stall, value) ? NULL : "true or false";
	if (!strcmp(name, "seed"))
		return read_count(&i->seed, value, INT64_MAX) ? NULL : "0 up";
	if (!strcmp(name, "lease_ms"))
		return read_count(&i->lease_ms, value, INT32_MAX)
			       ? NULL
			       : "0 to 2147483647";
	for (unsigned f = 0; f < 5; f++)
		if (!strcmp(name, real_fields[f].name))
			return read_real((double *)((char *)i +
						    real_fields[f].at),
					 value)
				       ? NULL
				       : "a number";
	return "left out: there is no such field";
}

bool injection_read(json_t *body, struct injection *i, const char **tier,
		    struct complaint *why)
{
	const char *name, *wrong;
	json_t *value;

	if (!json_is_object(body))
		return complaint_set(why, "Expected object");
	json_object_foreach(body, name, value)
	{
		wrong = read_field(i, name, value);
		if (wrong)
			return complaint_set(why, "%.32s must be %s", name,
					     wrong);
	}
	*tier = json_string_value(json_object_get(body, "tier"));
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
