/* SPDX-License-Identifier: MIT */
/* Guest memory that is an array: what devices ask of ept/guest_mem.h, for a
 * fuzzer. */
#ifndef TESTS_FUZZ_RAM_H
#define TESTS_FUZZ_RAM_H

#include <errno.h>
#include <string.h>

#include "ept/guest_mem.h"

#define RAM_BYTES (1u << 16)

static uint8_t ram[RAM_BYTES];

bool guest_has(struct stage2 *s, gpa_t at, uint64_t len)
{
	(void)s;
	return range_within(at.v, len, RAM_BYTES);
}

bool guest_read(struct stage2 *s, gpa_t at, void *to, size_t len)
{
	(void)s;
	if (!range_within(at.v, len, RAM_BYTES))
		return false;
	memcpy(to, ram + at.v, len);
	return true;
}

bool guest_write(struct stage2 *s, gpa_t at, const void *from, size_t len)
{
	(void)s;
	if (!range_within(at.v, len, RAM_BYTES))
		return false;
	memcpy(ram + at.v, from, len);
	return true;
}

int guest_pin(struct stage2 *s, gpa_t at, bool write, void **to)
{
	(void)s, (void)write;
	*to = ram + at.v % RAM_BYTES;
	return at.v < RAM_BYTES ? 0 : -EFAULT;
}

int guest_hold(struct stage2 *s, gpa_t at, bool write, void **to)
{
	return guest_pin(s, at, write, to);
}

void guest_unpin(struct stage2 *s, gpa_t at)
{
	(void)s, (void)at;
}

uint64_t guest_discard(struct stage2 *s, gpa_t at, uint64_t len,
		       enum guest_gift why)
{
	uint64_t pages = 0;

	(void)s, (void)why;
	for (uint64_t p = 0; p < RAM_BYTES; p += PAGE_SIZE)
		if (p >= at.v && range_within(p - at.v, PAGE_SIZE, len)) {
			memset(ram + p, 0, PAGE_SIZE);
			pages++;
		}
	return pages;
}

bool guest_hints_begin(struct stage2 *s)
{
	(void)s;
	return true;
}

void guest_hints_end(struct stage2 *s)
{
	(void)s;
}

#endif
