/* SPDX-License-Identifier: MIT */
/*
 * A blob's name says where it lies and how long it is, so that a blob has no
 * header:
 *
 *     63                                13 12            0
 *    +------------------------------------+---------------+
 *    |  offset in the region / 16 bytes   |  size in bytes |
 *    +------------------------------------+---------------+
 *
 * Slabs stand on rings: one a class for those with room, one for those that
 * went back to the host. A full slab is on none. Free blobs of a slab form a
 * list through their first two bytes.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ept/pool.h"
#include "ept/ring.h"

#define GRAIN	   16 /* every class is a multiple, every offset too */
#define SIZE_BITS  13

#define SMALL_LOG  8 /* up to 256 bytes, classes are GRAIN apart */
#define SMALL_BINS ((1 << SMALL_LOG) / GRAIN)
#define SUB_BINS   16 /* of each power of two above */
#define BINS	   (SMALL_BINS + (12 - SMALL_LOG) * SUB_BINS)

/* Numbers: a ring head a class, one for returned slabs, then the slabs. */
#define RETURNED   BINS
#define FIRST_SLAB (BINS + 1)

struct slab {
	uint16_t bin; /* its size class */
	uint16_t used; /* blobs in use */
	uint16_t carved; /* blobs that were ever in use */
	uint16_t free; /* 1 + the first free blob, 0: none */
};

struct pool {
	pthread_mutex_t lock;
	uint8_t *region;
	struct slab *slab;
	struct rings rings;
	uint32_t slabs, fresh; /* that may be; the first never used */
	uint16_t bytes[BINS]; /* of a blob of each size class */
	struct pool_stats stats;
};

static unsigned nominal_bin(unsigned size)
{
	unsigned last = size - 1, log;

	if (size <= 1 << SMALL_LOG)
		return last / GRAIN;
	log = 31 - (unsigned)__builtin_clz(last);
	return SMALL_BINS + (log - SMALL_LOG) * SUB_BINS +
	       (last >> (log - 4)) % SUB_BINS;
}

static unsigned nominal_bytes(unsigned bin)
{
	unsigned above = bin - SMALL_BINS;

	if (bin < SMALL_BINS)
		return (bin + 1) * GRAIN;
	return (SUB_BINS + above % SUB_BINS + 1)
	       << (SMALL_LOG + above / SUB_BINS - 4);
}

/* What a slab would have left behind its last blob is shared out among its
 * blobs, which may then serve for the next larger class too. */
static void size_bins(struct pool *p)
{
	for (unsigned bin = 0; bin < BINS; bin++) {
		unsigned blobs = (unsigned)POOL_SLAB / nominal_bytes(bin);

		p->bytes[bin] = (uint16_t)(POOL_SLAB / blobs / GRAIN * GRAIN);
	}
}

static unsigned bin_of(const struct pool *p, unsigned size)
{
	unsigned bin = nominal_bin(size);

	while (bin > 0 && p->bytes[bin - 1] >= size)
		bin--;
	return bin;
}

static unsigned bin_bytes(const struct pool *p, unsigned bin)
{
	return p->bytes[bin];
}

static unsigned capacity(const struct pool *p, const struct slab *s)
{
	return (unsigned)POOL_SLAB / bin_bytes(p, s->bin);
}

static uint64_t offset_of(uint64_t blob)
{
	return (blob >> SIZE_BITS) * GRAIN;
}

static void *blob_at(const struct pool *p, uint32_t slab, unsigned i)
{
	return p->region + slab * POOL_SLAB +
	       i * bin_bytes(p, p->slab[slab].bin);
}

void *pool_at(const struct pool *p, uint64_t blob)
{
	return p->region + offset_of(blob);
}

unsigned pool_size(uint64_t blob)
{
	return blob & ((1u << SIZE_BITS) - 1);
}

/* An empty slab becomes one of size class @bin, the only one with room. */
static void slab_open(struct pool *p, uint32_t slab, unsigned bin)
{
	p->slab[slab] = (struct slab){ .bin = (uint16_t)bin };
	p->stats.slab_bytes += POOL_SLAB;
	ring_add_first(&p->rings, bin, FIRST_SLAB + slab);
}

/* A slab with room for @bin: one of its own, a returned one, a fresh one. A
 * full pool still has room in slabs of larger classes. */
static bool slab_find(struct pool *p, unsigned bin, uint32_t *slab)
{
	if (ring_empty(&p->rings, bin)) {
		if (!ring_empty(&p->rings, RETURNED)) {
			uint32_t m = ring_first(&p->rings, RETURNED);

			ring_remove(&p->rings, m);
			slab_open(p, m - FIRST_SLAB, bin);
		} else if (p->fresh < p->slabs) {
			slab_open(p, p->fresh++, bin);
		}
	}
	while (bin < BINS && ring_empty(&p->rings, bin))
		bin++;
	if (bin == BINS)
		return false;
	*slab = ring_first(&p->rings, bin) - FIRST_SLAB;
	return true;
}

/* What @s has of the host: pages up to the last blob ever in use. */
static uint64_t touched(const struct pool *p, const struct slab *s)
{
	const uint64_t page = POOL_BLOB_MAX;

	return (s->carved * bin_bytes(p, s->bin) + page - 1) / page * page;
}

