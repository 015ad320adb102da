/* SPDX-License-Identifier: MIT */
/* Making room (reclaim.h): who leaves, who is woken for it, who is killed. */
#include "guest/mm/reclaim.h"

#include "guest/dev/virtio.h"
#include "guest/dev/apic.h"
#include "guest/lib/base.h"
#include "guest/mm/leaf.h"
#include "guest/mm/mapping.h"
#include "guest/mm/swap.h"
#include "guest/mm/zone.h"
#include "guest/proc/sched.h"

/* One in so many frames is kept free, within bounds; twice when at it. */
#define LOW_PART 128u
#define LOW_MOST 1024u

#define PASSES	 4u

/* Frames that the thread looks at in one go. */
#define BREATH 32u

/* Descriptors that the first pass looks at to find frames not yet listed. */
#define FEW_LOOKS 256u

/* How long the killed may take to give back what they have. */
#define KILL_TICKS 2u

uint64_t reclaim_low;

/* What is looked for. */
struct pass {
	bool files; /* may write to files */
	unsigned want, freed;
};

static bool evict_anon(struct frame *f)
{
	if (f->count != f->maps || !swap_out(f))
		return false;
	counts.evicted_anon++;
	return true;
}

/*
 * Shared memory is stored in swap, which is safe at any time. While the page is
 * written its mapping stays (mapping_transfer); nothing sleeps after that.
 */
static bool evict_file(struct frame *f, bool files)
{
	struct mapping *m = f->owner;

	if (!m || f->count != f->maps + 1 ||
	    (f->flags & FRAME_DIRTY && !files &&
	     m->ops->transfer != swap_transfer))
		return false;
	frame_get(f);
	rmap_unmap(f);
	if (f->flags & FRAME_DIRTY && !mapping_sync(m, f->index, f->index + 1))
		counts.written_back++;
	frame_put(f);
	if (f->owner != m || !mapping_evict(f))
		return false;
	counts.evicted_file++;
	return true;
}

static bool evict(struct frame *f, bool files)
{
	if (f->flags & (FRAME_BUSY | FRAME_LOCKED))
		return false;
	return f->use == FRAME_ANON ? evict_anon(f) : evict_file(f, files);
}

static bool is_used(struct frame *f)
{
	return rmap_take(f, PTE_A) && !broken("lru");
}

/* Half of what is listed is to be inactive. */
static void age(enum lru_kind kind)
{
	const struct frame_list *list = counts.lru[kind];
	uint64_t looks = list[true].count;

	while (looks-- && list[false].count < list[true].count) {
		struct frame *f = frames + list[true].last;

		lru_move(f, is_used(f));
	}
}

/*
 * Each inactive frame is looked at once. Evicting sleeps, and who is in no
 * hurry lets others in: lists change.
 */
static void look(enum lru_kind kind, struct pass *p)
{
	const struct frame_list *list = &counts.lru[kind][false];
	uint64_t looks = list->count;

	while (looks-- && p->freed < p->want) {
		struct frame *f;

		if (p->files && looks % BREATH == 0)
			sched_breathe();
		if (!list->count)
			return;
		f = frames + list->last;
		lru_move(f, is_used(f));
		if (!(f->flags & FRAME_ACTIVE))
			p->freed += evict(f, p->files);
	}
}

bool reclaim_running(void)
{
	return reclaim_low && current()->reclaiming;
}

/* At most @passes; who is called by what it calls itself gets nothing. */
static unsigned run(struct pass p, unsigned passes)
{
	unsigned looks = FEW_LOOKS;

	if (!reclaim_low || current()->reclaiming)
		return 0;
	current()->reclaiming = true;
	do {
		lru_gather(looks);
		for (enum lru_kind kind = 0; kind < LRU_KINDS; kind++) {
			age(kind);
			look(kind, &p);
		}
		looks = UINT32_MAX;
	} while (!p.freed && --passes);
	current()->reclaiming = false;
	return p.freed;
}

/* Process 1 has less than any other. */
static uint64_t pages_of(const struct process *p)
{
	return p->pid == 1 ? 0 : 1 + p->space->resident + p->space->swapped;
}

/* Who is dying already, else who has most. */
static struct process *choose(void)
{
	struct process *worst = NULL;

	for (struct process *p = processes; p; p = p->next) {
		if (!p->space || p->state == ZOMBIE)
			continue;
		if (p->killed)
			return p;
		if (!worst || pages_of(p) > pages_of(worst))
			worst = p;
	}
	return worst;
}

/*
 * Out of memory: nothing can be evicted, and somebody must have a frame. The
 * process that has most, in frames and in slots, is killed, or waited for if it
 * is on its way. False if that is the current one, or there is none.
 */
static bool kill_one(void)
{
	struct process *p = choose();

	if (p && !p->killed) {
		print("kernel: out of memory: %s (pid %u) is killed: it has "
		      "most, %lu pages in memory and %lu in swap\n",
		      p->name, p->pid, p->space->resident, p->space->swapped);
		counts.oom_kills++;
		process_kill(p);
	}
	if (!p || p == current())
		return false;
	sleep_until(&counts.oom_kills, lapic_ticks + KILL_TICKS);
	return true;
}

bool reclaim(unsigned want, bool kill)
{
	if (!reclaim_low || current()->reclaiming)
		return false;
	if (run((struct pass){ .want = want }, PASSES))
		return true;
	if (balloon_relieve())
		return true;
	reclaim_wake();
	sleep_until(&reclaim_low, lapic_ticks + 1);
	return frame_left() || (kill && kill_one());
}

unsigned reclaim_pass(unsigned want)
{
	return run((struct pass){ .want = want, .files = true }, 1);
}

void reclaim_range(struct vma *v)
{
	uintptr_t va = v->start;
	uint64_t *at;

	for (; (at = leaf_next(v->space, &va, v->end)); va += PAGE_SIZE)
		if (leaf_frame(*at))
			evict(leaf_frame(*at), true);
}

void reclaim_wake(void)
{
	wake(&reclaim_wake);
}

static _Noreturn void thread(void)
{
	struct pass p = { .files = true };

	for (;;) {
		while (frame_room() < 2 * reclaim_low) {
			p.want = (unsigned)(2 * reclaim_low - frame_room());
			if (!run(p, PASSES))
				break;
			wake(&reclaim_low);
		}
		sleep_on(&reclaim_wake);
	}
}

void reclaim_init(void)
{
	uint64_t low = zone_frames() / LOW_PART;

	reclaim_low = low < LOW_MOST ? low : LOW_MOST;
	process_kernel("reclaim", thread);
}
