/* SPDX-License-Identifier: MIT */
#include "guest/mm/frame.h"

#include "guest/lib/counts.h"
#include "guest/lib/debug.h"
#include "guest/lib/print.h"
#include "guest/mm/lru.h"
#include "guest/mm/reclaim.h"
#include "guest/mm/swap.h"
#include "guest/mm/zone.h"

/* The stock is filled with at most 2^this frames at a time. */
#define STOCK_ORDER 5u

/* The last frames are for those who make others free. */
#define RESERVE 16u

/* How often room is made for frames in a row, which may lie apart. */
#define TRIES 8u

/* Kept free beside what is promised, for the kernel's own needs. */
#define SLACK 64u

static uint32_t stock; /* a list of frame numbers */
static uint64_t taken; /* from the zones: in use, or in the stock */
static uint64_t in_use[FRAME_USES];
static uint64_t limit = UINT64_MAX;
static uint64_t promised, slots;
static enum zone_id highest = ZONE_DMA;

/* FRAME_TOUCHED where even what was never written may hold anything. */
static uint16_t dirty_ram;

void frame_init(const struct machine *m)
{
	dirty_ram = m->zeroed ? 0 : FRAME_TOUCHED;
	zone_init(m);
}

void frame_use_all(void)
{
	frame_drain();
	highest = ZONE_NORMAL;
}

static inline void clear(struct frame *f)
{
	fill_words(direct(frame_pa(f)), 0, PAGE_SIZE / 8);
}

/* Nobody may have written to the frame since it was given back. */
static __attribute__((noinline)) void check_poison(struct frame *f)
{
	if (!all_words(direct(frame_pa(f)), POISON, PAGE_SIZE / 8))
		panic("frame %#lx was written after it was freed",
		      frame_pa(f).v);
}

/* Who makes room for others may take what they may not. */
static bool may_take(uint64_t n)
{
	bool helper = reclaim_running();
	uint64_t spare = reclaim_low && !helper ? RESERVE : 0;

	return (helper || taken + n <= limit) &&
	       taken + n + spare <= zone_frames();
}

static void stock_add(struct frame *f)
{
	f->next = stock;
	stock = (uint32_t)(f - frames);
}

/* The lowest frame is added last and used first: addresses ascend. */
static __attribute__((noinline)) bool refill(void)
{
	unsigned order = STOCK_ORDER;
	struct frame *f;

	if (frame_room() < reclaim_low)
		reclaim_wake();
	while (order && !may_take(1u << order))
		order--;
	f = may_take(1u << order) ? zone_take_some(&order, highest) : NULL;
	if (!f)
		return false;
	taken += 1u << order;
	for (unsigned i = 1u << order; i--;) {
		f[i].flags = f->flags;
		stock_add(f + i);
	}
	return true;
}

/* The first of the stock; the flags it had there go to *flags. */
static inline struct frame *take(enum frame_use use, unsigned *flags)
{
	struct frame *f = frames + stock;

	stock = f->next;
	*flags = f->flags;
	f->count = 1;
	f->maps = 0;
	f->use = (uint8_t)use;
	f->order = 0;
	f->flags = FRAME_TOUCHED;
	in_use[use]++;
	return f;
}

static __attribute__((noinline)) struct frame *check_and_clear(struct frame *f)
{
	check_poison(f);
	clear(f);
	return f;
}

/* In a demand fault: short, and without a call unless something is rare. */
struct frame *frame_alloc(enum frame_use use)
{
	struct frame *f;
	unsigned flags;

	if (!stock)
		return refill() || reclaim(1, true) ? frame_alloc(use) : NULL;
	f = take(use, &flags);
	if (!((flags | dirty_ram) & FRAME_TOUCHED))
		return f;
	if (flags & FRAME_POISONED)
		return check_and_clear(f);
	clear(f);
	return f;
}

struct frame *frame_alloc_raw(enum frame_use use)
{
	struct frame *f;
	unsigned flags;

	if (!stock)
		return refill() || reclaim(1, true) ? frame_alloc_raw(use)
						    : NULL;
	f = take(use, &flags);
	if (flags & FRAME_POISONED)
		check_poison(f);
	return f;
}

static void hand_out(struct frame *f, unsigned order, enum frame_use use)
{
	taken += 1u << order;
	in_use[use] += 1u << order;
	f->count = 1;
	f->maps = 0;
	f->use = (uint8_t)use;
	f->order = (uint8_t)order;
	f->flags = FRAME_TOUCHED;
}

struct frame *frame_alloc_apart(enum frame_use use)
{
	struct frame *f = taken < limit ? zone_take_apart() : NULL;

	if (!f)
		return NULL;
	if (dirty_ram)
		clear(f);
	hand_out(f, 0, use);
	return f;
}

