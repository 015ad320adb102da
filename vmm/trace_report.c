/* SPDX-License-Identifier: MIT */
/* `twofold trace report`: vmm/report.html with the data in it. */
#include <stdlib.h>
#include <string.h>

#include "vmm/safe_json.h"
#include "vmm/trace_plot.h"
#include "vmm/trace_sum.h"
#include "vmm/trace_verbs.h"

/* The page; its data go where it says so. */
extern const char report_page[];
extern const uint64_t report_bytes;

__asm__(".section .rodata\n"
	".globl report_page, report_bytes\n"
	"report_page: 2: .incbin \"vmm/report.html\"\n"
	"1: .balign 8\n"
	"report_bytes: .quad 1b - 2b\n"
	".previous");

#define PLACE "/*DATA*/"

static json_t *data(const struct trace_file *t, const struct trace_filter *f,
		    const char *name)
{
	struct trace_sum sum;

	trace_sum(t, f, &sum);
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
		safe_text(name), "stats", trace_sum_json(t, &sum), "timeline",
		plot_timeline(t, f), "heat", plot_heat(t, f), "latency",
		plot_latency(t, f), "working_set", plot_working_set(t, f),
		"top_pages", plot_top_pages(t, f), "top_code",
		plot_top_code(t, f), "faults", plot_faults(t, f));
}

/* Slashes are escaped: no name may end the script that it is in. */
void trace_report(const struct trace_file *t, const struct trace_filter *f,
		  const char *name, FILE *to)
{
	const char *place =
		memmem(report_page, report_bytes, PLACE, strlen(PLACE));
	size_t before = (size_t)(place - report_page);
	json_t *o = data(t, f, name);

	fwrite(report_page, 1, before, to);
	json_dumpf(o, to,
		   JSON_COMPACT | JSON_ESCAPE_SLASH | JSON_REAL_PRECISION(7));
	place += strlen(PLACE);
	fwrite(place, 1, report_bytes - before - strlen(PLACE), to);
	json_decref(o);
}
