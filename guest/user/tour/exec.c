/* SPDX-License-Identifier: MIT */
/*
 * exec: a program is started by mapping its file. Two processes start this
 * very program anew; each reports where its pages are (exec_main), and stays
 * until it is told to go.
 */
#include "guest/lib/format.h"
#include "guest/lib/string.h"
#include "guest/user/lib/stdio.h"
#include "guest/user/tour/demo.h"

demo_fn demo_exec;

/* Initialised, so that it lies on a page of the file; written in main. */
static volatile uint64_t datum = 1;

struct report {
	uint64_t text, data; /* frames */
	uint64_t resident, pages; /* of the text */
};

struct runner {
	int64_t pid;
	int says[2], hears[2]; /* pipes, as the runner sees them */
	struct report report;
};

/* How much of the text has arrived so far? */
static void count_text(struct report *r)
{
	struct area_info v = { 0 };

	while (area_info(0, v.end, &v) == 1) {
		if (v.start > (uintptr_t)count_text ||
		    v.end <= (uintptr_t)count_text)
			continue;
		r->resident = v.resident;
		r->pages = (v.end - v.start) / PAGE_SIZE;
	}
}

int exec_main(int argc, char **argv)
{
	struct report r = { 0 };
	uint64_t says, hears;
	char go;

	if (argc != 3 || !parse_number(argv[1], &says) ||
	    !parse_number(argv[2], &hears) || datum != 1)
		return 1;
	datum = 2;
	r.text = demo_walk((const void *)exec_main).pa;
	r.data = demo_walk(&datum).pa;
	count_text(&r);
	if (sys_write((int)says, &r, sizeof(r)) != sizeof(r))
		return 1;
	return sys_read((int)hears, &go, 1) == 1 ? 0 : 1;
}

static void become(struct demo *d, void *what)
{
	struct runner *r = what;
	char name[] = EXEC_NAME, says[12], hears[12];
	char *argv[] = { name, says, hears, NULL };

	format(says, sizeof(says), "%d", r->says[1]);
	format(hears, sizeof(hears), "%d", r->hears[0]);
	demo_is(d, sys_exec("/bin/tour", argv), 0); /* does not return */
}

static bool start_runner(struct demo *d, struct runner *r)
{
	int64_t n;

	if (!demo_can(d, sys_pipe(r->says), "pipes") ||
	    !demo_can(d, sys_pipe(r->hears), "pipes"))
		return false;
	r->pid = demo_child(d, become, r);
	if (r->pid < 0)
		return false;
	sys_close(r->says[1]); /* so that its death ends the reading */
	n = sys_read(r->says[0], &r->report, sizeof(r->report));
	return demo_is(d, n, sizeof(r->report));
}

static void end_runner(struct demo *d, struct runner *r)
{
	demo_is(d, sys_write(r->hears[1], "g", 1), 1);
	demo_join(d, r->pid);
	sys_close(r->says[0]);
	sys_close(r->hears[0]);
	sys_close(r->hears[1]);
}

void demo_exec(struct demo *d)
{
	struct runner first = { 0 }, second = { 0 };
	struct sys_counts before, after;
	uint64_t ours = demo_walk((const void *)exec_main).pa;

	if (!start_runner(d, &first))
		return;
	before = demo_counts();
	if (!start_runner(d, &second))
		return;
	after = demo_counts();
	demo_true(d, first.report.text);
	demo_is(d, second.report.text, first.report.text);
	demo_is(d, ours, first.report.text);
	demo_true(d, first.report.data != second.report.data);
	demo_true(d, first.report.resident < first.report.pages);
	demo_true(d, after.demand_file > before.demand_file);
	demo_is(d, after.disk_reads, before.disk_reads);
	demo_note(d,
		  "processes %ld and %ld share text frame %#lx, with us too; "
		  "data frames %#lx and %#lx; %lu of %lu text pages had "
		  "arrived; the second start read 0 blocks",
		  first.pid, second.pid, ours & ~0xffful,
		  first.report.data & ~0xffful, second.report.data & ~0xffful,
		  first.report.resident, first.report.pages);
	end_runner(d, &first);
	end_runner(d, &second);
}