/* A blob that nobody had. */
static void *blob_carve(struct pool *p, uint32_t slab)
{
	struct slab *s = &p->slab[slab];
	uint64_t before = touched(p, s);
	void *at = blob_at(p, slab, s->carved++);

	p->stats.bytes += touched(p, s) - before;
	return at;
}

/* Take a free blob of @slab, which has one. */
static void *blob_take(struct pool *p, uint32_t slab)
{
	struct slab *s = &p->slab[slab];
	void *at;

	if (s->free) {
		at = blob_at(p, slab, s->free - 1);
		s->free = *(uint16_t *)at;
	} else {
		at = blob_carve(p, slab);
	}
	if (++s->used == capacity(p, s))
		ring_remove(&p->rings, FIRST_SLAB + slab);
	p->stats.blobs++;
	p->stats.used_bytes += bin_bytes(p, s->bin);
	return at;
}

int pool_alloc(struct pool *p, unsigned size, uint64_t *blob)
{
	uint8_t *at = NULL;
	uint32_t slab;

	assert(size > 0 && size <= POOL_BLOB_MAX);
	pthread_mutex_lock(&p->lock);
	if (slab_find(p, bin_of(p, size), &slab))
		at = blob_take(p, slab);
	pthread_mutex_unlock(&p->lock);
	if (!at)
		return -ENOSPC;
	*blob = (uint64_t)(at - p->region) / GRAIN << SIZE_BITS | size;
	return 0;
}

/* Put a blob back. True: its slab is empty now, and on no ring. */
static bool blob_put(struct pool *p, uint32_t slab, void *at)
{
	struct slab *s = &p->slab[slab];
	uint64_t within = (uint8_t *)at - p->region - slab * POOL_SLAB;
	uint32_t m = FIRST_SLAB + slab;

	assert(s->used > 0 && within % bin_bytes(p, s->bin) == 0);
	*(uint16_t *)at = s->free;
	s->free = (uint16_t)(within / bin_bytes(p, s->bin) + 1);
	p->stats.blobs--;
	p->stats.used_bytes -= bin_bytes(p, s->bin);
	/* At the front, so that nearly full slabs fill up and others empty. */
	if (s->used-- == capacity(p, s))
		ring_add_first(&p->rings, s->bin, m);
	if (s->used)
		return false;
	ring_remove(&p->rings, m);
	return true;
}

void pool_free(struct pool *p, uint64_t blob)
{
	uint32_t slab = (uint32_t)(offset_of(blob) / POOL_SLAB);
	bool empty;

	pthread_mutex_lock(&p->lock);
	empty = blob_put(p, slab, pool_at(p, blob));
	pthread_mutex_unlock(&p->lock);
	if (!empty)
		return;
	/* Nobody else knows the slab: no lock for the system call. */
	madvise(p->region + slab * POOL_SLAB, POOL_SLAB, MADV_FREE);
	pthread_mutex_lock(&p->lock);
	p->stats.bytes -= touched(p, &p->slab[slab]);
	p->stats.slab_bytes -= POOL_SLAB;
	ring_add_first(&p->rings, RETURNED, FIRST_SLAB + slab);
	pthread_mutex_unlock(&p->lock);
}

void pool_stats(struct pool *p, struct pool_stats *st)
{
	pthread_mutex_lock(&p->lock);
	*st = p->stats;
	pthread_mutex_unlock(&p->lock);
}

static uint64_t host_bytes(void)
{
	return (uint64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

/* Address space only: pages come as blobs touch them. They hold guest memory,
 * so they stay out of core dumps; huge ones would take more than we count. */
static int reserve(struct pool *p)
{
	size_t bytes = p->slabs * POOL_SLAB;

	p->region = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p->region == MAP_FAILED)
		return -errno;
	madvise(p->region, bytes, MADV_DONTDUMP);
	madvise(p->region, bytes, MADV_NOHUGEPAGE);
	return 0;
}

int pool_create(struct pool **out, uint64_t limit)
{
	uint64_t slabs = (limit ? limit : host_bytes()) / POOL_SLAB;
	struct pool *p;
	int r = -ENOMEM;

	if (slabs == 0)
		return -EINVAL;
	if (slabs > UINT32_MAX - FIRST_SLAB)
		slabs = UINT32_MAX - FIRST_SLAB;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	size_bins(p);
	p->slabs = (uint32_t)slabs;
	p->stats.limit_bytes = slabs * POOL_SLAB;
	p->slab = calloc(slabs, sizeof(*p->slab));
	if (p->slab && rings_init(&p->rings, FIRST_SLAB + slabs, FIRST_SLAB))
		r = reserve(p);
	if (r)
		goto undo_alloc;
	pthread_mutex_init(&p->lock, NULL);
	*out = p;
	return 0;

undo_alloc:
	rings_free(&p->rings);
	free(p->slab);
	free(p);
	return r;
}

void pool_destroy(struct pool *p)
{
	munmap(p->region, p->slabs * POOL_SLAB);
	pthread_mutex_destroy(&p->lock);
	rings_free(&p->rings);
	free(p->slab);
	free(p);
}
