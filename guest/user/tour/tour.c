/* SPDX-License-Identifier: MIT */
/*
 * tour: one demonstration after the other, each a line of TAP with the
 * addresses and counts it saw. With names, only these; called by the name of a
 * demonstration, only that one; called list, the names of all.
 *
 * Each runs in a child, which may die of it, and must leave as many frames and
 * swap slots behind as there were.
 */
#include "guest/cpu/cpu.h"
#include "guest/lib/errno.h"
#include "guest/lib/string.h"
#include "guest/user/lib/stdio.h"
#include "guest/user/tour/demo.h"
#include "guest/user/tour/names.h"

#define DECLARE(function, name, what) demo_fn demo_##function;
DEMONSTRATIONS(DECLARE)

static const struct {
	const char *name, *what;
	demo_fn *show;
} demos[] = {
#define ROW(function, name, what) { name, what, demo_##function },
	DEMONSTRATIONS(ROW)
};

/* The status of a run of what is not there. */
#define NO_PROGRAM 120

#define DEMOS	   ((int)(sizeof(demos) / sizeof(demos[0])))

/* Ticks until a process that has ended must be gone, to the last frame. */
#define PATIENCE 50u

struct usage {
	uint64_t frames, slots;
};

/* What a demonstration and its children work on, and this process reads. */
static struct demo *shared;

static struct usage usage(void)
{
	struct sys_counts c;

	sys_drop_caches();
	c = demo_counts();
	return (struct usage){ used_frames(&c), c.slots_used };
}

static void check_leak(struct demo *d, struct usage before)
{
	struct usage now = usage();

	for (unsigned i = 0; i < PATIENCE && (now.frames > before.frames ||
					      now.slots > before.slots);
	     i++) {
		sys_sleep(1);
		now = usage();
	}
	demo_is(d, now.frames, before.frames);
	demo_is(d, now.slots, before.slots);
}

static void run(struct demo *d, demo_fn *demo)
{
	int status = 0;
	int64_t pid = demo_fork(d);

	if (!pid) {
		demo(d);
		d->done = true;
		sys_exit(0);
	}
	if (demo_is(d, sys_wait(pid, &status), pid))
		demo_is(d, status, 0);
	demo_true(d, d->done);
}

static void nothing(struct demo *d)
{
	(void)d;
}

static bool show(int number, int which)
{
	struct demo *d = shared;
	const char *name = demos[which].name;
	struct usage before = usage();

	*d = (struct demo){ 0 };
	run(d, demos[which].show);
	check_leak(d, before);
	if (d->failure[0])
		printf("not ok %d - %s: %s; %s\n", number, name, d->failure,
		       d->seen);
	else if (d->skip[0])
		printf("ok %d - %s # SKIP %s\n", number, name, d->skip);
	else
		printf("ok %d - %s: %s\n", number, name, d->seen);
	return !d->failure[0];
}

static int find(const char *name)
{
	for (int i = 0; i < DEMOS; i++)
		if (streq(name, demos[i].name))
			return i;
	return -1;
}

static int show_all(void)
{
	const uint64_t hz = demo_info().tsc_hz, start = rdtsc();
	bool ok = true;

	printf("1..%d\n", DEMOS);
	for (int i = 0; i < DEMOS; i++)
		ok &= show(i + 1, i);
	if (hz)
		printf("# %d demonstrations in %lu ms\n", DEMOS,
		       (rdtsc() - start) / (hz / 1000));
	return ok ? 0 : 1;
}

static int show_named(int names, char **name)
{
	bool ok = true;

	for (int i = 0; i < names; i++) {
		if (find(name[i]) >= 0)
			continue;
		printf("tour: no demonstration is called '%s'\n", name[i]);
		return 2;
	}
	printf("1..%d\n", names);
	for (int i = 0; i < names; i++)
		ok &= show(i + 1, find(name[i]));
	return ok ? 0 : 1;
}

static int list(void)
{
	for (int i = 0; i < DEMOS; i++)
		printf("%-14s %s\n", demos[i].name, demos[i].what);
	return 0;
}

/* Whatever is no program is taken for a demonstration, and comes here. */
static int complain(const char *name)
{
	int64_t bin = sys_open("/bin", OPEN_READ);
	struct dir_entry e;

	printf("no program '%s'; there are:", name);
	while (bin >= 0 && sys_readdir((int)bin, &e) > 0)
		if (e.name[0] != '.')
			printf(" %s", e.name);
	for (int i = 0; i < DEMOS; i++)
		printf(" %s", demos[i].name);
	printf("\n");
	return NO_PROGRAM;
}

int main(int argc, char **argv)
{
	int64_t at;

	if (streq(argv[0], "list"))
		return list();
	if (streq(argv[0], EXEC_NAME))
		return exec_main(argc, argv);
	if (!streq(argv[0], "tour") && find(argv[0]) < 0)
		return complain(argv[0]);
	at = sys_mmap(0, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED);
	if (at < 0) {
		printf("tour: no shared memory: error %ld\n", -at);
		return 1;
	}
	shared = (struct demo *)at;
	*shared = (struct demo){ 0 };
	lock_memory();
	run(shared, nothing); /* what this process itself needs, it has now */
	if (find(argv[0]) >= 0)
		return show_named(argc, argv);
	return argc > 1 ? show_named(argc - 1, argv + 1) : show_all();
}
