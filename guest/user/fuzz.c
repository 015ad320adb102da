/* SPDX-License-Identifier: MIT */
/*
 * fuzz --seed S --rounds N --first L: nothing that a program does may harm the
 * kernel.
 *
 * A round is a page of random bytes, run until they fault, or some system calls
 * with random arguments. A child lives for a few rounds, all of one kind, in
 * the state in which the one before has left it. Its last fault kills it, if
 * the watchdog has not done so before, or another child; several live at once,
 * and some have children of their own. What they may do to the machine, the
 * parent undoes. When all are gone, as many frames must be in use as before. L
 * is the first life.
 */
#include "guest/abi.h"
#include "guest/lib/string.h"
#include "guest/user/lib/kernel.h"
#include "guest/user/lib/random.h"
#include "guest/user/lib/stdio.h"
#include "guest/user/lib/sys.h"

#define PAGE	     4096ul
#define AREA	     (4 * PAGE)
#define ROUNDS	     8u /* of a life, at most */
#define CALLS	     16u /* of a round */
#define LANES	     4u /* children at once */
#define LIFE	     25u /* ticks of a child, twice that at most */
#define NAP	     4u /* ticks that a child sleeps, at most */
#define SETTLE_TICKS 100u
#define FEW_FRAMES   256u /* that a balloon or a limit takes */
#define CAP_BYTES    (16ul << 20) /* the least cap on the host's memory */

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

/* These take time, as they are about all of memory, or end too much. */
static bool is_rare(uint64_t number)
{
	return number == SYS_SYNC || number == SYS_DROP_CACHES ||
	       number == SYS_RECLAIM || number == SYS_REPORT ||
	       number == SYS_LAB || number == SYS_LIMIT || number == SYS_FORK ||
	       number == SYS_EXIT;
}

/* What a child knows; not on its stack, which it may lose. */
static struct {
	struct chance chance;
	uint64_t area;
	volatile uint64_t *rounds; /* it has begun; shared with the parent */
	volatile uint64_t own_rounds; /* of a child's child */
	void *home[5]; /* where it goes on after a fault */
} self;

/* Nobody older than this may be killed: the watchdog, and who waits for us. */
static int64_t watchdog;

/* What a call by chance must not do, it does a little of. */
static void tame(struct chance *c, uint64_t number, uint64_t *a)
{
	if (number == SYS_SLEEP)
		a[0] %= NAP;
	if (number == SYS_KILL && chance(c) % 2)
		a[0] = (uint64_t)sys_getpid() + chance(c) % (2 * LANES) - LANES;
	if (number == SYS_KILL && (int64_t)a[0] <= watchdog)
		a[0] = ~a[0] | INT64_MIN; /* there is none */
	if (number == SYS_LAB && a[0] == LAB_BALLOON)
		a[1] %= FEW_FRAMES;
	if (number == SYS_LAB && a[0] == LAB_RESIDENT)
		a[1] |= CAP_BYTES;
	if (number == SYS_LIMIT && chance(c) % 2)
		a[0] = all_frames() - a[0] % FEW_FRAMES;
}

/* What may have been done to the machine is undone. */
static void restore(void)
{
	sys_limit(0);
	sys_lab(LAB_RESIDENT, 0, NULL);
	sys_lab(LAB_BALLOON, 0, NULL);
}

/* A child's child lives for one round; sometimes it is waited for. */
static void forked(struct chance *c, int64_t pid)
{
	if (!pid) {
		c->seed ^= (uint64_t)sys_getpid();
		self.own_rounds = ROUNDS - 1;
		self.rounds = &self.own_rounds;
	} else if (pid > 0 && chance(c) % 2) {
		sys_wait(pid, NULL);
	}
}

static void call_at_random(struct chance *c)
{
	uint64_t number = chance(c) % (SYS_CALLS + 2), a[6];
	int64_t answer;

	for (unsigned i = 0; i < 6; i++)
		a[i] = argument(c, self.area);
	tame(c, number, a);
	if (is_rare(number) && chance(c) % 4)
		return;
	answer = sys_call6((enum sys_number)number, a[0], a[1], a[2], a[3],
			   a[4], a[5]);
	if (number == SYS_FORK)
		forked(c, answer);
	if (number == SYS_LAB || number == SYS_LIMIT)
		restore();
}

static _Noreturn void live_by_calls(void)
{
	while ((*self.rounds)++ < ROUNDS)
		for (unsigned i = 0; i < CALLS; i++)
			call_at_random(&self.chance);
	sys_exit((int)chance(&self.chance));
}

typedef void function(void);

/* Nothing is known of the registers and the stack. */
static _Noreturn void caught(void)
{
	__asm__ volatile("cld");
	__builtin_longjmp(self.home, 1);
}

static void run_bytes(struct chance *c)
{
	uint64_t *word = (uint64_t *)self.area;

	for (unsigned i = 0; i < PAGE / 8; i++)
		word[i] = chance(c);
	((function *)self.area)();
}

/* Each fault but the last is caught. */
static _Noreturn void live_by_bytes(void)
{
	(void)__builtin_setjmp(self.home);
	while (++*self.rounds < ROUNDS) {
		sys_call(SYS_CATCH, (uint64_t)caught, 0, 0);
		run_bytes(&self.chance);
	}
	sys_call(SYS_CATCH, 0, 0, 0);
	run_bytes(&self.chance);
	sys_exit(0);
}

