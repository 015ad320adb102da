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
#define PAGES 4096ul
#define EARLY 128ul /* pages that say: it has begun */
#define TRIES 20u /* it may be through before we look, or kill it */

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

/* Run @call in a child and kill it: how many pages it had then, and its end. */
static uint64_t kill_in(void (*call)(void), int *status)
{
	uint64_t least = resident(sys_getpid()) + EARLY, had;
	int64_t pid = sys_fork();

	if (!pid) {
		call();
		sys_exit(0);
	}
	do {
		had = resident(pid);
	} while (had < least);
	sys_kill(pid, SIGNAL_KILL);
	sys_wait(pid, status);
	return had;
}

/* Nothing is in use in the end but what was before. */
static bool check(const char *name, void (*call)(void))
{
	struct sys_counts before = settled_counts(), after;
	unsigned tries = TRIES;
	uint64_t had;
	int status = 0;

	do {
		had = kill_in(call, &status);
	} while ((had >= PAGES || !status) && --tries);
	after = settled_counts();
	printf("reap: %s: killed with %lu pages, status %d; %lu pages in use, "
	       "there were %lu\n",
	       name, had, status, pages_kept(&after), pages_kept(&before));
	return had < PAGES && status == STATUS_KILLED + SIGNAL_KILL &&
	       pages_kept(&after) == pages_kept(&before);
}

int main(void)
{
	bool ok = true;

	lock_memory();
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ok &= check(cases[i].name, cases[i].call);
	if (ok)
		printf("reap: ok\n");
	return ok ? 0 : 1;
}
