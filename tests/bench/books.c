/* SPDX-License-Identifier: MIT */
/*
 * books MIB [RESIDENT_MIB POLICY [EVERY]]: what stage 2 keeps about RAM of that
 * size once every page of it was touched, and, under a cap, was evicted and
 * touched again. Prints bytes of private memory, bytes of the process's page
 * tables (the kernel's, for two mappings), and nanoseconds a touch.
 *
 * Of EVERY pages the first stands for all: one in 512 needs the table that the
 * others are in, and in every array it lies in the same host page as they do.
 *
 * Counted is all that the process has more of the host than before stage 2 was
 * made, when nobody has work any more: table, lists, flight recorder, threads.
 * Not counted: guest RAM itself; and swap, which stands for no RAM but for
 * stored pages: its codecs, its records. (The pages here repeat one word, so
 * that swap has a record for each and no copy.)
 */
#include <err.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ept/evict.h"
#include "ept/haul.h"
#include "ept/record.h"

struct guest {
	struct stage2 *s;
	struct swap *swap;
	uint64_t pages, resident, every;
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* What such a file of /proc says, in bytes. Takes nothing from the heap. */
static long line_bytes(const char *path, const char *key)
{
	static char text[8192];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	const char *line;

	text[n > 0 ? n : 0] = 0;
	line = strstr(text, key);
	if (!line)
		errx(1, "no %s in %s", key, path);
	close(fd);
	return strtol(line + strlen(key), NULL, 10) * 1024;
}

/* Page by page, where RssAnon is only about right. */
static long private_bytes(void)
{
	return line_bytes("/proc/self/smaps_rollup", "Anonymous:");
}

static long table_bytes(void)
{
	return line_bytes("/proc/self/status", "VmPTE:");
}

static void make_swap(struct guest *g)
{
	struct swap_config c = { .tiers = 1, .pages = g->pages };

	if (tier_ram_create(&c.tier[0], 0, CODEC_LZ4) ||
	    swap_create(&g->swap, &c))
		errx(1, "no swap");
}

static void make_stage2(struct guest *g, const struct policy_ops *policy)
{
	struct stage2_config c = {
		.region = { { { 0 }, g->pages } },
		.regions = 1,
		.limit = g->resident,
		.policy = policy,
		.swap = g->swap,
		.paging = true,
		.vcpus = 1,
	};

	if (stage2_create(&g->s, &c))
		errx(1, "no stage 2 of %lu pages", g->pages);
	stage2_enter_vcpu(g->s);
}

static void touch(struct guest *g, unsigned words)
{
	for (uint64_t page = 0; page < g->pages; page += g->every) {
		volatile uint64_t *to = stage2_host(g->s, (gfn_t){ page });

		for (unsigned i = 0; i < words; i++)
			to[i] = page + 1;
	}
}

/* So few of them never make it full. */
static void evict(struct guest *g)
{
	for (uint64_t page = 0; page < g->pages; page += g->every)
		stage2_evict(g->s, (gfn_t){ page });
}

static bool is_at_rest(const struct stage2 *s)
{
	return !frames_wanted(s) && !s->batch->used &&
	       !s->faults.server[0].haul->used && s->sampler.shadow;
}

/* The flight recorder is full, and who has nothing to do has given its buffers
 * back. */
static void come_to_rest(struct stage2 *s)
{
	struct history *h = &s->observer.history;

	pthread_mutex_lock(&s->lock);
	while (history_lost(h) == 0)
		history_note(h, &(struct history_event){ .what = HISTORY_AGE });
	while (!is_at_rest(s)) {
		pthread_mutex_unlock(&s->lock);
		usleep(1000);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
}

/* Nanoseconds a touch. */
static double use(struct guest *g)
{
	bool capped = g->resident < g->pages;
	double start = now_ns();

	touch(g, capped ? PAGE_SIZE / sizeof(uint64_t) : 1);
	start = now_ns() - start;
	if (capped && g->every > 1)
		evict(g);
	if (capped)
		touch(g, 1);
	come_to_rest(g->s);
	return start / (double)(g->pages / g->every);
}

int main(int argc, char **argv)
{
	struct guest g = {
		.pages = argc > 1 ? strtoul(argv[1], NULL, 10) << 8 : 0,
		.every = argc > 4 ? strtoul(argv[4], NULL, 10) : 1,
	};
	const struct policy_ops *policy =
		argc > 3 ? policy_find(argv[3]) : &policy_clock;
	long anon, tables, records;
	double ns;

	g.resident = argc > 2 ? strtoul(argv[2], NULL, 10) << 8 : g.pages;
	if (!g.pages || !g.resident || !policy || !g.every)
		errx(2, "books MIB [RESIDENT_MIB POLICY [EVERY]]");
	mallopt(M_ARENA_MAX, 1); /* as vmm/main.c does */
	make_swap(&g);
	anon = private_bytes();
	tables = table_bytes();
	make_stage2(&g, policy);
	ns = use(&g);
	records = (long)(swap_slots_used(g.swap) * sizeof(struct record));
	printf("%ld %ld %.0f\n", private_bytes() - anon - records,
	       table_bytes() - tables, ns);
	stage2_stop(g.s);
	stage2_destroy(g.s);
	swap_destroy(g.swap);
	return 0;
}
