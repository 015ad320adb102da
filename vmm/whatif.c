/* SPDX-License-Identifier: MIT */
#include "vmm/whatif.h"

#include <stdio.h>

#include "vmm/safe_json.h"

static double ratio(struct sampled_count part, struct sampled_count all)
{
	return all.sampled ? (double)part.sampled / (double)all.sampled : 0;
}

static json_t *curve_json(const struct mrc_report *m)
{
	json_t *curve = json_array();

	for (unsigned i = 0; i < MRC_POINTS; i++)
		json_array_append_new(
			curve,
			json_pack("{s:I, s:I, s:f}", "resident_bytes",
				  safe_count(m->point[i].frames << PAGE_SHIFT),
				  "misses",
				  safe_count(m->point[i].misses.estimate),
				  "miss_ratio",
				  ratio(m->point[i].misses, m->references)));
	return curve;
}

static json_t *shadows_json(const struct shadow_report *s)
{
	json_t *shadows = json_array();

	for (unsigned i = 0; i < s->policies; i++)
		json_array_append_new(
			shadows,
			json_pack("{s:s, s:I, s:f}", "policy",
				  s->policy[i].name, "misses",
				  safe_count(s->policy[i].misses.estimate),
				  "miss_ratio",
				  ratio(s->policy[i].misses, s->references)));
	return shadows;
}

char *whatif_json(const struct whatif *w)
{
	json_t *report = json_pack(
		"{s:I, s:I, s:I, s:o, s:o}", "references",
		safe_count(w->mrc.references.estimate), "sampled_references",
		safe_count(w->mrc.references.sampled), "first_references",
		safe_count(w->mrc.first.estimate), "curve", curve_json(&w->mrc),
		"policies", shadows_json(&w->shadow));
	char *text = json_dumps(report, JSON_COMPACT | JSON_REAL_PRECISION(6));

	json_decref(report);
	return text;
}

static bool print_curve(json_t *report)
{
	json_t *curve, *point;
	size_t i;

	if (json_unpack(report, "{s:o}", "curve", &curve))
		return false;
	printf("resident MiB        misses miss ratio\n");
	json_array_foreach(curve, i, point)
	{
		json_int_t bytes, misses;
		double missed;

		if (json_unpack(point, "{s:I, s:I, s:F}", "resident_bytes",
				&bytes, "misses", &misses, "miss_ratio",
				&missed))
			return false;
		printf("%12.1f  %12lld     %.4f\n", (double)bytes / (1 << 20),
		       misses, missed);
	}
	return true;
}

static bool print_shadows(json_t *report)
{
	json_t *shadows, *shadow;
	size_t i;

	if (json_unpack(report, "{s:o}", "policies", &shadows))
		return false;
	printf("policy              misses miss ratio\n");
	json_array_foreach(shadows, i, shadow)
	{
		const char *name;
		json_int_t misses;
		double missed;

		if (json_unpack(shadow, "{s:s, s:I, s:F}", "policy", &name,
				"misses", &misses, "miss_ratio", &missed))
			return false;
		printf("%-12s  %12lld     %.4f\n", name, misses, missed);
	}
	return true;
}

int whatif_print(const char *text)
{
	json_t *report = json_loads(text, 0, NULL);
	json_int_t references, sampled;
	bool ok = !json_unpack(report, "{s:I, s:I}", "references", &references,
			       "sampled_references", &sampled);

	if (ok)
		printf("references  %lld, estimated from %lld\n", references,
		       sampled);
	ok = ok && print_curve(report) && print_shadows(report);
	json_decref(report);
	return ok ? 0 : -1;
}
