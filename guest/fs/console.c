/* SPDX-License-Identifier: MIT */
/*
 * Devices as files: the console, which is descriptor 0, 1 and 2 of the first
 * program, and /dev/random.
 */
#include "guest/dev/console.h"
#include "guest/dev/virtio.h"
#include "guest/fs/file.h"
#include "guest/lib/errno.h"
#include "guest/proc/process.h"

/* What @from gives: at least one byte, or -errno. */
static int64_t take(int64_t (*from)(char *, size_t), uintptr_t user, size_t n)
{
	char part[64];
	int64_t got;

	if (!n)
		return 0;
	got = from(part, n < sizeof(part) ? n : sizeof(part));
	if (got > 0 && user_write(current()->space, user, part, (size_t)got))
		return -EFAULT;
	return got;
}

/* Straight from the program's pages: no buffer in between. */
static int64_t print_bytes(uintptr_t user, size_t n)
{
	size_t done = 0, part;

	for (; done < n; done += part) {
		const char *text =
			user_byte(current()->space, user + done, false);

		if (!text)
			return done ? (int64_t)done : -EFAULT;
		part = PAGE_SIZE - page_offset(user + done);
		part = part < n - done ? part : n - done;
		console->write(text, part);
	}
	return (int64_t)n;
}

/* Bytes as they are typed: lines are the programs' business. */
int64_t console_copy(struct file *f, uintptr_t user, size_t n, bool write)
{
	(void)f;
	return write ? print_bytes(user, n) : take(console->read, user, n);
}

int64_t random_copy(struct file *f, uintptr_t user, size_t n, bool write)
{
	(void)f;
	(void)write; /* never: it is opened to be read */
	return take(rng_read, user, n);
}
