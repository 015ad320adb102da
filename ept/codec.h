/* SPDX-License-Identifier: MIT */
/*
 * Codecs: a page made smaller and back. A context is used by one thread at a
 * time; create allocates all that compress and expand will ever need.
 */
#ifndef EPT_CODEC_H
#define EPT_CODEC_H

#include "ept/tier.h"

struct codec_ops {
	const char *name;
	/* A context, or NULL: no memory. */
	void *(*create)(void);
	void (*destroy)(void *ctx);
	/* Compress PAGE_SIZE bytes of @page, which must not change meanwhile.
	 * The size, or 0: it would not fit into @max bytes. */
	unsigned (*compress)(void *ctx, const void *page, void *to,
			     unsigned max);
	/* Expand all @size bytes to exactly PAGE_SIZE. False: they are not
	 * what compress made; nothing beyond @page was written. */
	bool (*expand)(void *ctx, const void *from, unsigned size, void *page);
};

extern const struct codec_ops codec_lz4;
extern const struct codec_ops codec_zstd;

/* Indexed by enum codec. */
extern const struct codec_ops *const codecs[];

#endif
