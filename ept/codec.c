/* SPDX-License-Identifier: MIT */
/*
 * LZ4 is the fast one, zstd at its fastest level the small one: about a third
 * smaller, for several times the work. Pages are independent of each other,
 * so that one can be had without its neighbours.
 */
#include <lz4.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "ept/codec.h"

#define ZSTD_LEVEL 1

static void *lz4_create(void)
{
	return malloc((size_t)LZ4_sizeofState());
}

static unsigned lz4_compress(void *ctx, const void *page, void *to,
			     unsigned max)
{
	return (unsigned)LZ4_compress_fast_extState(ctx, page, to, PAGE_SIZE,
						    (int)max, 1);
}

static bool lz4_expand(void *ctx, const void *from, unsigned size, void *page)
{
	(void)ctx;
	return LZ4_decompress_safe(from, page, (int)size, PAGE_SIZE) ==
	       PAGE_SIZE;
}

const struct codec_ops codec_lz4 = {
	.name = "lz4",
	.create = lz4_create,
	.destroy = free,
	.compress = lz4_compress,
	.expand = lz4_expand,
};

struct zstd {
	ZSTD_CCtx *in;
	ZSTD_DCtx *out;
};

static void zstd_destroy(void *ctx)
{
	struct zstd *z = ctx;

	ZSTD_freeCCtx(z->in);
	ZSTD_freeDCtx(z->out);
	free(z);
}

static unsigned zstd_compress(void *ctx, const void *page, void *to,
			      unsigned max)
{
	struct zstd *z = ctx;
	size_t n = ZSTD_compress2(z->in, to, max, page, PAGE_SIZE);

	return ZSTD_isError(n) ? 0 : (unsigned)n;
}

static bool zstd_expand(void *ctx, const void *from, unsigned size, void *page)
{
	struct zstd *z = ctx;

	return ZSTD_decompressDCtx(z->out, page, PAGE_SIZE, from, size) ==
	       PAGE_SIZE;
}

/* zstd allocates its tables in the first run, and keeps them. */
static bool zstd_warm_up(struct zstd *z)
{
	uint8_t page[PAGE_SIZE] = { 0 }, small[256];
	unsigned n;

	ZSTD_CCtx_setParameter(z->in, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	n = zstd_compress(z, page, small, sizeof(small));
	return n && zstd_expand(z, small, n, page);
}

static void *zstd_create(void)
{
	struct zstd *z = malloc(sizeof(*z));

	if (!z)
		return NULL;
	z->in = ZSTD_createCCtx();
	z->out = ZSTD_createDCtx();
	if (z->in && z->out && zstd_warm_up(z))
		return z;
	zstd_destroy(z);
	return NULL;
}

const struct codec_ops codec_zstd = {
	.name = "zstd",
	.create = zstd_create,
	.destroy = zstd_destroy,
	.compress = zstd_compress,
	.expand = zstd_expand,
};

const struct codec_ops *const codecs[] = {
	[CODEC_LZ4] = &codec_lz4,
	[CODEC_ZSTD] = &codec_zstd,
};
