/* SPDX-License-Identifier: MIT */
/*
 * Swap tiers: where the bytes of a page that left lie. A tier stores whole
 * pages and gives them back by a handle; it neither knows gfns nor vouches
 * for what it returns: checksums are swap.c's (ept/swap.h).
 *
 * Calls come from reclaim (store, release), the demoter (all) and fault threads
 * (load, release) at the same time: a tier locks for itself. None of these
 * locks is held during I/O or compression. Loads and stores come in batches
 * so that a tier can queue them together.
 */
#ifndef EPT_TIER_H
#define EPT_TIER_H

#include <stddef.h>
#include <stdint.h>

#include "ept/addr.h"

#define TIER_BATCH 64 /* the most pages of one store or load */

/* One page of a batch. */
struct tier_io {
	void *page; /* PAGE_SIZE bytes; store reads them, load fills them */
	uint64_t where; /* the tier's handle: store sets it, load uses it */
	int error; /* result: 0 or -errno, each page for itself */
};

struct tier_stats {
	uint64_t pages; /* held now */
	uint64_t raw_bytes; /* their size as pages */
	uint64_t stored_bytes; /* what they take here, slack included */
	uint64_t room_bytes; /* for more of them, about */
	uint64_t limit_bytes; /* the most there can be, held or not */
	uint64_t quarantined; /* places that failed and are not used again */
};

struct tier {
	const struct tier_ops *ops;
	const char *codec; /* by which pages become smaller here; or NULL */
	const char *name; /* where it stands for another: that one's; or NULL */
};

struct tier_ops {
	const char *name; /* as in --swap, --stats and error messages */
	/*
	 * Store @n <= TIER_BATCH pages. An io's error is -ENOSPC when the tier
	 * is full, -E2BIG when the page does not pay here (incompressible)
	 * and @raw_ok is false, another -errno when the medium failed; such a
	 * page holds nothing in the tier, and a place whose write failed is
	 * never used again (quarantine): but for want of room.
	 */
	void (*store)(struct tier *t, struct tier_io *io, unsigned n,
		      bool raw_ok);
	/*
	 * Load @n <= TIER_BATCH pages; the stored copies stay. -EIO and other
	 * medium errors, -EBADMSG for a copy that cannot be expanded to
	 * exactly one page.
	 */
	void (*load)(struct tier *t, struct tier_io *io, unsigned n);
	/* Forget the copy at @where. Cannot fail. */
	void (*release)(struct tier *t, uint64_t where);
	/* What the copy at @where takes, without slack. */
	unsigned (*bytes)(struct tier *t, uint64_t where);
	void (*stats)(struct tier *t, struct tier_stats *st);
	void (*destroy)(struct tier *t);
};

static inline const char *tier_label(const struct tier *t)
{
	return t->name ? t->name : t->ops->name;
}

enum codec { CODEC_LZ4, CODEC_ZSTD };

/*
 * A tier of compressed RAM holding at most @limit bytes (0: no limit) of
 * compressed pages, counted in slabs (ept/pool.h). Returns 0 or -errno:
 * -EINVAL when @limit is less than a slab.
 */
int tier_ram_create(struct tier **out, uint64_t limit, enum codec codec);

/*
 * A tier in an unnamed file of @size bytes, preallocated, in directory @path
 * (O_TMPFILE), or on the block device @path (@size 0: all of it). Direct I/O
 * where the file system has it. Returns 0 or -errno: -ENOSPC no room,
 * -EACCES not writable, -ENOTSUP no O_TMPFILE there, ...
 */
int tier_file_create(struct tier **out, const char *path, uint64_t size);

struct nbd_link; /* ept/nbd_wire.h */

/* A tier of @size bytes in the export behind @link, which is the tier's from
 * now on. 0 or -errno: then it is still the caller's. */
int tier_nbd_create(struct tier **out, const struct nbd_link *link,
		    uint64_t size);

#endif
