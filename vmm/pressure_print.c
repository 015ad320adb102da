/* SPDX-License-Identifier: MIT */
/* The end of a run under pressure, as a table and as JSON. */
#include <stdio.h>

#include "vmm/pressure_report.h"
#include "vmm/safe_json.h"

static const char heading[] =
	"    from  min cap  in MiB  guest/s faults/s  wait us some % full %  "
	"then\n";

static void print_phase(const struct pressure_run_report *r,
			const struct phase *p)
{
	double m[METRICS];

	phase_metrics(p, m);
	printf("%6.1f s %8.1f %7.1f ", (double)p->first.at_ms / 1000,
	       m[METRIC_CAP], m[METRIC_RESIDENT]);
	if (report_knows_guest(r))
		printf("%8.0f", m[METRIC_GUEST]);
	else
		printf("%8s", "-");
	printf(" %8.0f %8.1f %6.1f %6.1f  %s\n", m[METRIC_FAULTS],
	       m[METRIC_WAIT], m[METRIC_SOME], m[METRIC_FULL], p->text);
}

static void print_expectation(const struct pressure_run_report *r,
			      const struct expectation *e)
{
	double value;
	bool ok = expectation_holds(r, e, &value);

	printf("expect    %s: ", e->text);
	if (e->bound.metric == METRIC_GUEST && !report_knows_guest(r))
		printf("FAILED, the guest does not say\n");
	else
		printf("%s, %.6g\n", ok ? "ok" : "FAILED", value);
}

void report_print(const struct pressure_run_report *r)
{
	printf("%s under %s, seed %llu\n%s", r->vm, r->name,
	       (unsigned long long)r->seed, heading);
	for (unsigned i = 0; i < r->phases; i++)
		print_phase(r, &r->phase[i]);
	for (unsigned i = 0; i < r->scenario->expects; i++)
		print_expectation(r, &r->scenario->expect[i]);
	if (!r->completed)
		printf("stopped   %s\n", r->stopped);
	printf("%s\n", report_passed(r) ? "passed" : "FAILED");
}

/* A number, or null where it is not known. */
static json_t *value_json(const struct pressure_run_report *r, enum metric m,
			  double value)
{
	if (m == METRIC_GUEST && !report_knows_guest(r))
		return json_null();
	return json_real(safe_real(value));
}

static json_t *metrics_json(const struct pressure_run_report *r,
			    const double value[METRICS])
{
	json_t *all = json_object();

	for (unsigned m = 0; m < METRICS; m++)
		json_object_set_new(all, metric_name[m].name,
				    value_json(r, (enum metric)m, value[m]));
	return all;
}

static json_t *phases_json(const struct pressure_run_report *r)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < r->phases; i++) {
		const struct phase *p = &r->phase[i];
		double m[METRICS];

		phase_metrics(p, m);
		json_array_append_new(
			all, json_pack("{s:o, s:I, s:I, s:o}", "done",
				       safe_text(p->text), "from_ms",
				       (json_int_t)p->first.at_ms, "to_ms",
				       (json_int_t)p->last.at_ms, "metrics",
				       metrics_json(r, m)));
	}
	return all;
}

static json_t *spreads_json(const struct pressure_run_report *r)
{
	json_t *all = json_object();

	for (enum metric m = 0; m < METRICS; m++) {
		const struct spread *s = &r->spread[m];

		json_object_set_new(all, metric_name[m].name,
				    json_pack("{s:o, s:o, s:o, s:o}", "least",
					      value_json(r, m, s->least),
					      "mean", value_json(r, m, s->mean),
					      "most", value_json(r, m, s->most),
					      "end", value_json(r, m, s->end)));
	}
	return all;
}

static json_t *expectations_json(const struct pressure_run_report *r)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < r->scenario->expects; i++) {
		const struct expectation *e = &r->scenario->expect[i];
		double value;
		bool ok = expectation_holds(r, e, &value);

		json_array_append_new(
			all, json_pack("{s:o, s:o, s:b}", "expect",
				       safe_text(e->text), "value",
				       value_json(r, e->bound.metric, value),
				       "ok", ok));
	}
	return all;
}

void report_print_json(const struct pressure_run_report *r)
{
	json_t *report = json_pack(
		"{s:o, s:o, s:I, s:b, s:b, s:o, s:I, s:o, s:o, s:o}", "vm",
		safe_text(r->vm), "scenario", safe_text(r->name), "seed",
		safe_count(r->seed), "passed", report_passed(r), "completed",
		r->completed, "stopped", safe_text(r->stopped), "samples",
		safe_count(r->samples), "phases", phases_json(r), "metrics",
		spreads_json(r), "expectations", expectations_json(r));

	json_dumpf(report, stdout,
		   JSON_COMPACT | (size_t)JSON_REAL_PRECISION(9));
	printf("\n");
	json_decref(report);
}
