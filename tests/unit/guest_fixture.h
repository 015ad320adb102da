/* SPDX-License-Identifier: MIT */
/*
 * The guest's physical memory on the host: 64 MiB of it, the first MiB not
 * handed out, a kernel at 2 MiB; and what the kernel's other parts would be.
 */
#ifndef TESTS_GUEST_FIXTURE_H
#define TESTS_GUEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "guest/lib/broken.h"
#include "guest/lib/counts.h"
#include "guest/lib/print.h"
#include "guest/mm/frame.h"
#include "guest/mm/reclaim.h"
#include "guest/mm/swap.h"

#define GUEST_RAM 0x4000000ul
#define KERNEL_AT 0x200000ul
#define KERNEL_TO 0x345000ul

const char *broken_concept = "";
bool debug_checks;

/* Memory that is short stays short: nothing is evicted here. */
uint64_t reclaim_low;

bool reclaim_running(void)
{
	return false;
}

void reclaim_wake(void)
{
}

bool reclaim(unsigned want, bool kill)
{
	(void)want;
	(void)kill;
	return false;
}

#ifndef GUEST_SWAPS /* a test that has the kernel's own swap */
void lru_remove(struct frame *f)
{
	(void)f;
}

void swap_part(struct frame *f)
{
	f->slot = 0;
}
#endif

/* Numbers of chance, always the same. */
static uint64_t seed = 3;

static inline uint32_t random_below(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

static jmp_buf panicked;
static bool panic_expected;
static char panic_text[256];

void panic(const char *how, ...)
{
	va_list args;

	va_start(args, how);
	vsnprintf(panic_text, sizeof(panic_text), how, args);
	va_end(args);
	if (panic_expected)
		longjmp(panicked, 1);
	fprintf(stderr, "panic: %s\n", panic_text);
	abort();
}

/* Doing @what panics, and the text has @part. */
#define assert_panics(what, part)                          \
	do {                                               \
		panic_expected = true;                     \
		if (!setjmp(panicked)) {                   \
			what;                              \
			fail_msg("%s: no panic", #what);   \
		}                                          \
		panic_expected = false;                    \
		assert_non_null(strstr(panic_text, part)); \
	} while (0)

struct machine this_machine = {
	.ram = { { { 0 }, { 0x9f000 } }, { { 0x100000 }, { GUEST_RAM } } },
	.rams = 2,
	.reserved = { { { KERNEL_AT }, { KERNEL_TO } } },
	.reserveds = 1,
	.zeroed = true,
};

static inline void guest_ram(void)
{
	void *at = mmap((void *)DIRECT_BASE, GUEST_RAM, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				MAP_FIXED_NOREPLACE,
			-1, 0);

	assert_ptr_equal(at, (void *)DIRECT_BASE);
	frame_init();
	frame_zone = ZONE_NORMAL;
}

#endif
