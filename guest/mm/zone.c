/* SPDX-License-Identifier: MIT */
/* Which RAM may be handed out, and how it is brought into being. */
#include "guest/mm/zone.h"

#include <assert.h>

#include "guest/lib/base.h"

#define LOW_MIB 0x100000ul

static_assert(sizeof(struct frame) == 40, "a hundredth of RAM describes it");

struct zone zones[ZONES] = {
	[ZONE_DMA] = { .name = "DMA",
		       .start = LOW_MIB,
		       .next = LOW_MIB,
		       .end = DMA_END },
	[ZONE_NORMAL] = { .name = "Normal",
			  .start = DMA_END,
			  .next = DMA_END,
			  .end = RAM_MOST },
};

struct frame *frames;
uint64_t zone_taken;

static struct machine *const machine = &this_machine;

static void reserve(uint64_t start, uint64_t end)
{
	machine->reserved[machine->reserveds++] =
		(struct range){ { start }, { end } };
}

static bool lies_in(const struct range *r, unsigned n, pa_t pa)
{
	while (n--)
		if (range_has(r[n], pa))
			return true;
	return false;
}

/* The lowest end of a range above @at, or @border if that is lower. */
static uint64_t border_above(uint64_t at, const struct range *r, unsigned n,
			     uint64_t border)
{
	for (; n--; r++) {
		if (r->start.v > at && r->start.v < border)
			border = r->start.v;
		if (r->end.v > at && r->end.v < border)
			border = r->end.v;
	}
	return border;
}

bool zone_has(pa_t pa)
{
	return lies_in(machine->ram, machine->rams, pa);
}

/*
 * RAM of one zone that may be handed out, from @at or the next such place on,
 * as far as it goes. At RAM_MOST: there is none.
 */
static struct range usable(uint64_t at)
{
	struct range r = { { at }, { at } };

	do {
		r.start = r.end;
		r.end.v = at < DMA_END ? DMA_END : RAM_MOST;
		at = r.end.v = border_above(
			r.start.v, machine->reserved, machine->reserveds,
			border_above(r.start.v, machine->ram, machine->rams,
				     r.end.v));
	} while (r.start.v < RAM_MOST &&
		 (!zone_has(r.start) ||
		  lies_in(machine->reserved, machine->reserveds, r.start)));
	return r;
}

/* Room for the descriptors, where the boot tables show its start. */
static bool find_room(uint64_t from, uint64_t bytes, uint64_t *at)
{
	struct range r = usable(from);

	while (r.start.v < BOOT_WINDOW && r.end.v - r.start.v < bytes)
		r = usable(r.end.v);
	*at = r.start.v;
	return *at < BOOT_WINDOW;
}

/*
 * A descriptor for every frame below @highest, whole blocks of them, because
 * the buddy of any block is looked at.
 */
static void place_descriptors(uint64_t highest)
{
	uint64_t block = PAGE_SIZE << (ZONE_ORDERS - 1);
	uint64_t count = (highest + block - 1) / block << (ZONE_ORDERS - 1);
	uint64_t bytes = page_up(count * sizeof(struct frame)), at;

	if (!find_room(DMA_END, bytes, &at) && !find_room(0, bytes, &at))
		panic("no room for %lu KiB of frame descriptors", bytes >> 10);
	reserve(at, at + bytes);
	frames = direct((pa_t){ at });
	if (!machine->zeroed)
		memset(frames, 0, bytes);
}

static struct zone *zone_at(uint64_t at)
{
	return &zones[at < DMA_END ? ZONE_DMA : ZONE_NORMAL];
}

void zone_init(void)
{
	uint64_t highest = 0;

	reserve(0, LOW_MIB);
	for (struct range r = usable(0); r.start.v < RAM_MOST;
	     r = usable(r.end.v))
		highest = r.end.v;
	place_descriptors(highest);
	for (struct range r = usable(0); r.start.v < RAM_MOST;
	     r = usable(r.end.v)) {
		struct zone *z = zone_at(r.start.v);

		z->managed += (r.end.v - r.start.v) >> PAGE_SHIFT;
		z->never_used = z->managed;
	}
}

/* The largest aligned block at the start of what was never used. */
static bool grow(struct zone *z)
{
	struct range r = usable(z->next);
	uint32_t n = (uint32_t)(r.start.v >> PAGE_SHIFT);
	uint64_t left = (r.end.v - r.start.v) >> PAGE_SHIFT;
	unsigned order = ZONE_ORDERS - 1;

	if (!z->never_used)
		return false;
	while (n & ((1u << order) - 1) || left < 1u << order)
		order--;
	buddy_add(z->free, n, order);
	z->next = r.start.v + (PAGE_SIZE << order);
	z->never_used -= 1u << order;
	return true;
}

static uint32_t take(struct zone *z, unsigned least, unsigned *order)
{
	do {
		for (unsigned i = least; i < ZONE_ORDERS; i++) {
			if (!z->free[i].count)
				continue;
			*order = i < *order ? i : *order;
			return buddy_take(z->free, *order);
		}
	} while (grow(z));
	return 0;
}

struct frame *zone_take(enum zone_id highest, unsigned least, unsigned *order)
{
	uint32_t n = 0;

	for (int i = highest; i >= 0 && !n; i--)
		n = take(&zones[i], least, order);
	if (!n)
		return NULL;
	zone_taken += 1u << *order;
	return frames + n;
}

void zone_give(struct frame *f, unsigned order)
{
	zone_taken -= 1u << order;
	buddy_add(zones[zone_of(f)].free, (uint32_t)(f - frames), order);
}

uint32_t zone_span(uint32_t *n)
{
	struct range r = usable((uint64_t)*n << PAGE_SHIFT);

	while (r.start.v < RAM_MOST && r.start.v >= zone_at(r.start.v)->next)
		r = usable(zone_at(r.start.v)->end);
	if (r.start.v == RAM_MOST)
		return 0;
	if (r.end.v > zone_at(r.start.v)->next)
		r.end.v = zone_at(r.start.v)->next;
	*n = (uint32_t)(r.start.v >> PAGE_SHIFT);
	return (uint32_t)(r.end.v >> PAGE_SHIFT);
}

uint64_t zone_frames(void)
{
	return zones[ZONE_DMA].managed + zones[ZONE_NORMAL].managed;
}
