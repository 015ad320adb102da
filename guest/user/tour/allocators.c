/* SPDX-License-Identifier: MIT */
/*
 * buddy, kmalloc, vmalloc: the kernel's own allocators, used on our behalf
 * (SYS_OBJECT) and watched (kernel.h).
 */
#include "guest/lib/errno.h"
#include "guest/user/lib/random.h"
#include "guest/user/tour/demo.h"

demo_fn demo_buddy, demo_kmalloc, demo_vmalloc;

#define ZONES_MOST 4u

struct zones {
	struct zone zone[ZONES_MOST];
	unsigned count;
};

static struct zones zones(void)
{
	struct zones z = { 0 };

	while (z.count < ZONES_MOST &&
	       kernel_zone(z.count, &z.zone[z.count]) == 1)
		z.count++;
	return z;
}

static struct sys_object take(struct demo *d, enum object_kind kind,
			      uint64_t bytes)
{
	struct sys_object o = { .command = OBJECT_ALLOC,
				.kind = kind,
				.bytes = bytes };

	demo_is(d, sys_object(&o), 0);
	return o;
}

static void give(struct demo *d, struct sys_object *o)
{
	o->command = OBJECT_FREE;
	demo_is(d, sys_object(o), 0);
}

static uint64_t pa_of(const struct sys_object *o)
{
	return demo_walk((void *)o->address).pa;
}

/* Zones are where they say, and their lists account for all that is free. */
static void check_zones(struct demo *d, const struct zones *zones)
{
	struct sys_counts c = demo_counts();
	uint64_t sum = 0;

	for (unsigned i = 0; i < zones->count; i++) {
		const struct zone *z = &zones->zone[i];
		uint64_t free = zone_free(z);

		sum += free;
		demo_true(d, free <= z->managed);
		demo_true(d, z->managed <= (z->end - z->start) / PAGE_SIZE);
		demo_note(d, "%s %#lx..%#lx: %lu of %lu frames free; ", z->name,
			  z->start, z->end, free, z->managed);
	}
	demo_is(d, sum, all_frames() - used_frames(&c));
}

/* Free memory that no block of 512 frames holds, in percent. */
static uint64_t fragmented(const struct zones *z)
{
	uint64_t free = 0, large = 0;

	for (unsigned i = 0; i < z->count; i++) {
		const struct zone *zone = &z->zone[i];

		free += zone_free(zone) - zone->never_used;
		for (unsigned order = 9; order < ZONE_ORDERS; order++)
			large += zone->free[order].count << order;
	}
	return free ? (free - large) * 100 / free : 0;
}

#define STORM_LIVE  24u
#define STORM_STEPS 96u

/*
 * Blocks of random orders come and go in random order. How much of the free
 * memory was in pieces at the height of it, in percent.
 */
static uint64_t storm(struct demo *d)
{
	struct sys_object live[STORM_LIVE] = { 0 };
	bool held[STORM_LIVE] = { 0 };
	struct zones z;

	for (uint64_t step = 0; step < STORM_STEPS; step++) {
		uint64_t random = mix(step + 1);
		unsigned i = (unsigned)(random % STORM_LIVE);
		unsigned order = (unsigned)(random >> 32) % ZONE_ORDERS;

		if (held[i]) {
			give(d, &live[i]);
		} else {
			live[i] = take(d, OBJECT_KMALLOC, PAGE_SIZE << order);
			/* A block lies at a multiple of its size. */
			demo_is(d, pa_of(&live[i]) % (PAGE_SIZE << order), 0);
		}
		held[i] = !held[i];
	}
	z = zones();
	for (unsigned i = 0; i < STORM_LIVE; i++)
		if (held[i])
			give(d, &live[i]);
	return fragmented(&z);
}

void demo_buddy(struct demo *d)
{
	struct zones before, after;
	uint64_t pieces;

	storm(d); /* a rehearsal: the handles have their slabs now */
	before = zones();
	check_zones(d, &before);
	pieces = storm(d);
	after = zones();
	for (unsigned i = 0; i < after.count; i++) {
		const struct zone *a = &after.zone[i];
		const struct zone *b = &before.zone[i];

		demo_is(d, zone_free(a), zone_free(b));
		/* What the storm was the first to use is whole again. */
		for (unsigned order = 0; order < ZONE_ORDERS - 1; order++)
			demo_is(d, a->free[order].count, b->free[order].count);
	}
	demo_note(
		d,
		"after a storm of %u steps %lu%% of it was in pieces; then all "
		"merged back, order by order",
		STORM_STEPS, pieces);
}

/* The cache that serves @bytes: the smallest that they fit into. */
static struct cache slab_for(uint64_t bytes)
{
	struct cache best = { .object_bytes = UINT64_MAX }, slab;

	for (unsigned i = 0; kernel_cache(i, &slab) == 1; i++)
		if (slab.object_bytes >= bytes &&
		    slab.object_bytes < best.object_bytes)
			best = slab;
	return best;
}

