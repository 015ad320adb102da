/* SPDX-License-Identifier: MIT */
/*
 * verify: write a pattern over much memory, read it back, trust nothing.
 *
 * Each pass writes some of the pages and then reads all of them, in the same
 * order. A word tells page, place and the pass that wrote it:
 *
 *      63                               16 15              0
 *      hash of (seed, page, pass), high    low + place * STEP
 *
 * so a page that comes back old, elsewhere, shifted or torn is seen, and still
 * it compresses about as well as real memory: six bytes of eight repeat.
 */
#include <stdbool.h>
#include <stdint.h>

#include "guest/lib/string.h"
#include "guest/user/lib/progress.h"
#include "guest/user/lib/random.h"
#include "guest/user/lib/stdio.h"
#include "guest/user/lib/sys.h"

#define PAGE  4096ul
#define WORDS (PAGE / 8)
#define STEP  0x9e37u /* odd: 512 places give 512 different values */

enum order { SEQ, RANDOM, ZIPF, ORDERS };

static const char *const order_names[ORDERS] = { "seq", "random", "zipf" };

struct plan {
	uint64_t bytes, pages, passes, seed, percent;
	enum order order;
	uint64_t *memory;
	/* zipf only: the pass that last wrote each page; else it is derived */
	uint32_t *written;
	uint64_t checks;
	struct progress progress; /* in pages */
};

static uint64_t hash(const struct plan *p, uint64_t a, uint64_t b)
{
	return mix(mix(mix(p->seed + 0x9e3779b97f4a7c15) ^ a) + b);
}

static void fill(uint64_t *at, uint64_t key)
{
	uint64_t high = key & ~0xfffful, low = key;

	for (unsigned i = 0; i < WORDS; i++, low += STEP)
		at[i] = high | (uint16_t)low;
}

/* No branch inside: only whether all words are right matters here. */
static bool is_filled(const uint64_t *at, uint64_t key)
{
	uint64_t high = key & ~0xfffful, low = key, wrong = 0;

	for (unsigned i = 0; i < WORDS; i += 4, low += 4 * STEP) {
		wrong |= at[i] ^ (high | (uint16_t)low);
		wrong |= at[i + 1] ^ (high | (uint16_t)(low + STEP));
		wrong |= at[i + 2] ^ (high | (uint16_t)(low + 2 * STEP));
		wrong |= at[i + 3] ^ (high | (uint16_t)(low + 3 * STEP));
	}
	return !wrong;
}

static uint64_t *page_at(const struct plan *p, uint64_t page)
{
	return p->memory + page * WORDS;
}

/* Does @pass write @page? The first writes all. */
static bool is_chosen(const struct plan *p, uint64_t pass, uint64_t page)
{
	return pass == 0 || hash(p, ~pass, page) % 100 < p->percent;
}

/* The last pass up to @pass that wrote @page. */
static uint64_t last_write(const struct plan *p, uint64_t pass, uint64_t page)
{
	if (p->written)
		return p->written[page];
	while (!is_chosen(p, pass, page))
		pass--;
	return pass;
}

static void write_page(struct plan *p, uint64_t pass, uint64_t page)
{
	if (!is_chosen(p, pass, page))
		return;
	fill(page_at(p, page), hash(p, page, pass));
	if (p->written)
		p->written[page] = (uint32_t)pass;
	progress(&p->progress, 1);
}

static void complain(const struct plan *p, uint64_t pass, uint64_t page,
		     uint64_t key)
{
	const uint64_t *at = page_at(p, page);

	for (unsigned i = 0; i < WORDS; i++) {
		uint64_t want = (key & ~0xfffful) | (uint16_t)(key + i * STEP);
		uint64_t got = at[i];

		if (got == want)
			continue;
		printf("verify: mismatch at %#lx (page %lu, word %u, pass %lu)"
		       ": got %#lx, want %#lx\n",
		       (uintptr_t)(at + i), page, i, pass, got, want);
		return;
	}
	printf("verify: page %lu was wrong and is right now, pass %lu\n", page,
	       pass);
}

