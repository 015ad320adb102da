/* SPDX-License-Identifier: MIT */
/*
 * work seq|random|zipf|stride: use memory in one pattern and say how long an
 * access takes, stage 2 with it. The kernel gives all frames at once, so that
 * no stage-1 fault is left. Each access checks a word of each cache line; some
 * also write. A page's words are
 *
 *     0             1 ... 510                                511
 *     stamp         one of 64 words, every 16th random     stamp + 1
 *
 * which compresses 2 to 1 or so; the stamp tells page and version apart.
 *
 *     seq      page after page, pass after pass
 *     random   uniform
 *     zipf     0.9, popular pages scattered; now and then a scan of a tenth
 *     stride   every Kth page, then those beside them (--stride K)
 *
 * The first fifth of the accesses warms up and is not timed.
 */
#include <stdbool.h>
#include <stdint.h>

#include "guest/cpu/cpu.h"
#include "guest/lib/string.h"
#include "guest/user/lib/progress.h"
#include "guest/user/lib/random.h"
#include "guest/user/lib/stdio.h"
#include "guest/user/lib/sys.h"

#define PAGE	4096ul
#define WORDS	(PAGE / 8)
#define LINE	8 /* words of a cache line */
#define OCTAVES 40
#define SOME	16 /* accesses after which it looks whether to tell */

struct plan {
	uint64_t bytes, pages, accesses, percent, stride;
	uint64_t (*visit)(struct plan *p, uint64_t n);
	uint64_t *memory;
	uint32_t *version;
	/* zipf: where the scan is, and how much of it is left */
	uint64_t scan, scan_left;
	uint64_t octave[OCTAVES]; /* the chance of each, summed up */
	unsigned octaves;
	struct progress progress; /* in accesses */
};

static uint64_t stamp(uint64_t page, uint64_t version)
{
	return mix(page << 32 | version) & ~1ul;
}

static uint64_t word(uint64_t page, uint64_t i)
{
	uint64_t random = mix(page * WORDS + i);

	return i % 16 ? mix(random & 63) : random;
}

static uint64_t *page_at(const struct plan *p, uint64_t page)
{
	return p->memory + page * WORDS;
}

static void set_version(struct plan *p, uint64_t page, uint32_t version)
{
	uint64_t *at = page_at(p, page);

	p->version[page] = version;
	at[0] = stamp(page, version);
	at[WORDS - 1] = at[0] + 1;
}

static void fill(struct plan *p)
{
	for (uint64_t page = 0; page < p->pages; page++) {
		for (uint64_t i = 1; i < WORDS - 1; i++)
			page_at(p, page)[i] = word(page, i);
		set_version(p, page, 0);
	}
}

/* One word of each line: which one depends on the page. */
static bool is_right(const struct plan *p, uint64_t page)
{
	const uint64_t *at = page_at(p, page);
	uint64_t want = stamp(page, p->version[page]);
	uint64_t wrong = (at[0] ^ want) | (at[WORDS - 1] ^ (want + 1));

	for (uint64_t i = LINE + page % LINE; i < WORDS - LINE; i += LINE)
		wrong |= at[i] ^ word(page, i);
	return !wrong;
}

static void access(struct plan *p, uint64_t n)
{
	uint64_t page = p->visit(p, n);

	if (!is_right(p, page)) {
		printf("work: page %lu is not what was written (access %lu)\n",
		       page, n);
		sys_exit(1);
	}
	if (mix(~n) % 100 < p->percent)
		set_version(p, page, p->version[page] + 1);
}

static uint64_t visit_seq(struct plan *p, uint64_t n)
{
	return n % p->pages;
}

static uint64_t visit_random(struct plan *p, uint64_t n)
{
	return mix(n) % p->pages;
}

static uint64_t visit_stride(struct plan *p, uint64_t n)
{
	uint64_t at = n * p->stride;

	return (at + at / p->pages) % p->pages;
}

/*
 * The ranks of an octave, 2^k and up, are together 2^(k/10) times as probable
 * as the first: r^-0.9 in steps.
 */
static void prepare_zipf(struct plan *p)
{
	uint64_t weight = 1ul << 20, sum = 0;

	p->octaves = 64 - __builtin_clzl(p->pages);
	for (unsigned k = 0; k < p->octaves && k < OCTAVES; k++) {
		sum += weight;
		p->octave[k] = sum;
		weight = weight * 1098 / 1024;
	}
}