/* The children that live now, and their rounds: shared. */
static volatile int64_t *lanes;
static volatile uint64_t *rounds_of;

static unsigned lane_of(int64_t pid)
{
	unsigned lane = 0;

	while (lane < LANES && lanes[lane] != pid)
		lane++;
	return lane;
}

/* Kill who is younger than the watchdog, and not younger than @until: the pid
 * of the youngest. What is listed may change meanwhile. */
static int64_t kill_young(int64_t until)
{
	struct process_info p;
	int64_t youngest = 0;

	for (unsigned i = 0; i < 64 && process_info(i, &p) > 0; i++) {
		if (p.pid > watchdog && p.pid <= until)
			sys_kill(p.pid, SIGNAL_KILL);
		if (p.pid > youngest)
			youngest = p.pid;
	}
	return youngest;
}

/* Kills who is still there when it looks for the second time. */
static int64_t start_watchdog(void)
{
	int64_t pid = sys_fork(), before = 0;

	if (pid)
		return pid;
	watchdog = sys_getpid();
	lock_memory();
	for (;;) {
		sys_sleep(LIFE);
		before = kill_young(before);
	}
}

/* What it writes goes nowhere, and what the parent keeps is out of its reach. */
static _Noreturn void live(uint64_t seed, uint64_t life, unsigned lane)
{
	for (int fd = 0; fd < 3; fd++)
		sys_close(fd);
	sys_munmap((uintptr_t)lanes, PAGE);
	self.chance = (struct chance){ .seed = mix(seed), .state = mix(life) };
	self.rounds = &rounds_of[lane];
	if (life % 2)
		live_by_bytes();
	live_by_calls();
}

static bool start_life(uint64_t seed, uint64_t life, unsigned lane)
{
	int64_t pid;

	rounds_of[lane] = 0;
	for (unsigned i = 0; (pid = sys_fork()) < 0 && i < SETTLE_TICKS; i++) {
		restore(); /* another may have made memory short just now */
		sys_sleep(1);
	}
	if (!pid)
		live(seed, life, lane);
	if (pid < 0) {
		printf("fuzz: no child for life %lu: error %ld\n", life, -pid);
		return false;
	}
	lanes[lane] = pid;
	return true;
}

/* The rounds of the next child that dies; 0: there was none. It may have
 * written any number. */
static uint64_t await_death(void)
{
	unsigned lane = lane_of(sys_wait(-1, NULL));
	uint64_t rounds;

	if (lane == LANES)
		return 0;
	lanes[lane] = 0;
	rounds = rounds_of[lane];
	return rounds && rounds < ROUNDS ? rounds : ROUNDS;
}

/* All that the children had must be free again, before long. */
static bool is_settled(const struct sys_counts *before)
{
	struct sys_counts now;

	kill_young(INT64_MAX);
	restore();
	now = settled_counts();
	for (unsigned i = 0; i < SETTLE_TICKS; i++) {
		if (pages_kept(&now) == pages_kept(before))
			return true;
		sys_sleep(1);
		now = settled_counts();
	}
	printf("fuzz: %lu frames and %lu slots in use, there were %lu and "
	       "%lu\n",
	       used_frames(&now), now.slots_used, used_frames(before),
	       before->slots_used);
	return false;
}

struct plan {
	uint64_t seed, first, rounds;
};

/* Until @rounds have been; *@lives: in so many children. */
static bool run_rounds(const struct plan *p, uint64_t rounds, uint64_t *lives)
{
	uint64_t done = 0, ended = 0, now;

	*lives = 0;
	while (done < rounds || ended < *lives) {
		unsigned lane = lane_of(0);

		if (done < rounds && lane < LANES) {
			if (!start_life(p->seed, p->first + *lives, lane))
				return false;
			++*lives;
			continue;
		}
		now = await_death();
		if (!now)
			return false;
		done += now;
		ended++;
	}
	return true;
}

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

static int run(const struct plan *p)
{
	struct sys_counts before;
	uint64_t lives;
	bool ok;

	watchdog = start_watchdog();
	ok = watchdog > 0 && run_rounds(p, LANES * ROUNDS, &lives);
	kill_young(INT64_MAX);
	restore();
	lock_memory();
	sys_sleep(LIFE); /* they end */
	before = settled_counts();
	ok = ok && run_rounds(p, p->rounds, &lives) && is_settled(&before);
	if (watchdog > 0) {
		sys_kill(watchdog, SIGNAL_KILL);
		sys_wait(watchdog, NULL);
	}
	if (ok)
		printf("fuzz: ok, seed %lu, %lu rounds in %lu lives\n", p->seed,
		       p->rounds, lives);
	return ok ? 0 : 1;
}

static volatile void *shared_page(void)
{
	int64_t at = sys_mmap(0, PAGE, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_POPULATE);

	return at < 0 ? NULL : (volatile void *)at;
}

int main(int argc, char **argv)
{
	struct plan p = { .seed = 1, .rounds = 200 };
	int64_t area;

	if (!parse_arguments(argc, argv, &p)) {
		printf("fuzz: --seed S --rounds N --first LIFE\n");
		return 2;
	}
	area = sys_mmap(0, AREA, PROT_READ | PROT_WRITE | PROT_EXEC,
			MAP_POPULATE);
	lanes = shared_page();
	rounds_of = shared_page();
	if (area < 0 || !lanes || !rounds_of) {
		printf("fuzz: too little memory\n");
		return 1;
	}
	self.area = (uint64_t)area;
	return run(&p);
}
