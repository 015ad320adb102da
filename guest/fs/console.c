/* SPDX-License-Identifier: MIT */
/*
 * Devices as files: the console, which is descriptor 0, 1 and 2 of the first
 * program, and /dev/random.
 */
#include "guest/dev/console.h"
#include "guest/dev/rng.h"
#include "guest/fs/file.h"
#include "guest/lib/errno.h"
#include "guest/mm/user.h"

#define PART 64u

/* What came from a device: @got bytes at @from, or -errno. */
static int64_t give(struct space *s, uintptr_t user, const char *from,
		    int64_t got)
{
	if (got > 0 && user_write(s, user, from, (size_t)got))
		return -EFAULT;
	return got;
}

/* Straight from the program's pages: no buffer in between. */
static int64_t print_bytes(struct space *s, uintptr_t user, size_t n)
{
	size_t left = n;

	while (left) {
		const char *text = user_byte(s, user, false);
		size_t part = PAGE_SIZE - page_offset(user);

		if (!text)
			return left < n ? (int64_t)(n - left) : -EFAULT;
		part = part < left ? part : left;
		console->write(text, part);
		user += part;
		left -= part;
	}
	return (int64_t)n;
}

/* Bytes as they are typed, at least one: lines are the programs' business. */
static int64_t copy_console(struct file *f, struct space *s, uintptr_t user,
			    size_t n, bool write)
{
	char typed[PART];

	(void)f;
	if (write)
		return print_bytes(s, user, n);
	return n ? give(s, user, typed,
			console->read(typed, n < PART ? n : PART))
		 : 0;
}

const struct file_ops console_ops = {
	.copy = copy_console,
};

static int64_t copy_random(struct file *f, struct space *s, uintptr_t user,
			   size_t n, bool write)
{
	char random[PART];

	(void)f;
	(void)write; /* never: it is opened to be read */
	return n ? give(s, user, random, rng_read(random, n < PART ? n : PART))
		 : 0;
}

const struct file_ops random_ops = {
	.copy = copy_random,
};
