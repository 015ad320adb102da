/* SPDX-License-Identifier: MIT */
#include "guest/mm/zone.h"

#include <assert.h>

#include "guest/lib/broken.h"
#include "guest/lib/print.h"
#include "guest/lib/string.h"
#include "guest/mm/buddy.h"

#define RUNS	 32u
#define LOW_MIB	 0x100000ul
#define RAM_MOST (256ul << 30)

static_assert(sizeof(struct frame) == 40, "a hundredth of RAM describes it");

/* Frame numbers: see the picture in zone.h. */
struct run {
	uint32_t start, next, top, end;
};

struct zone {
	const char *name;
	uint64_t start, end;
	struct buddy blocks;
	struct run runs[RUNS];
	unsigned run_count;
	uint64_t managed, never_used;
};

static struct zone zones[ZONES] = {
	[ZONE_DMA] = { .name = "DMA", .start = LOW_MIB, .end = DMA_END },
	[ZONE_NORMAL] = { .name = "Normal", .start = DMA_END, .end = RAM_MOST },
};

struct frame *frames;

static const struct machine *machine;
static struct range reserved[MACHINE_RANGES + 1]; /* and the descriptors */
static unsigned reserveds;

static void add_run(struct zone *z, uint64_t start, uint64_t end)
{
	uint32_t first = (uint32_t)(start >> PAGE_SHIFT);
	uint32_t top = (uint32_t)(end >> PAGE_SHIFT);

	if (start >= end)
		return;
	if (z->run_count == RUNS)
		panic("RAM lies in more than %u pieces", RUNS);
	z->runs[z->run_count++] = (struct run){ first, first, top, top };
	z->managed += top - first;
	z->never_used += top - first;
}

/* The lowest reserved range that ends above @at. */
static const struct range *next_reserved(uint64_t at)
{
	const struct range *best = NULL;

	for (unsigned i = 0; i < reserveds; i++) {
		const struct range *r = &reserved[i];

		if (r->end.v > at && (!best || r->start.v < best->start.v))
			best = r;
	}
	return best;
}

/* What of [start, end) of RAM lies in @z and is not reserved becomes runs. */
static void add_ram(struct zone *z, uint64_t start, uint64_t end)
{
	const struct range *r;

	start = start < z->start ? z->start : start;
	end = end > z->end ? z->end : end;
	while (start < end && (r = next_reserved(start)) && r->start.v < end) {
		add_run(z, start, r->start.v);
		start = r->end.v;
	}
	add_run(z, start, end);
}

/* Unreserved RAM at or above @from, where the boot tables show its start. */
static bool find_room(uint64_t from, uint64_t bytes, uint64_t *at)
{
	for (unsigned i = 0; i < machine->rams; i++) {
		uint64_t start = machine->ram[i].start.v;
		const struct range *r;

		start = start < from ? from : start;
		while ((r = next_reserved(start)) && r->start.v < start + bytes)
			start = r->end.v;
		*at = start;
		if (start + bytes <= machine->ram[i].end.v)
			return start < BOOT_WINDOW;
	}
	return false;
}

/*
 * A descriptor for every frame below @highest, whole blocks of them, because
 * the buddy of any block is looked at.
 */
static void place_descriptors(uint64_t highest)
{
	uint64_t block = 1ul << (ZONE_ORDERS - 1);
	uint64_t count = ((highest >> PAGE_SHIFT) + block - 1) & ~(block - 1);
	uint64_t bytes = page_up(count * sizeof(struct frame)), at;

	if (!find_room(DMA_END, bytes, &at) && !find_room(LOW_MIB, bytes, &at))
		panic("no room for %lu KiB of frame descriptors", bytes >> 10);
	reserved[reserveds++] = (struct range){ { at }, { at + bytes } };
	frames = direct((pa_t){ at });
	if (!machine->zeroed)
		memset(frames, 0, bytes);
}

void zone_init(const struct machine *m)
{
	uint64_t highest = 0;

	machine = m;
	reserveds = m->reserveds;
	memcpy(reserved, m->reserved, sizeof(m->reserved));
	for (unsigned i = 0; i < m->rams; i++)
		if (m->ram[i].end.v > highest)
			highest = m->ram[i].end.v;
	place_descriptors(highest > RAM_MOST ? RAM_MOST : highest);
	for (unsigned i = 0; i < m->rams; i++)
		for (unsigned z = 0; z < ZONES; z++)
			add_ram(&zones[z], m->ram[i].start.v, m->ram[i].end.v);
}

