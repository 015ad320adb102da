/* SPDX-License-Identifier: MIT */
/*
 * stress --seed S --seconds N: a worker more than there are processors, each
 * doing one thing after the other at random: map, write, protect, unmap, page
 * out, fork, exec, files. What a page must hold is known at every moment, and
 * verified. With a swap disk the kernel may use fewer frames than the workers
 * need. Seconds are the TSC's: on a host that has little time for us many ticks
 * never come.
 */
#include "guest/cpu/cpu.h"
#include "guest/cpu/smp.h"
#include "guest/lib/errno.h"
#include "guest/lib/string.h"
#include "guest/user/lib/kernel.h"
#include "guest/user/lib/progress.h"
#include "guest/user/lib/random.h"
#include "guest/user/lib/stdio.h"
#include "guest/user/lib/sys.h"
#include "guest/user/stress/worker.h"

#define WORKERS_MOST (CPUS + 1)
#define SETTLE_TICKS 100u
#define GUESSED_HZ   1000000000ul /* of a TSC whose frequency is not known */

/* A worker's pages, two thirds of which have to be enough. */
#define PAGES	     (AREAS * AREA_PAGES + FILE_PAGES)

#define STEPS_A_LOOK 8u /* at the processor that we are on */

uint64_t worker_chance(struct worker *w)
{
	w->state += 0x9e3779b97f4a7c15;
	return mix(w->state ^ mix(w->seed + w->number));
}

uint64_t worker_stamp(const struct worker *w, uint64_t what, uint64_t page,
		      uint64_t version)
{
	return mix(w->number << 48 | what << 40 | page << 24 | version) | 1;
}

void worker_fail(const struct worker *w, const char *what, uint64_t where,
		 uint64_t got, uint64_t want)
{
	printf("stress: worker %lu, step %lu: %s at %#lx is %#lx, should be "
	       "%#lx\n",
	       w->number, w->steps, what, where, got, want);
	sys_exit(1);
}

void worker_check(const struct worker *w, const char *call, int64_t answer)
{
	if (answer >= 0)
		return;
	printf("stress: worker %lu, step %lu: %s: error %ld\n", w->number,
	       w->steps, call, -answer);
	sys_exit(1);
}

static void end_child(const struct worker *w, int64_t pid)
{
	int status = -1;

	worker_check(w, "fork", pid);
	if (sys_wait(pid, &status) != pid || status)
		worker_fail(w, "a child's status", (uint64_t)pid,
			    (uint64_t)status, 0);
}

/* A child sees what we have; what it writes is its own. */
static void fork_step(struct worker *w)
{
	const unsigned area = (unsigned)(worker_chance(w) % AREAS);
	int64_t pid = sys_fork();

	if (!pid) {
		area_verify(w, area);
		area_write_some(w, area);
		area_verify(w, area);
		sys_exit(0);
	}
	end_child(w, pid);
}

static void exec_step(struct worker *w)
{
	static char name[] = "hello";
	char *argv[] = { name, NULL };
	int64_t pid = sys_fork();

	if (!pid) {
		sys_close(1);
		worker_check(w, "exec", sys_exec("/bin/hello", argv));
	}
	end_child(w, pid);
}

/* For so many @ticks of the TSC, once all is there. */
static _Noreturn void run_worker(uint64_t seed, uint64_t number, uint64_t ticks)
{
	static struct worker w;
	struct progress told = { 0 };

	w.seed = seed;
	w.number = number;
	file_start(&w);
	if (ticks)
		area_start(&w);
	for (ticks += rdtsc(); rdtsc() < ticks; w.steps++) {
		uint64_t random = worker_chance(&w) % 100;

		if (random < 2)
			exec_step(&w);
		else if (random < 5)
			fork_step(&w);
		else if (random < 25)
			file_step(&w);
		else
			area_step(&w);
		if (w.steps % STEPS_A_LOOK == 0)
			w.cpus |= 1u << sys_cpu(-1);
		progress(&told, 1);
	}
	progress_tell(&told, 0);
	for (unsigned i = 0; i < AREAS; i++)
		area_verify(&w, i);
	file_end(&w);
	printf("stress: worker %lu did %lu steps on CPUs %#x\n", number,
	       w.steps, w.cpus);
	sys_exit(0);
}

/* Run all @workers to the end. False if one has failed. */
static bool run_workers(uint64_t seed, uint64_t seconds, unsigned workers)
{
	struct sys_info info = { 0 };
	int64_t pid[WORKERS_MOST];
	bool ok = true;
	uint64_t ticks;

	sys_info(&info);
	ticks = seconds * (info.tsc_hz ? info.tsc_hz : GUESSED_HZ);

	for (unsigned i = 0; i < workers; i++) {
		pid[i] = sys_fork();
		if (!pid[i])
			run_worker(seed, i, ticks);
	}
	for (unsigned i = 0; i < workers; i++) {
		int status = -1;

		ok &= pid[i] > 0 && sys_wait(pid[i], &status) == pid[i] &&
		      !status;
	}
	return ok;
}

/* As many frames and slots in use as before, after a while. */
static bool is_settled(const struct sys_counts *before)
{
	struct sys_counts now = settled_counts();

	for (unsigned i = 0; i < SETTLE_TICKS; i++) {
		if (pages_kept(&now) <= pages_kept(before))
			return true;
		sys_sleep(1);
		now = settled_counts();
	}
	printf("stress: %lu frames and %lu slots in use, there were %lu and "
	       "%lu\n",
	       used_frames(&now), now.slots_used, used_frames(before),
	       before->slots_used);
	return false;
}

static bool parse_arguments(int argc, char **argv, uint64_t *seed,
			    uint64_t *seconds)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		uint64_t *to = streq(argv[i], "--seed")	     ? seed
			       : streq(argv[i], "--seconds") ? seconds
							     : NULL;

		if (!to || !parse_number(argv[i + 1], to))
			return false;
	}
	return argc % 2;
}

/* With room for all that they may use together, let them have a part of it. */
static void make_scarce(const struct sys_counts *before, unsigned workers)
{
	if (before->slots_total > workers * 2 * PAGES)
		sys_limit(used_frames(before) + workers * PAGES * 2 / 3);
}

int main(int argc, char **argv)
{
	uint64_t seed = 1, seconds = 5;
	struct sys_counts before, after;
	struct sys_info info = { 0 };
	unsigned workers;
	bool ok;

	if (!parse_arguments(argc, argv, &seed, &seconds)) {
		printf("stress: --seed S --seconds N\n");
		return 2;
	}
	sys_info(&info);
	workers = info.cpus + 1;
	if (!run_workers(seed, 0, workers)) /* all that stays is there now */
		return 1;
	lock_memory();
	before = settled_counts();
	make_scarce(&before, workers);
	ok = run_workers(seed, seconds, workers);
	sys_limit(0);
	after = settled_counts();
	if (!ok || !is_settled(&before))
		return 1;
	printf("stress: ok, seed %lu, %lu seconds: %lu faults, %lu copies, %lu "
	       "pages to swap, %lu back, %lu blocks read, %lu written\n",
	       seed, seconds, after.faults - before.faults,
	       after.cow_copied - before.cow_copied,
	       after.swap_writes - before.swap_writes,
	       after.swap_reads - before.swap_reads,
	       after.disk_reads - before.disk_reads,
	       after.disk_writes - before.disk_writes);
	return 0;
}
