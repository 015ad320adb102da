/* SPDX-License-Identifier: MIT */
/*
 * `twofold explain VM ADDRESS`: how a running VM translates one address, level
 * by level through both stages, and what has happened to its page.
 */
#ifndef VMM_EXPLAIN_H
#define VMM_EXPLAIN_H

#include "ept/observe.h"
#include "ept/twostage.h"
#include "vmm/options.h"

#define EXPLAIN_REFS   48
#define EXPLAIN_TARGET 80 /* bytes */

struct explain {
	bool virtual; /* asked for a gva: */
	gva_t gva;
	uint64_t cr3; /* of vCPU 0, at that moment */
	unsigned refs; /* the walk, reference by reference */
	struct twostage_ref ref[EXPLAIN_REFS];
	const char *tier[EXPLAIN_REFS]; /* of ref[], if it names a slot */
	bool has_gpa; /* stage 1 leads somewhere: */
	gpa_t gpa;
	bool ram; /* and there is RAM: */
	const char *share; /* of this file; NULL: guest RAM */
	struct page_report page;
	struct swap_description copy; /* the page's, if it has one; */
	bool remote; /* one that was not loaded: its server may be away */
	const char *event_tier[PAGE_EVENTS]; /* names */
	uint64_t tsc_hz; /* 0: unknown */
};

/* "gpa:N", "gva:N", or N: a gpa if @is_ram says so, else a gva. False: one
 * line in *why. */
bool explain_parse(const char *text, bool (*is_ram)(void *ctx, gpa_t at),
		   void *ctx, struct explain *e, struct complaint *why);

/* Malloced; NULL: no memory. */
char *explain_json(const struct explain *e);

/* What to GET for @address; false: it cannot be one. */
bool explain_target(const char *address, char path[EXPLAIN_TARGET]);

/* @argv: the words behind "explain". The exit status, as cmd_ctl's. */
int cmd_explain(int argc, char **argv);

#endif