/* The largest aligned block at the start of what was never used. */
static bool grow(struct zone *z)
{
	unsigned order = ZONE_ORDERS - 1;
	struct run *r = z->runs;

	while (r < z->runs + z->run_count && r->next == r->top)
		r++;
	if (r == z->runs + z->run_count)
		return false;
	while (r->next & ((1u << order) - 1) || r->top - r->next < 1u << order)
		order--;
	buddy_add(&z->blocks, r->next, order);
	r->next += 1u << order;
	z->never_used -= 1u << order;
	return true;
}

static uint32_t take(struct zone *z, unsigned order)
{
	uint32_t n;

	while (!(n = buddy_take(&z->blocks, order)))
		if (!grow(z))
			break;
	return n;
}

struct frame *zone_take(unsigned order, enum zone_id highest)
{
	uint32_t n = 0;

	if (broken("frames"))
		highest = ZONE_NORMAL;
	for (int i = highest; i >= 0 && !n; i--)
		n = take(&zones[i], order);
	return n ? frames + n : NULL;
}

static uint32_t take_some(struct zone *z, unsigned *order)
{
	do {
		for (unsigned i = 0; i < ZONE_ORDERS; i++) {
			if (!z->blocks.free[i])
				continue;
			*order = i < *order ? i : *order;
			return buddy_take(&z->blocks, *order);
		}
	} while (grow(z));
	return 0;
}

struct frame *zone_take_some(unsigned *order, enum zone_id highest)
{
	uint32_t n = 0;

	for (int i = highest; i >= 0 && !n; i--)
		n = take_some(&zones[i], order);
	return n ? frames + n : NULL;
}

/* A piece off the end of the last run that has one; its middle is used. */
struct frame *zone_take_apart(void)
{
	uint32_t span = 2 * ZONE_APART;

	for (int i = ZONES - 1; i >= 0; i--) {
		struct zone *z = &zones[i];
		struct run *r = z->runs + z->run_count;

		while (r-- > z->runs) {
			if (r->top - r->next < 2 * span)
				continue;
			r->top -= span;
			z->never_used -= span;
			z->managed -= span - 1; /* the neighbours stay unused */
			return frames + r->top + ZONE_APART;
		}
	}
	return NULL;
}

void zone_give(struct frame *f, unsigned order)
{
	buddy_add(&zones[zone_of(f)].blocks, (uint32_t)(f - frames), order);
}

uint32_t zone_span(uint32_t *n)
{
	for (unsigned i = 0; i < ZONES; i++)
		for (unsigned j = 0; j < zones[i].run_count; j++) {
			const struct run *r = &zones[i].runs[j];

			if (*n >= r->next)
				continue;
			*n = *n < r->start ? r->start : *n;
			if (*n < r->next)
				return r->next;
		}
	return 0;
}

uint64_t zone_frames(void)
{
	return zones[ZONE_DMA].managed + zones[ZONE_NORMAL].managed;
}

/* The run that @pa lies in, or NULL. */
static const struct run *run_of(pa_t pa)
{
	uint64_t n = pa.v >> PAGE_SHIFT;

	for (unsigned i = 0; i < ZONES; i++)
		for (unsigned j = 0; j < zones[i].run_count; j++) {
			const struct run *r = &zones[i].runs[j];

			if (n >= r->start && n < r->end)
				return r;
		}
	return NULL;
}

enum frame_use zone_use(pa_t pa)
{
	const struct run *r = run_of(pa);
	uint64_t n = pa.v >> PAGE_SHIFT;

	if (r)
		return n >= r->next && n < r->top ? FRAME_UNUSED : FRAME_FREE;
	for (unsigned i = 0; i < machine->rams; i++)
		if (range_has(machine->ram[i], pa))
			return FRAME_RESERVED;
	return FRAME_NONE;
}

bool zone_describe(unsigned index, struct sys_zone *to)
{
	const struct zone *z = zones + index;

	if (index >= ZONES)
		return false;
	*to = (struct sys_zone){
		.start = z->start,
		.end = z->end,
		.managed = z->managed,
		.free = buddy_frames(&z->blocks) + z->never_used,
		.never_used = z->never_used,
	};
	memcpy(to->name, z->name, strlen(z->name));
	memcpy(to->free_blocks, z->blocks.blocks, sizeof(to->free_blocks));
	return true;
}
