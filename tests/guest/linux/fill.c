/* SPDX-License-Identifier: MIT */
/*
 * Process 1 of a Linux guest that is one of many: it writes nearly all of its
 * memory, says so, and waits for a line on the console, by which time the
 * others have written theirs. Then every word must be what it was, once from
 * the first to the last, when every fourth page is written anew, and once back.
 * `seed=N` on the kernel's command line makes its bytes its own. At the end it
 * switches the machine off.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define PAGE  4096
#define WORDS (PAGE / sizeof(uint64_t))

struct memory {
	uint64_t (*page)[WORDS];
	uint64_t pages, seed, sum; /* the sum is of all words that were read */
};

/* splitmix64's. */
static uint64_t mix(uint64_t n)
{
	n += 0x9e3779b97f4a7c15;
	n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9;
	n = (n ^ n >> 27) * 0x94d049bb133111eb;
	return n ^ n >> 31;
}

/* Of eight pages, one is of zeros, one repeats a word, two are half random,
 * the others are random. */
static uint64_t word_of(const struct memory *m, unsigned pass, uint64_t page,
			unsigned word)
{
	bool anew = pass && page % 4 == 0;
	uint64_t key = mix(m->seed << 32 | (uint64_t)anew << 31 | page);
	unsigned kind = key % 8;

	if (kind == 0)
		return 0;
	return kind == 1 || (kind < 4 && word % 2) ? key : mix(key + word);
}

static void write_page(struct memory *m, unsigned pass, uint64_t page)
{
	for (unsigned i = 0; i < WORDS; i++)
		m->page[page][i] = word_of(m, pass, page, i);
}

static void check_page(struct memory *m, unsigned pass, uint64_t page)
{
	for (unsigned i = 0; i < WORDS; i++) {
		uint64_t want = word_of(m, pass, page, i),
			 got = m->page[page][i];

		m->sum += got;
		if (got == want)
			continue;
		printf("fill: WRONG: page %lu word %u is %lx, not %lx\n", page,
		       i, got, want);
		reboot(RB_POWER_OFF);
	}
}

/* All but an eighth of what is free. */
static void get_memory(struct memory *m)
{
	struct sysinfo s;

	sysinfo(&s);
	m->pages = s.freeram * s.mem_unit / 8 * 7 / PAGE;
	m->page = mmap(NULL, m->pages * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m->page == MAP_FAILED)
		perror("fill: mmap");
}

static void check_twice(struct memory *m)
{
	for (uint64_t i = 0; i < m->pages; i++) {
		check_page(m, 0, i);
		if (i % 4 == 0)
			write_page(m, 1, i);
	}
	for (uint64_t i = m->pages; i-- > 0;)
		check_page(m, 1, i);
}

int main(void)
{
	struct memory m = { .seed = strtoull(getenv("seed"), NULL, 10) };

	get_memory(&m);
	for (uint64_t i = 0; i < m.pages; i++)
		write_page(&m, 0, i);
	printf("fill: filled %lu pages\n", m.pages);
	while (getchar() != '\n')
		;
	check_twice(&m);
	printf("fill: right, seed %lu, sum %016lx\n", m.seed, m.sum);
	reboot(RB_POWER_OFF);
}