static struct frame *take_block(unsigned order, enum zone_id zone)
{
	return may_take(1u << order) ? zone_take(order, zone) : NULL;
}

struct frame *frames_alloc(unsigned order, enum zone_id zone,
			   enum frame_use use)
{
	struct frame *f;

	if (order >= ZONE_ORDERS)
		return NULL;
	f = take_block(order, zone);
	for (unsigned i = 0; !f && i < TRIES; i++) {
		if (i && !reclaim(1u << order, false))
			return NULL;
		frame_drain();
		f = take_block(order, zone);
	}
	if (!f)
		return NULL;
	hand_out(f, order, use);
	return f;
}

bool frame_is_free(const struct frame *f)
{
	return f->use == FRAME_FREE || f->flags & FRAME_HEAD;
}

/*
 * Of a large block the first page must do: filling 4 MiB takes a second where
 * ring 0 is emulated. Frames are looked at when they leave the stock again.
 */
static uint16_t poison(struct frame *f)
{
	if (f->use <= FRAME_FREE)
		panic("frame %#lx freed twice", frame_pa(f).v);
	if (f->maps)
		panic("frame %#lx freed while %u entries map it", frame_pa(f).v,
		      f->maps);
	fill_words(direct(frame_pa(f)), POISON, PAGE_SIZE / 8);
	return FRAME_TOUCHED | FRAME_POISONED;
}

/* Frames of the DMA zone are too few to be kept for anybody's use. */
void frame_free(struct frame *f)
{
	unsigned order = f->order;

	if (f->flags & FRAME_LISTED)
		lru_remove(f);
	if (f->slot && f->use == FRAME_ANON)
		swap_part(f);
	f->flags = debug_checks ? poison(f) : FRAME_TOUCHED;
	in_use[f->use] -= 1u << order;
	f->use = FRAME_FREE;
	f->owner = NULL;
	f->slot = 0;
	if (!order && zone_of(f) != ZONE_DMA) {
		stock_add(f);
	} else {
		taken -= 1u << order;
		zone_give(f, order);
	}
}

void frames_free(struct frame *f, unsigned order)
{
	if (f->order != order)
		panic("a block of order %u freed as one of order %u", f->order,
		      order);
	frame_put(f);
}

void frame_drain(void)
{
	while (stock) {
		struct frame *f = frames + stock;

		stock = f->next;
		taken--;
		zone_give(f, 0);
	}
}

uint64_t frame_limit(uint64_t most)
{
	uint64_t before = limit == UINT64_MAX ? 0 : limit;

	limit = most ? most : UINT64_MAX;
	frame_drain();
	return before;
}

/* The first frame of the block, free or in use, that @f is part of. */
static const struct frame *block_of(const struct frame *f)
{
	uint64_t n = (uint64_t)(f - frames);

	for (unsigned order = 0; order < ZONE_ORDERS; order++) {
		const struct frame *first = frames + (n >> order << order);

		if (first->order >= order &&
		    (first->use > FRAME_FREE || first->flags & FRAME_HEAD))
			return first;
	}
	return f; /* in the stock */
}

struct frame_info frame_describe(pa_t pa)
{
	enum frame_use use = zone_use(pa);
	const struct frame *f;

	if (use != FRAME_FREE)
		return (struct frame_info){ .use = use };
	f = block_of(frame_at(pa));
	if (f->use > FRAME_FREE)
		use = f->use;
	else if (!(f->flags & FRAME_TOUCHED))
		use = FRAME_UNUSED;
	return (struct frame_info){
		.use = use,
		.count = f->count,
		.maps = f->maps,
		.flags = f->flags,
		.order = f->order,
		.zone = zone_of(f),
		.owner = (uint64_t)f->owner,
		.index = f->index,
		.slot = f->slot,
	};
}

uint64_t frame_room(void)
{
	uint64_t total = zone_frames();
	uint64_t most = limit < total ? limit : total, used = 0;

	for (unsigned i = 0; i < FRAME_USES; i++)
		used += in_use[i];
	return used < most ? most - used : 0;
}

bool frame_left(void)
{
	return stock || may_take(1);
}

struct frame_counts frame_counts(void)
{
	struct frame_counts c = { .total = zone_frames() };

	for (unsigned i = 0; i < FRAME_USES; i++)
		c.used += c.by_use[i] = in_use[i];
	return c;
}

/*
 * A page of tables maps 512 pages when they lie together. Programs that
 * scatter single pages need more; a 256th and the slack covers them.
 */
bool frame_promise(uint64_t pages)
{
	uint64_t all = promised + pages, total = zone_frames() + slots;

	if (pages > total || all + all / 256 + SLACK > total)
		return false;
	promised = all;
	return true;
}

void frame_promise_slots(uint64_t n)
{
	slots += n;
}

void frame_unpromise(uint64_t pages)
{
	promised -= pages;
}
