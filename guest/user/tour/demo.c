/* SPDX-License-Identifier: MIT */
#include "guest/user/tour/demo.h"

#include <assert.h>
#include <stdarg.h>

#include "guest/lib/errno.h"
#include "guest/lib/format.h"

static_assert(SYS_CATCH == 8, "access.S knows it as a number");

void demo_note(struct demo *d, const char *how, ...)
{
	size_t room = sizeof(d->seen) - d->seen_bytes;
	va_list args;
	int n;

	va_start(args, how);
	n = format_v(d->seen + d->seen_bytes, room, how, args);
	va_end(args);
	d->seen_bytes += (size_t)n < room ? (size_t)n : room - 1;
}

void demo_skip(struct demo *d, const char *how, ...)
{
	va_list args;

	va_start(args, how);
	format_v(d->skip, sizeof(d->skip), how, args);
	va_end(args);
}

bool demo_can(struct demo *d, int64_t answer, const char *what)
{
	if (answer == -ENOSYS) {
		demo_skip(d, "the kernel has no %s", what);
		return false;
	}
	if (answer < 0 && !d->failure[0])
		format(d->failure, sizeof(d->failure), "%s: error %ld", what,
		       -answer);
	return answer >= 0;
}

bool demo_compare(struct demo *d, const char *file, int line,
		  const char *expression, uint64_t got, uint64_t want)
{
	if (got == want)
		return true;
	if (!d->failure[0])
		format(d->failure, sizeof(d->failure),
		       "%s:%d: %s is %#lx, should be %#lx", file, line,
		       expression, got, want);
	return false;
}

void *demo_map(struct demo *d, size_t bytes, unsigned flags)
{
	int64_t at = sys_mmap(0, bytes, PROT_READ | PROT_WRITE, flags);

	if (at == -ENOMEM) {
		demo_skip(d, "too little memory (start with -m 64M)");
		return NULL;
	}
	return demo_true(d, at > 0) ? (void *)at : NULL;
}

struct sys_info demo_info(void)
{
	struct sys_info info = { 0 };

	sys_info(&info);
	return info;
}

struct sys_counts demo_counts(void)
{
	struct sys_counts counts = { 0 };

	kernel_counts(&counts);
	return counts;
}

struct walk demo_walk_of(int64_t pid, const volatile void *at)
{
	struct walk w = { 0 };

	walk(pid, (uintptr_t)at, &w);
	return w;
}

struct walk demo_walk(const volatile void *at)
{
	return demo_walk_of(0, at);
}

uint64_t demo_leaf(const volatile void *at)
{
	struct walk w = demo_walk(at);

	return w.entry[w.entries - 1];
}

uint64_t access_error(uint64_t at, enum access access)
{
	struct refusal why;

	return access_refused(at, access, &why) ? why.error : ACCESS_DONE;
}
