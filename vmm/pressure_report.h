/* SPDX-License-Identifier: MIT */
/*
 * What a run under pressure has shown: a phase for each thing that the scenario
 * did, each metric's least, mean and most, and whether the expectations came
 * true.
 */
#ifndef VMM_PRESSURE_REPORT_H
#define VMM_PRESSURE_REPORT_H

#include "vmm/pressure_metric.h"
#include "vmm/scenario.h"

/* From one thing that was done to the next. */
struct phase {
	char text[2 * SCENARIO_WORDS];
	struct sample first, last;
	uint64_t cap; /* its least since the first; bytes */
};

struct spread {
	double least, mean, most, end;
};

struct pressure_run_report {
	const struct scenario *scenario;
	const char *vm, *name; /* of the scenario */
	uint64_t seed;
	struct phase phase[SCENARIO_EVENTS + 1];
	unsigned phases;
	unsigned samples; /* pairs of them that make the spread */
	double weight; /* ms of these */
	struct spread spread[METRICS];
	bool completed; /* else this is why it was cut short: */
	char stopped[256];
};

/* The first sample, before anything was done. */
void report_begin(struct pressure_run_report *r, const struct sample *s);
/* One more; the metrics since the one before it go to @now. */
void report_sample(struct pressure_run_report *r, const struct sample *s,
		   double now[METRICS]);
/* @text is being done: a phase begins with the last sample. */
void report_phase(struct pressure_run_report *r, const char *text);

/* Of the phase as a whole; its cap is the least that was seen. */
void phase_metrics(const struct phase *p, double to[METRICS]);
bool bound_holds(const struct bound *b, double value);
/* Did the guest ever say what it has done? */
bool report_knows_guest(const struct pressure_run_report *r);
/* Did it come true, and *value, what was found. */
bool expectation_holds(const struct pressure_run_report *r,
		       const struct expectation *e, double *value);
/* It was completed, and all did. */
bool report_passed(const struct pressure_run_report *r);

/* pressure_print.c: for people, and one line of JSON. */
void report_print(const struct pressure_run_report *r);
void report_print_json(const struct pressure_run_report *r);

#endif