static uint64_t zipf_rank(const struct plan *p, uint64_t random)
{
	unsigned k = 0;
	uint64_t rank;

	do {
		uint64_t at = (random >> 32) % p->octave[p->octaves - 1];

		for (k = 0; at >= p->octave[k]; k++)
			;
		rank = (1ul << k) + (random & ((1ul << k) - 1)) - 1;
		random = mix(random + 1);
	} while (rank >= p->pages);
	return rank;
}

/* A scan of a tenth begins once in as many accesses as there are pages. */
static uint64_t visit_zipf(struct plan *p, uint64_t n)
{
	if (n % p->pages == p->pages / 2)
		p->scan_left = p->pages / 10;
	if (p->scan_left) {
		p->scan_left--;
		return p->scan++ % p->pages;
	}
	return permute(zipf_rank(p, mix(n)), p->pages, 1);
}

static const struct pattern {
	const char *name;
	uint64_t (*visit)(struct plan *p, uint64_t n);
} patterns[] = {
	{ "seq", visit_seq },
	{ "random", visit_random },
	{ "zipf", visit_zipf },
	{ "stride", visit_stride },
};

#define PATTERNS (sizeof(patterns) / sizeof(patterns[0]))

static const struct pattern *find_pattern(const char *name)
{
	for (unsigned i = 0; i < PATTERNS; i++)
		if (streq(name, patterns[i].name))
			return &patterns[i];
	return NULL;
}

static bool parse_option(struct plan *p, const char *name, const char *value)
{
	if (streq(name, "--size"))
		return parse_size(value, &p->bytes) && p->bytes >= 16 * PAGE &&
		       p->bytes <= 1ul << 40;
	if (streq(name, "--accesses"))
		return parse_number(value, &p->accesses) && p->accesses >= 5;
	if (streq(name, "--write"))
		return parse_number(value, &p->percent) && p->percent <= 100;
	if (streq(name, "--stride"))
		return parse_number(value, &p->stride) && p->stride;
	return false;
}

static int usage(void)
{
	printf("work: seq|random|zipf|stride --size S --accesses N "
	       "--write PERCENT --stride PAGES\n");
	return 2;
}

static void *map(uint64_t bytes)
{
	int64_t at = sys_mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_POPULATE);

	if (at >= 0)
		return (void *)at;
	printf("work: %lu KiB do not fit into this machine's memory\n",
	       bytes / 1024);
	sys_exit(2);
}

static void access_from(struct plan *p, uint64_t n, uint64_t end)
{
	while (n < end) {
		access(p, n++);
		if (n % SOME == 0)
			progress(&p->progress, SOME);
	}
}

/* The ticks that the timed accesses took. */
static uint64_t run(struct plan *p, uint64_t warm)
{
	uint64_t start;

	fill(p);
	access_from(p, 0, warm);
	start = rdtsc();
	access_from(p, warm, p->accesses);
	start = rdtsc() - start;
	p->progress.done += p->accesses % SOME;
	progress_tell(&p->progress, 0);
	return start;
}

int main(int argc, char **argv)
{
	struct plan p = { .bytes = 16ul << 20, .percent = 50, .stride = 7 };
	const struct pattern *pattern = argc > 1 ? find_pattern(argv[1]) : NULL;
	uint64_t ticks, timed;
	struct sys_info info;

	if (!pattern)
		return usage();
	for (int i = 2; i < argc; i += 2)
		if (i + 1 == argc || !parse_option(&p, argv[i], argv[i + 1]))
			return usage();
	p.visit = pattern->visit;
	p.pages = p.bytes / PAGE;
	if (!p.accesses)
		p.accesses = p.pages * 5 / 2;
	p.memory = map(p.pages * PAGE);
	p.version = map(p.pages * sizeof(p.version[0]));
	prepare_zipf(&p);
	timed = p.accesses - p.accesses / 5;
	ticks = run(&p, p.accesses / 5);
	sys_info(&info);
	printf("work: %s accesses=%lu ns=%lu ns/access=%lu\n", pattern->name,
	       timed, info.tsc_hz ? ticks * 1000 / (info.tsc_hz / 1000000) : 0,
	       info.tsc_hz ? ticks / timed * 1000 / (info.tsc_hz / 1000000)
			   : 0);
	return 0;
}
