/* SPDX-License-Identifier: MIT */
/*
 * Devices as files: the console, which is descriptor 0, 1 and 2 of the first
 * program, and /dev/random.
 */
#include "guest/dev/console.h"
#include "guest/dev/virtio.h"
#include "guest/fs/file.h"
#include "guest/lib/errno.h"
#include "guest/mm/space.h"

/* What @from gives: at least one byte, or -errno. */
static int64_t take(int64_t (*from)(char *, size_t), struct space *s,
		    uintptr_t user, size_t n)
{
	char part[64];
	int64_t got;

	if (!n)
		return 0;
	got = from(part, n < sizeof(part) ? n : sizeof(part));
	if (got > 0 && user_write(s, user, part, (size_t)got))
		return -EFAULT;
	return got;
}

static int64_t print_bytes(struct space *s, uintptr_t user, size_t n)
{
	char part[256];

	for (size_t done = 0, now; done < n; done += now) {
		now = n - done < sizeof(part) ? n - done : sizeof(part);
		if (user_read(s, part, user + done, now))
			return done ? (int64_t)done : -EFAULT;
		console->write(part, now);
	}
	return (int64_t)n;
}

/* Bytes as they are typed: lines are the programs' business. */
int64_t console_copy(struct file *f, struct space *s, uintptr_t user, size_t n,
		     bool write)
{
	(void)f;
	return write ? print_bytes(s, user, n)
		     : take(console->read, s, user, n);
}

int64_t random_copy(struct file *f, struct space *s, uintptr_t user, size_t n,
		    bool write)
{
	(void)f;
	(void)write; /* never: it is opened to be read */
	return take(rng_read, s, user, n);
}
