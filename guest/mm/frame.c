/* SPDX-License-Identifier: MIT */
#include "guest/mm/frame.h"

#include <assert.h>

#include "guest/lib/print.h"

#define RUNS	 32u
#define LOW_MIB	 0x100000ul
#define RAM_MOST (256ul << 30) /* the descriptors must fit BOOT_WINDOW */

/* Kept free beside what is promised, for the kernel's own needs. */
#define SLACK 64u

struct run {
	pa_t start, next, top, end;
};

static_assert(sizeof(struct frame) == 40, "a hundred descriptors a page");

struct frame *frames;

static struct run runs[RUNS];
static unsigned run_count;
static struct run *run_now = runs;
static uint32_t free_list;
static uint64_t promised;
static struct frame_counts counts;
static const struct machine *machine;
static bool zeroed; /* machine->zeroed, at hand */

static void add_run(uint64_t start, uint64_t end)
{
	if (start >= end)
		return;
	if (run_count == RUNS)
		panic("RAM lies in more than %u pieces", RUNS);
	runs[run_count++] =
		(struct run){ { start }, { start }, { end }, { end } };
	counts.total += (end - start) >> PAGE_SHIFT;
}

/* The lowest reserved range that ends above @at. */
static const struct range *next_reserved(uint64_t at)
{
	const struct range *best = NULL;

	for (unsigned i = 0; i < machine->reserveds; i++) {
		const struct range *r = &machine->reserved[i];

		if (r->end.v > at && (!best || r->start.v < best->start.v))
			best = r;
	}
	return best;
}

/* [start, end) is RAM: what is not reserved becomes runs. */
static void add_ram(uint64_t start, uint64_t end)
{
	const struct range *r;

	while (start < end && (r = next_reserved(start)) && r->start.v < end) {
		add_run(start, r->start.v);
		start = r->end.v;
	}
	add_run(start, end);
}

/* Take the descriptor array from the front of the first run that fits it. */
static void place_descriptors(uint64_t highest)
{
	uint64_t bytes =
		page_up((highest >> PAGE_SHIFT) * sizeof(struct frame));

	for (unsigned i = 0; i < run_count; i++) {
		struct run *r = &runs[i];

		if (r->end.v - r->start.v < bytes)
			continue;
		if (r->start.v + bytes > BOOT_WINDOW)
			break;
		frames = direct(r->start);
		r->start.v += bytes;
		r->next = r->start;
		counts.total -= bytes >> PAGE_SHIFT;
		return;
	}
	panic("no room for %lu KiB of frame descriptors", bytes >> 10);
}

void frame_init(const struct machine *m)
{
	uint64_t highest = 0;

	machine = m;
	zeroed = m->zeroed;
	for (unsigned i = 0; i < m->rams; i++) {
		uint64_t start = m->ram[i].start.v, end = m->ram[i].end.v;

		start = start < LOW_MIB ? LOW_MIB : start;
		end = end > RAM_MOST ? RAM_MOST : end;
		if (start >= end)
			continue;
		add_ram(start, end);
		if (end > highest)
			highest = end;
	}
	place_descriptors(highest);
}

static void clear(struct frame *f)
{
	void *at = direct(frame_pa(f));
	uint64_t words = PAGE_SIZE / 8;

	__asm__ volatile("rep stosq"
			 : "+D"(at), "+c"(words)
			 : "a"(0)
			 : "memory");
}

static struct frame *take_freed(void)
{
	struct frame *f = frames + free_list;

	free_list = f->next;
	clear(f);
	return f;
}

static struct frame *take_new(void)
{
	struct run *r = run_now;
	struct frame *f;

	while (r->next.v == r->top.v) {
		if (r + 1 == runs + run_count)
			return NULL;
		r = ++run_now;
	}
	f = frame_at(r->next);
	r->next.v += PAGE_SIZE;
	if (!zeroed)
		clear(f);
	return f;
}

static struct frame *hand_out(struct frame *f, enum frame_use use)
{
	if (!f)
		return NULL;
	*f = (struct frame){ .count = 1, .use = (uint8_t)use };
	counts.used++;
	if (use == FRAME_TABLE)
		counts.tables++;
	return f;
}

struct frame *frame_alloc(enum frame_use use)
{
	return hand_out(free_list ? take_freed() : take_new(), use);
}

struct frame *frame_alloc_apart(enum frame_use use)
{
	struct run *r = &runs[run_count - 1];
	uint64_t span = 2 * FRAME_APART * PAGE_SIZE;
	struct frame *f;

	while (r->top.v - r->next.v < 2 * span)
		if (r-- == runs)
			return NULL;
	r->top.v -= span;
	counts.total -= 2 * FRAME_APART - 1; /* the neighbours stay unused */
	f = frame_at((pa_t){ r->top.v + span / 2 });
	if (!zeroed)
		clear(f);
	return hand_out(f, use);
}

void frame_put(struct frame *f)
{
	if (--f->count)
		return;
	counts.used--;
	if (f->use == FRAME_TABLE)
		counts.tables--;
	f->use = FRAME_FREE;
	f->next = free_list;
	free_list = (uint32_t)(f - frames);
}

/* Was the frame at @pa, inside @r, ever handed out? */
static bool has_meaning(const struct run *r, pa_t pa)
{
	uint64_t below_end = (r->end.v - pa.v) >> PAGE_SHIFT;

	if (pa.v >= r->top.v)
		return below_end % (2 * FRAME_APART) == FRAME_APART;
	return pa.v < r->next.v;
}

struct frame_info frame_describe(pa_t pa)
{
	pa.v &= ~(PAGE_SIZE - 1);
	for (unsigned i = 0; i < run_count; i++) {
		const struct run *r = &runs[i];

		if (pa.v < r->start.v || pa.v >= r->end.v)
			continue;
		if (!has_meaning(r, pa))
			return (struct frame_info){ .use = FRAME_UNUSED, .count = 0 };
		return (struct frame_info){ .use = frame_at(pa)->use,
					    .count = frame_at(pa)->count };
	}
	for (unsigned i = 0; i < machine->rams; i++)
		if (range_has(machine->ram[i], pa))
			return (struct frame_info){ .use = FRAME_RESERVED, .count = 0 };
	return (struct frame_info){ .use = FRAME_NONE, .count = 0 };
}

struct frame_counts frame_counts(void)
{
	return counts;
}

/*
 * A page of tables maps 512 pages when they lie together. Programs that
 * scatter single pages need more; a 256th and the slack covers them.
 */
bool frame_promise(uint64_t pages)
{
	uint64_t all = promised + pages;

	if (pages > counts.total || all + all / 256 + SLACK > counts.total)
		return false;
	promised = all;
	return true;
}

void frame_unpromise(uint64_t pages)
{
	promised -= pages;
}