static void check_page(struct plan *p, uint64_t pass, uint64_t page)
{
	uint64_t key = hash(p, page, last_write(p, pass, page));

	p->checks += WORDS;
	progress(&p->progress, 1);
	if (is_filled(page_at(p, page), key))
		return;
	complain(p, pass, page, key);
	sys_exit(1);
}

/*
 * Rank r with probability about 1/r: an octave at random, and within it a rank
 * at random.
 */
static uint64_t zipf_rank(const struct plan *p, uint64_t random)
{
	unsigned octaves = 64 - __builtin_clzl(p->pages);
	uint64_t rank;

	do {
		uint64_t low = 1ul << (random >> 32) % octaves;

		rank = low + (random & 0xffffffff) % low - 1;
		random = mix(random + 1);
	} while (rank >= p->pages);
	return rank;
}

/* The page of visit @n of @pass. The popular pages stay so in every pass. */
static uint64_t visit(const struct plan *p, uint64_t pass, uint64_t n)
{
	switch (p->order) {
	case RANDOM:
		return permute(n, p->pages, hash(p, pass, 1));
	case ZIPF:
		return permute(zipf_rank(p, hash(p, pass, n)), p->pages,
			       p->seed);
	default:
		return n;
	}
}

static void run_pass(struct plan *p, uint64_t pass)
{
	for (uint64_t n = 0; n < p->pages; n++)
		write_page(p, pass, pass ? visit(p, pass, n) : n);
	for (uint64_t n = 0; n < p->pages; n++)
		check_page(p, pass, visit(p, pass, n));
	if (p->order != ZIPF)
		return;
	for (uint64_t n = 0; n < p->pages; n++)
		check_page(p, pass, n);
}

static bool parse_order(const char *text, enum order *order)
{
	for (int i = 0; i < ORDERS; i++) {
		if (streq(text, order_names[i])) {
			*order = (enum order)i;
			return true;
		}
	}
	return false;
}

static bool parse_option(struct plan *p, const char *name, const char *value)
{
	if (streq(name, "--size"))
		return parse_size(value, &p->bytes) && p->bytes;
	if (streq(name, "--passes"))
		return parse_number(value, &p->passes) && p->passes &&
		       p->passes <= UINT32_MAX;
	if (streq(name, "--seed"))
		return parse_number(value, &p->seed);
	if (streq(name, "--order"))
		return parse_order(value, &p->order);
	if (streq(name, "--write"))
		return parse_number(value, &p->percent) && p->percent <= 100;
	return false;
}

static void parse_arguments(struct plan *p, int argc, char **argv)
{
	for (int i = 1; i < argc; i += 2) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (parse_option(p, argv[i], value))
			continue;
		printf("verify: '%s %s' is no option: --size S --passes N "
		       "--seed K --order seq|random|zipf --write PERCENT\n",
		       argv[i], value);
		sys_exit(2);
	}
	p->pages = (p->bytes - 1) / PAGE + 1;
}

static void *map(uint64_t bytes)
{
	int64_t at = sys_mmap(0, bytes, PROT_READ | PROT_WRITE, 0);

	if (at >= 0)
		return (void *)at;
	printf("verify: %lu KiB do not fit into this machine's memory\n",
	       bytes / 1024);
	sys_exit(2);
}

int main(int argc, char **argv)
{
	struct plan p = {
		.bytes = 16ul << 20,
		.passes = 1,
		.seed = 1,
		.percent = 100,
	};

	parse_arguments(&p, argc, argv);
	p.memory = map(p.pages * PAGE);
	if (p.order == ZIPF)
		p.written = map(p.pages * sizeof(*p.written));
	for (uint64_t pass = 0; pass < p.passes; pass++) {
		printf("verify: pass %lu of %lu\n", pass + 1, p.passes);
		run_pass(&p, pass);
	}
	progress_tell(&p.progress, 0);
	printf("verify: ok, %lu pages, %lu passes, seed %lu, order %s, "
	       "write %lu%%, %lu checks\n",
	       p.pages, p.passes, p.seed, order_names[p.order], p.percent,
	       p.checks);
	return 0;
}
