/* SPDX-License-Identifier: MIT */
/*
 * What `twofold pressure` is to do, as people write it: one line, or one part
 * of a line between semicolons, is
 *
 *     TIME WHAT ARGUMENTS          # and a comment
 *     TIME wait METRIC > NUMBER within TIME
 *     expect [mean|end] METRIC < NUMBER
 *
 *     2s   cap 50% over 3s         10s  full on in ram
 *     8s   cap 20%..80% sine 4s    12s  end
 *
 * vmm/pressure_help.c has the words. Pure: nothing here knows a VM.
 */
#ifndef VMM_SCENARIO_H
#define VMM_SCENARIO_H

#include "ept/inject.h"
#include "vmm/options.h"
#include "vmm/pressure_metric.h"

#define SCENARIO_EVENTS	 64
#define SCENARIO_EXPECTS 16
#define SCENARIO_BYTES	 65536 /* the longest text */
#define SCENARIO_WORDS	 72 /* of a line, as it is shown */

/* What moves by itself once it was told to. */
enum dial { DIAL_CAP, DIAL_BALLOON, DIAL_HOG, DIALS };

struct amount {
	bool percent; /* of what: see pressure_help.c; else bytes */
	double value;
};

struct move {
	enum { MOVE_STEP, MOVE_RAMP, MOVE_SINE, MOVE_WALK } shape;
	struct amount low, high; /* low is where a step and a ramp go */
	int64_t ms; /* of the ramp, a period, a step of the walk */
};

/* A metric is less than @limit, or more. */
struct bound {
	enum metric metric;
	bool less;
	double limit;
};

enum deed {
	DEED_MOVE, /* a dial */
	DEED_DELAY, /* the injection: its delay, error_rate, full or stall */
	DEED_ERRORS,
	DEED_FULL,
	DEED_STALL,
	DEED_PAUSE,
	DEED_RESUME,
	DEED_WAIT, /* for the bound: all that follows is later by that */
	DEED_END
};

struct event {
	int64_t at_ms;
	enum deed deed;
	enum dial dial;
	struct move move;
	struct injection injection;
	struct bound bound;
	int64_t within_ms; /* of a wait; then the run has failed */
	char tier[16]; /* "": all */
	char text[SCENARIO_WORDS];
};

struct expectation {
	enum { EXPECT_ALWAYS, EXPECT_MEAN, EXPECT_END } when;
	struct bound bound;
	char text[SCENARIO_WORDS];
};

struct scenario {
	struct event event[SCENARIO_EVENTS]; /* in the order of time */
	unsigned events;
	struct expectation expect[SCENARIO_EXPECTS];
	unsigned expects;
	int64_t end_ms; /* if there is nothing to wait for */
	char about[SCENARIO_WORDS]; /* the first comment */
};

/* False: "line N: ..." in *why. */
bool scenario_parse(struct scenario *s, const char *text,
		    struct complaint *why);

#endif