/* Do to an object what its user must not: the kernel must notice. */
static void abuse(struct demo *d, uint64_t bytes, enum object_abuse how,
		  const char *what)
{
	struct sys_object o = { .command = OBJECT_ABUSE,
				.bytes = bytes,
				.abuse = how };

	demo_is(d, sys_object(&o), 0);
	demo_is(d, o.caught, 1);
	demo_note(d, ", %s", what);
}

/* What is looked at when frames are freed: they are free already. */
static void free_frames_twice(struct demo *d)
{
	struct sys_object o = take(d, OBJECT_KMALLOC, 2 * PAGE_SIZE);
	uint64_t pa = pa_of(&o);
	struct frame f;

	kernel_frame(pa, &f);
	demo_is(d, f.use, FRAME_KERNEL);
	give(d, &o);
	kernel_frame(pa, &f);
	demo_is(d, f.use, FRAME_FREE);
	demo_note(d, ", a double free of frames");
}

#define OBJECTS	     8u
#define OBJECT_BYTES 200u

void demo_kmalloc(struct demo *d)
{
	struct sys_object o[OBJECTS];
	struct cache before, during;

	if (!demo_can(d, kernel_cache(0, &before), "list of slabs"))
		return;
	before = slab_for(OBJECT_BYTES);
	for (unsigned i = 0; i < OBJECTS; i++) {
		o[i] = take(d, OBJECT_KMALLOC, OBJECT_BYTES);
		demo_is(d, o[i].address % 16, 0);
		for (unsigned j = 0; j < i; j++)
			demo_true(d,
				  o[i].address >= o[j].address + OBJECT_BYTES ||
					  o[j].address >=
						  o[i].address + OBJECT_BYTES);
	}
	during = slab_for(OBJECT_BYTES);
	demo_is(d, during.objects_used - before.objects_used, OBJECTS);
	demo_true(d, during.objects_used <= cache_room(&during));
	demo_true(d, during.frames * PAGE_SIZE >=
			     during.objects_used * during.object_bytes);
	for (unsigned i = 0; i < OBJECTS; i++)
		give(d, &o[i]);
	demo_is(d, slab_for(OBJECT_BYTES).objects_used, before.objects_used);
	demo_note(d,
		  "%u objects of %u bytes from %s: %lu of %lu used in %lu "
		  "frames, the first at %#lx; given back; caught",
		  OBJECTS, OBJECT_BYTES, during.name, during.objects_used,
		  cache_room(&during), during.frames, o[0].address);
	abuse(d, 100, ABUSE_DOUBLE_FREE, "a double free");
	abuse(d, 100, ABUSE_OVERFLOW, "an overflow");
	abuse(d, 100, ABUSE_USE_AFTER_FREE, "a use after free");
	free_frames_twice(d);
}

#define HOLES	    32u
#define AREA_FRAMES 12u

/* The pieces that the pages at @at consist of; each must be there. */
static unsigned pieces_at(struct demo *d, uint64_t at)
{
	unsigned pieces = 0;
	uint64_t last = 0;

	for (unsigned i = 0; i < AREA_FRAMES; i++) {
		struct walk w = demo_walk((void *)(at + i * PAGE_SIZE));

		demo_true(d, w.found);
		pieces += w.pa != last + PAGE_SIZE;
		last = w.pa;
	}
	return pieces;
}

void demo_vmalloc(struct demo *d)
{
	struct sys_object hole[HOLES], area;
	uint64_t guard, first;
	unsigned pieces;

	area = (struct sys_object){ .command = OBJECT_FREE,
				    .address = UINT64_MAX };
	if (sys_object(&area) == -ENOSYS) {
		demo_skip(d, "the kernel has no objects to try");
		return;
	}
	for (unsigned i = 0; i < HOLES; i++) /* every other frame is free */
		hole[i] = take(d, OBJECT_KMALLOC, PAGE_SIZE);
	for (unsigned i = 0; i < HOLES; i += 2)
		give(d, &hole[i]);
	area = take(d, OBJECT_VMALLOC, AREA_FRAMES * PAGE_SIZE - 100);
	pieces = pieces_at(d, area.address);
	first = pa_of(&area);
	demo_true(d, pieces > 1);
	guard = area.address + AREA_FRAMES * PAGE_SIZE;
	demo_is(d, demo_walk((void *)guard).found, 0);
	give(d, &area);
	demo_is(d, demo_walk((void *)area.address).found, 0);
	for (unsigned i = 1; i < HOLES; i += 2)
		give(d, &hole[i]);
	demo_note(d,
		  "%u pages at %#lx in one run, from %u pieces of physical "
		  "memory (the first %#lx); the guard at %#lx is not there",
		  AREA_FRAMES, area.address, pieces, first, guard);
}
