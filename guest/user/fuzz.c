/* SPDX-License-Identifier: MIT */
/*
 * fuzz --seed S --rounds N --first F: nothing that a program does may harm the kernel.
 *
 * A round is a child that either makes system calls with arguments of chance,
 * or runs bytes of chance. Children end, or are killed, at the latest by the
 * watchdog, when they have had their time. Then as many frames must be in use
 * as before.
 */
#include "guest/lib/string.h"
#include "guest/user/lib/kernel.h"
#include "guest/user/lib/random.h"
#include "guest/user/lib/stdio.h"
#include "guest/user/lib/sys.h"

#define PAGE	     4096ul
#define AREA	     (4 * PAGE)
#define CALLS	     64u /* of one child */
#define LIFE	     3u /* ticks of a child, twice that at most */
#define FRAMES_MOST  4096u /* of a child */
#define SETTLE_TICKS 100u

struct chance {
	uint64_t seed, state;
};

static uint64_t chance(struct chance *c)
{
	c->state += 0x9e3779b97f4a7c15;
	return mix(c->state ^ c->seed);
}

/* An argument that the kernel might stumble over. */
static uint64_t argument(struct chance *c, uint64_t area)
{
	static const uint64_t edges[] = {
		0,
		1,
		PAGE,
		PAGE - 1,
		0x00007fffffffe000,
		0x00007ffffffff000,
		0x0000800000000000,
		0xffff800000000000,
		0xffff888000000000,
		0xffffffff80200000,
		UINT64_MAX,
		UINT64_MAX - PAGE + 1,
		INT64_MAX,
		1ul << 32,
		STACK_TOP - 8,
		GATE_PAGE,
	};
	uint64_t random = chance(c);

	switch (random % 6) {
	case 0:
		return edges[(random >> 8) % (sizeof(edges) / 8)];
	case 1:
		return random >> 8;
	case 2:
		return (random >> 8) % 16;
	case 3:
		return (random >> 8) % (1 << 20);
	default: /* within what we have, or just beyond */
		return area + (random >> 8) % (AREA + PAGE);
	}
}

/* These reach beyond the child; SYS_LAB would squeeze the whole VM. */
static bool is_left_out(uint64_t number)
{
	return number == SYS_FORK || number == SYS_KILL || number == SYS_LAB ||
	       number == SYS_LIMIT;
}

/* A child's life: calls. What it writes goes nowhere. */
static _Noreturn void call_at_random(struct chance *c, uint64_t area)
{
	sys_close(0);
	sys_close(1);
	sys_close(2);
	for (unsigned i = 0; i < CALLS; i++) {
		uint64_t number = chance(c) % (SYS_CALLS + 2), a[6];

		for (unsigned j = 0; j < 6; j++)
			a[j] = argument(c, area);
		if (!is_left_out(number))
			sys_call6((enum sys_number)number, a[0], a[1], a[2],
				  a[3], a[4], a[5]);
	}
	sys_exit(0);
}

typedef void function(void);

static _Noreturn void run_bytes(struct chance *c, uint64_t area)
{
	uint64_t *word = (uint64_t *)area;

	sys_close(0);
	sys_close(1);
	sys_close(2);
	for (unsigned i = 0; i < PAGE / 8; i++)
		word[i] = chance(c);
	((function *)area)();
	sys_exit(0);
}

/* The child at work, for the watchdog: shared memory. */
static volatile int64_t *at_work;

/* Kills who is still there when it looks for the second time. */
static int64_t start_watchdog(void)
{
	int64_t pid = sys_fork(), last = 0;

	if (pid)
		return pid;
	lock_memory();
	for (;;) {
		sys_sleep(LIFE);
		if (*at_work && *at_work == last)
			sys_kill(last, SIGNAL_KILL);
		last = *at_work;
	}
}

static bool run_round(uint64_t seed, uint64_t n, uint64_t area)
{
	struct chance c = { .seed = mix(seed), .state = mix(n) };
	int64_t pid = sys_fork();
	int status;

	if (pid < 0) {
		printf("fuzz: no child in round %lu: error %ld\n", n, -pid);
		return false;
	}
	if (pid) {
		*at_work = pid;
		return sys_wait(pid, &status) == pid;
	}
	sys_munmap((uintptr_t)at_work, PAGE); /* out of its reach */
	sys_limit(LIMIT_PROCESS_FRAMES, FRAMES_MOST);
	if (n % 2)
		run_bytes(&c, area);
	call_at_random(&c, area);
}

static struct sys_counts counts(void)
{
	struct sys_counts c = { 0 };

	sys_sync(); /* what was written to a file is no leak */
	sys_drop_caches();
	kernel_counts(&c);
	return c;
}

/* All that the children had must be free again, before long. */
static bool is_settled(const struct sys_counts *before)
{
	struct sys_counts now = counts();

	for (unsigned i = 0; i < SETTLE_TICKS; i++) {
		if (used_frames(&now) == used_frames(before) &&
		    now.slots_used == before->slots_used)
			return true;
		sys_sleep(1);
		now = counts();
	}
	printf("fuzz: %lu frames and %lu slots in use, there were %lu and "
	       "%lu\n",
	       used_frames(&now), now.slots_used, used_frames(before),
	       before->slots_used);
	return false;
}

static bool run_rounds(uint64_t seed, uint64_t first, uint64_t rounds,
		       uint64_t area)
{
	for (uint64_t n = first; n < first + rounds; n++)
		if (!run_round(seed, n, area))
			return false;
	return true;
}

struct plan {
	uint64_t seed, first, rounds;
};

static bool parse_arguments(int argc, char **argv, struct plan *p)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		uint64_t *to = NULL;

		if (streq(argv[i], "--seed"))
			to = &p->seed;
		else if (streq(argv[i], "--rounds"))
			to = &p->rounds;
		else if (streq(argv[i], "--first"))
			to = &p->first;
		if (!to || !parse_number(argv[i + 1], to))
			return false;
	}
	return argc % 2;
}

static int run(const struct plan *p, uint64_t area)
{
	int64_t watchdog = start_watchdog();
	struct sys_counts before;
	bool ok;

	ok = watchdog > 0 && run_rounds(p->seed, p->first, 2, area);
	lock_memory();
	before = counts();
	ok = ok && run_rounds(p->seed, p->first, p->rounds, area) &&
	     is_settled(&before);
	if (watchdog > 0) {
		sys_kill(watchdog, SIGNAL_KILL);
		sys_wait(watchdog, NULL);
	}
	if (ok)
		printf("fuzz: ok, seed %lu, %lu rounds\n", p->seed, p->rounds);
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct plan p = { .seed = 1, .rounds = 200 };
	int64_t area, shared;

	if (!parse_arguments(argc, argv, &p)) {
		printf("fuzz: --seed S --rounds N --first ROUND\n");
		return 2;
	}
	area = sys_mmap(0, AREA, PROT_READ | PROT_WRITE | PROT_EXEC,
			MAP_POPULATE);
	shared = sys_mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	if (area < 0 || shared < 0) {
		printf("fuzz: too little memory\n");
		return 1;
	}
	at_work = (volatile int64_t *)shared;
	*at_work = 0;
	return run(&p, (uint64_t)area);
}
