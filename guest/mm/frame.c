/* SPDX-License-Identifier: MIT */
/* Single frames from the stock, blocks from the zones; limit and promises. */
#include "guest/mm/frame.h"

#include "guest/lib/base.h"
#include "guest/mm/reclaim.h"
#include "guest/mm/swap.h"
#include "guest/mm/zone.h"

/* The stock is filled with at most 2^this frames at a time. */
#define STOCK_ORDER 5u

/* The last frames are for those who make others free. */
#define RESERVE 16u

/* How often frames in a row are tried for: room that is made may lie apart. */
#define TRIES 9u

/* Kept free beside what is promised, for the kernel's own needs. */
#define SLACK 64u

static uint32_t stock; /* a list of frame numbers */
static uint64_t limit = UINT64_MAX;
static uint64_t promised;
enum zone_id frame_zone = ZONE_DMA;

/* FRAME_TOUCHED where even what was never written may hold anything. */
static uint16_t dirty_ram;

void frame_init(void)
{
	dirty_ram = this_machine.zeroed ? 0 : FRAME_TOUCHED;
	zone_init();
}

/* Nobody may have written to the frame since it was given back. */
static __attribute__((noinline)) void check_poison(struct frame *f)
{
	if (!all_words(frame_bytes(f), POISON, PAGE_SIZE / 8))
		panic("frame %#lx was written after it was freed",
		      frame_pa(f).v);
}

/* Who makes room for others may take what they may not. */
static bool may_take(uint64_t n)
{
	bool helper = reclaim_running();
	uint64_t spare = reclaim_low && !helper ? RESERVE : 0;

	return (helper || zone_taken + n <= limit) &&
	       zone_taken + n + spare <= zone_frames();
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
	f = may_take(1u << order) ? zone_take(frame_zone, 0, &order) : NULL;
	if (!f)
		return false;
	for (unsigned i = 1u << order; i--;) {
		f[i].flags = f->flags;
		stock_add(f + i);
	}
	return true;
}

static inline void hand_out(struct frame *f, unsigned order, enum frame_use use)
{
	f->count = 1;
	f->maps = 0;
	f->use = (uint8_t)use;
	f->order = (uint8_t)order;
	f->flags = FRAME_TOUCHED;
	counts.frames[use] += 1u << order;
}

static __attribute__((noinline)) bool make_room(void)
{
	return refill() || reclaim(1, true);
}

/* The first of the stock, which has one. */
static inline struct frame *take(enum frame_use use, bool zeros)
{
	struct frame *f = frames + stock;
	unsigned flags = f->flags | dirty_ram;

	stock = f->next;
	hand_out(f, 0, use);
	if (flags & FRAME_POISONED)
		check_poison(f);
	if (zeros && flags & FRAME_TOUCHED)
		fill_words(frame_bytes(f), 0, PAGE_SIZE / 8);
	return f;
}

/* In a demand fault: short, and without a call unless something is rare. */
struct frame *frame_alloc(enum frame_use use)
{
	if (!stock)
		return make_room() ? frame_alloc(use) : NULL;
	return take(use, true);
}

struct frame *frame_alloc_raw(enum frame_use use)
{
	if (!stock)
		return make_room() ? frame_alloc_raw(use) : NULL;
	return take(use, false);
}

static struct frame *take_block(unsigned order, enum zone_id zone,
				enum frame_use use)
{
	struct frame *f =
		may_take(1u << order) ? zone_take(zone, order, &order) : NULL;

	if (f)
		hand_out(f, order, use);
	return f;
}

struct frame *frames_alloc(unsigned order, enum zone_id zone,
			   enum frame_use use)
{
	struct frame *f = NULL;

	if (order >= ZONE_ORDERS)
		return NULL;
	if (broken("frames"))
		zone = ZONE_NORMAL;
	for (unsigned i = 0; !f && i < TRIES; i++) {
		if (i > 1 && !reclaim(1u << order, false))
			return NULL;
		if (i)
			frame_drain();
		f = take_block(order, zone, use);
	}
	return f;
}

struct frame *frames_alloc_free(unsigned order, enum frame_use use)
{
	frame_drain();
	return take_block(order, ZONE_NORMAL, use);
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
	fill_words(frame_bytes(f), POISON, PAGE_SIZE / 8);
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
	counts.frames[f->use] -= 1u << order;
	f->use = FRAME_FREE;
	f->owner = NULL;
	f->slot = 0;
	if (!order && zone_of(f) != ZONE_DMA)
		stock_add(f);
	else
		zone_give(f, order);
}

void frame_drain(void)
{
	while (stock) {
		struct frame *f = frames + stock;

		stock = f->next;
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

uint64_t frames_used(void)
{
	uint64_t used = 0;

	for (unsigned i = 0; i < FRAME_USES; i++)
		used += counts.frames[i];
	return used;
}

uint64_t frame_room(void)
{
	uint64_t total = zone_frames(), used = frames_used();
	uint64_t most = limit < total ? limit : total;

	return used < most ? most - used : 0;
}

bool frame_left(void)
{
	return stock || may_take(1);
}

/*
 * A page of tables maps 512 pages when they lie together. Programs that
 * scatter single pages need more; a 256th and the slack covers them.
 */
bool frame_promise(uint64_t pages)
{
	uint64_t all = promised + pages,
		 total = zone_frames() + counts.slots_total;

	if (pages > total || all + all / 256 + SLACK > total)
		return false;
	promised = all;
	return true;
}

void frame_unpromise(uint64_t pages)
{
	promised -= pages;
}
