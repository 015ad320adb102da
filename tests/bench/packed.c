/* SPDX-License-Identifier: MIT */
/*
 * packed CORPUS PAIRS: all pages of a file into the compressed tier, out of it
 * and released, beside LZ4 alone doing the same to a plain buffer. A line a
 * round: nanoseconds a page of LZ4, of the tier, and of swap (tier, checksum
 * and record). The last line: the pool's bytes, and LZ4's.
 */
#include <err.h>
#include <lz4.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "ept/swap.h"

struct corpus {
	uint8_t *pages, *packed, out[TIER_BATCH][PAGE_SIZE];
	uint64_t n;
	uint32_t *size;
	uint64_t *where;
	slot_t *slot;
	struct tier *tier;
	struct swap *swap;
	void *lz4;
	uint64_t packed_bytes, pool_bytes;
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint8_t *page(struct corpus *c, uint64_t i)
{
	return c->pages + i * PAGE_SIZE;
}

static void check(struct corpus *c, uint64_t first, unsigned n)
{
	if (memcmp(page(c, first), c->out, n * PAGE_SIZE))
		errx(1, "a page of %lu..%lu came back wrong", first, first + n);
}

/* A page that does not shrink to three quarters is kept as it is, by all. */
static void bare(struct corpus *c)
{
	char *at = (char *)c->packed;

	for (uint64_t i = 0; i < c->n; i++) {
		int size = LZ4_compress_fast_extState(
			c->lz4, (char *)page(c, i), at, PAGE_SIZE, 3072, 1);

		c->size[i] = size ? (uint32_t)size : PAGE_SIZE;
		if (!size)
			memcpy(at, page(c, i), PAGE_SIZE);
		at += c->size[i];
	}
	c->packed_bytes = (uint64_t)(at - (char *)c->packed);
	at = (char *)c->packed;
	for (uint64_t i = 0; i < c->n; at += c->size[i++])
		if (c->size[i] == PAGE_SIZE)
			memcpy(c->out[0], at, PAGE_SIZE);
		else if (LZ4_decompress_safe(at, (char *)c->out[0],
					     (int)c->size[i],
					     PAGE_SIZE) != PAGE_SIZE)
			errx(1, "LZ4 failed");
}

static void through_tier(struct corpus *c)
{
	const struct tier_ops *ops = c->tier->ops;
	struct tier_io io[TIER_BATCH];
	struct tier_stats st;

	for (uint64_t i = 0; i < c->n; i += TIER_BATCH) {
		for (unsigned k = 0; k < TIER_BATCH; k++)
			io[k] = (struct tier_io){ .page = page(c, i + k) };
		ops->store(c->tier, io, TIER_BATCH, true);
		for (unsigned k = 0; k < TIER_BATCH; k++)
			c->where[i + k] = io[k].where;
	}
	ops->stats(c->tier, &st);
	c->pool_bytes = st.stored_bytes;
	for (uint64_t i = 0; i < c->n; i += TIER_BATCH) {
		for (unsigned k = 0; k < TIER_BATCH; k++)
			io[k] = (struct tier_io){ .page = c->out[k],
						  .where = c->where[i + k] };
		ops->load(c->tier, io, TIER_BATCH);
	}
	check(c, c->n - TIER_BATCH, TIER_BATCH);
	for (uint64_t i = 0; i < c->n; i++)
		ops->release(c->tier, c->where[i]);
}

static void through_swap(struct corpus *c)
{
	struct swap_io io[TIER_BATCH];

	for (uint64_t i = 0; i < c->n; i += TIER_BATCH) {
		for (unsigned k = 0; k < TIER_BATCH; k++)
			io[k] = (struct swap_io){ .page = page(c, i + k),
						  .gfn = { i + k } };
		swap_store(c->swap, io, TIER_BATCH);
		for (unsigned k = 0; k < TIER_BATCH; k++)
			c->slot[i + k] = io[k].slot;
	}
	for (uint64_t i = 0; i < c->n; i += TIER_BATCH) {
		for (unsigned k = 0; k < TIER_BATCH; k++)
			io[k] = (struct swap_io){ .page = c->out[k],
						  .gfn = { i + k },
						  .slot = c->slot[i + k] };
		swap_load(c->swap, io, TIER_BATCH);
	}
	check(c, c->n - TIER_BATCH, TIER_BATCH);
	for (uint64_t i = 0; i < c->n; i++)
		swap_release(c->swap, c->slot[i]);
}

static double timed(struct corpus *c, void (*run)(struct corpus *c))
{
	double start = now_ns();

	run(c);
	return (now_ns() - start) / (double)c->n;
}

static void read_corpus(struct corpus *c, const char *path)
{
	FILE *f = fopen(path, "r");

	if (!f || fseek(f, 0, SEEK_END))
		err(1, "%s", path);
	c->n = (uint64_t)ftell(f) / PAGE_SIZE / TIER_BATCH * TIER_BATCH;
	rewind(f);
	c->pages = calloc(c->n, PAGE_SIZE);
	c->packed = calloc(c->n, PAGE_SIZE);
	c->size = calloc(c->n, sizeof(c->size[0]));
	c->where = calloc(c->n, sizeof(c->where[0]));
	c->slot = calloc(c->n, sizeof(c->slot[0]));
	c->lz4 = malloc((size_t)LZ4_sizeofState());
	if (!c->n || !c->pages || !c->packed || !c->size || !c->where ||
	    !c->slot || !c->lz4 || fread(c->pages, PAGE_SIZE, c->n, f) != c->n)
		errx(1, "%s: cannot be read", path);
	fclose(f);
}

int main(int argc, char **argv)
{
	static struct corpus c;
	struct swap_config swap = { .tiers = 1 };

	if (argc != 3)
		errx(2, "CORPUS PAIRS");
	read_corpus(&c, argv[1]);
	swap.pages = c.n;
	if (tier_ram_create(&c.tier, 0, CODEC_LZ4) ||
	    tier_ram_create(&swap.tier[0], 0, CODEC_LZ4) ||
	    swap_create(&c.swap, &swap))
		errx(1, "no tier");
	bare(&c); /* warm */
	through_tier(&c);
	through_swap(&c);
	for (int i = 0; i < atoi(argv[2]); i++) {
		double lz4 = timed(&c, bare), tier = timed(&c, through_tier);
		double all = timed(&c, through_swap);

		printf("%.0f %.0f %.0f\n", (lz4 + timed(&c, bare)) / 2, tier,
		       all);
	}
	printf("%lu %lu %lu\n", c.n, c.pool_bytes, c.packed_bytes);
	return 0;
}
