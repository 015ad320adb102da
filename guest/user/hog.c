/* SPDX-License-Identifier: MIT */
/*
 * hog: more memory is wanted than there is, and none of it can be paged out.
 * The kernel must end the child that has most, and only that: the other has
 * its pages still, and all frames of the first are free again.
 */
#include "guest/user/lib/kernel.h"
#include "guest/user/lib/random.h"
#include "guest/user/lib/stdio.h"
#include "guest/user/lib/sys.h"

#define PAGE	    4096ul
#define SMALL_PAGES 64u
#define LARGE_PAGES 1024u
#define ROOM	    512u /* frames for both */

enum { NOTHING_YET, SMALL_HAS_ALL, LARGE_IS_GONE };

static volatile uint64_t *step; /* shared */

static void await(uint64_t what)
{
	while (*step != what)
		sys_sleep(1);
}

/* Pages that stay in memory, if there is so much. */
static volatile uint64_t *take(uint64_t pages)
{
	int64_t at = sys_mmap(0, pages * PAGE, PROT_READ | PROT_WRITE, 0);

	if (at < 0 || sys_mlock((uint64_t)at, pages * PAGE))
		sys_exit(2);
	return (volatile uint64_t *)at;
}

static _Noreturn void live_small(void)
{
	volatile uint64_t *word = take(SMALL_PAGES);

	for (uint64_t i = 0; i < SMALL_PAGES; i++)
		word[i * PAGE / 8] = mix(i);
	*step = SMALL_HAS_ALL;
	await(LARGE_IS_GONE);
	for (uint64_t i = 0; i < SMALL_PAGES; i++)
		if (word[i * PAGE / 8] != mix(i))
			sys_exit(1);
	sys_exit(0);
}

static _Noreturn void live_large(void)
{
	take(LARGE_PAGES);
	sys_exit(0);
}

static int64_t start(void (*live)(void))
{
	int64_t pid = sys_fork();

	if (!pid)
		live();
	return pid;
}

static bool is(const char *what, int64_t got, int64_t want)
{
	if (got != want)
		printf("hog: %s: %ld, should be %ld\n", what, got, want);
	return got == want;
}

/* Both children to their ends. False: not as it should be. */
static bool run(const struct sys_counts *before)
{
	int large_status = -1, small_status = -1;
	int64_t small, large;

	*step = NOTHING_YET;
	small = start(live_small);
	await(SMALL_HAS_ALL);
	sys_limit(used_frames(before) + ROOM);
	large = start(live_large);
	sys_wait(large, &large_status);
	*step = LARGE_IS_GONE;
	sys_wait(small, &small_status);
	sys_limit(0);
	printf("hog: the large child is pid %ld\n", large);
	return is("the large child", large_status,
		  STATUS_KILLED + SIGNAL_KILL) &&
	       is("the small child", small_status, 0);
}

int main(void)
{
	int64_t at = sys_mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	struct sys_counts before, after;

	if (at < 0)
		return 2;
	step = (volatile uint64_t *)at;
	*step = NOTHING_YET;
	lock_memory();
	before = settled_counts();
	if (!run(&before))
		return 1;
	after = settled_counts();
	if (!is("killed", (int64_t)(after.oom_kills - before.oom_kills), 1) ||
	    !is("frames in use", (int64_t)used_frames(&after),
		(int64_t)used_frames(&before)))
		return 1;
	printf("hog: ok\n");
	return 0;
}
