/* SPDX-License-Identifier: MIT */
/*
 * reap: a program that is killed in the middle of a long system call ends
 * there, and leaves nothing. What it does gives it page after page, so that we
 * see when it is in the middle.
 */
#include "guest/user/lib/kernel.h"
#include "guest/user/lib/stdio.h"
#include "guest/user/lib/sys.h"

#define PAGE  4096ul
#define PAGES 8192ul
#define EARLY 128ul /* pages that say: it has begun */

#define RW    (PROT_READ | PROT_WRITE)

static void populate(void)
{
	sys_mmap(0, PAGES * PAGE, RW, MAP_POPULATE);
}

static void populate_shared(void)
{
	sys_mmap(0, PAGES * PAGE, RW, MAP_POPULATE | MAP_SHARED);
}

static void lock(void)
{
	int64_t at = sys_mmap(0, PAGES * PAGE, RW, 0);

	sys_mlock((uint64_t)at, PAGES * PAGE);
}

static const struct {
	const char *name;
	void (*call)(void);
} cases[] = {
	{ "mmap, populated", populate },
	{ "mmap, populated and shared", populate_shared },
	{ "mlock", lock },
};

/* Its pages in memory; all, when there is no such process or it has ended. */
static uint64_t resident(int64_t pid)
{
	struct process_info p;

	for (unsigned i = 0; process_info(i, &p) == 1; i++)
		if (p.pid == pid && p.state != ZOMBIE)
			return p.resident;
	return PAGES;
}

static bool is(const char *name, const char *what, uint64_t got, uint64_t want)
{
	if (got != want)
		printf("reap: %s: %s: %lu, should be %lu\n", name, what, got,
		       want);
	return got == want;
}

/* Nothing but the kernel's own books may be different in the end. */
static bool kill_in(const char *name, void (*call)(void))
{
	struct sys_counts before = settled_counts(), after;
	uint64_t least = resident(sys_getpid()) + EARLY, had;
	int64_t pid = sys_fork();
	int status = 0;

	if (!pid) {
		call();
		sys_exit(1);
	}
	do {
		had = resident(pid);
	} while (had < least);
	sys_kill(pid, SIGNAL_KILL);
	sys_wait(pid, &status);
	after = settled_counts();
	printf("reap: %s: killed with %lu pages\n", name, had);
	return is(name, "status", (uint64_t)status,
		  STATUS_KILLED + SIGNAL_KILL) &&
	       is(name, "in the middle", had < PAGES, 1) &&
	       is(name, "pages in use", pages_kept(&after),
		  pages_kept(&before));
}

int main(void)
{
	bool ok = true;

	lock_memory();
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ok &= kill_in(cases[i].name, cases[i].call);
	if (ok)
		printf("reap: ok\n");
	return ok ? 0 : 1;
}
