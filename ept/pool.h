/* SPDX-License-Identifier: MIT */
/*
 * A pool of small blobs, 1 to 4096 bytes each: where compressed pages lie.
 *
 *     region   | slab 0 | slab 1 | slab 2 | ...      64 KiB each, reserved
 *     slab     |blob|blob|blob|blob|  slack  |       all of one size class
 *
 * Size classes are 16 bytes apart up to 512 and then 16 to a power of two, a
 * little larger where that fills the slab, so that a blob over 256 bytes wastes
 * at most 1/16 of itself. What the pool takes is counted in pages that were
 * touched, and limited in whole slabs, whose rest is not there yet. A slab
 * without blobs is the host's, who takes it, without writing it anywhere, when
 * it needs memory (MADV_FREE): until then it looks resident, and is used again
 * first, which costs no faults.
 *
 * alloc and free may be called from any thread. A blob's bytes are its
 * owner's, who needs no lock for them.
 */
#ifndef EPT_POOL_H
#define EPT_POOL_H

#include <stdint.h>

#define POOL_BLOB_MAX 4096
#define POOL_SLAB     (UINT64_C(64) << 10)

struct pool;

struct pool_stats {
	uint64_t blobs; /* held now */
	uint64_t bytes; /* what they take of the host, in pages */
	uint64_t slab_bytes; /* the slabs that those pages are of */
	uint64_t used_bytes; /* in those slabs, blobs with their slack */
	uint64_t limit_bytes; /* what `slab_bytes` never passes */
};

/*
 * A pool of at most @limit bytes (rounded down to slabs; 0: as much as the
 * host has memory). 0; -EINVAL when @limit is less than a slab; -ENOMEM.
 */
int pool_create(struct pool **out, uint64_t limit);
void pool_destroy(struct pool *p);

/* Room for a blob of @size, which is 1 to POOL_BLOB_MAX. *blob names it until
 * pool_free. 0, or -ENOSPC: the pool is full. */
int pool_alloc(struct pool *p, unsigned size, uint64_t *blob);
void pool_free(struct pool *p, uint64_t blob);

/* The bytes of @blob, and how many they are. */
void *pool_at(const struct pool *p, uint64_t blob);
unsigned pool_size(uint64_t blob);

void pool_stats(struct pool *p, struct pool_stats *st);

#endif
