/* SPDX-License-Identifier: MIT */
/* A trace as numbers to plot: what the report's page draws. */
#ifndef VMM_TRACE_PLOT_H
#define VMM_TRACE_PLOT_H

#include <jansson.h>

#include "vmm/trace_filter.h"

/*
 * {"bin_us", "begin_us", "stage1": [n per bin], "missing", "minor", "ahead",
 * "evict", "resident": [pages at the end of each], "limit": the same of the
 * cap; null: not known}.
 * What is resident is counted on from where the VM's counter stood.
 */
json_t *plot_timeline(const struct trace_file *t, const struct trace_filter *f);

/* {"columns", "rows", "row_bytes", "cells": [pages that came in, by rows]}:
 * the time line's time from left to right, guest-physical memory upwards. */
json_t *plot_heat(const struct trace_file *t, const struct trace_filter *f);

/* [{"to_us", "n", "us": [in all, by stage]}] of stage-2 faults. */
json_t *plot_latency(const struct trace_file *t, const struct trace_filter *f);

/* [[window in us, pages]]: how many pages were used within a window of time,
 * on average (Denning 1968), as far as faults and mapping ahead show it. */
json_t *plot_working_set(const struct trace_file *t,
			 const struct trace_filter *f);

/* The pages and the code addresses with most faults: [{"at", "n", "us"}]. */
json_t *plot_top_pages(const struct trace_file *t,
		       const struct trace_filter *f);
json_t *plot_top_code(const struct trace_file *t, const struct trace_filter *f);

/* Some faults of stage 2, the slowest and others, each with all there is. */
json_t *plot_faults(const struct trace_file *t, const struct trace_filter *f);

#endif
