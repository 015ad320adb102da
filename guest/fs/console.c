/* SPDX-License-Identifier: MIT */
/* The console as a file: descriptors 0, 1 and 2 of the first program. */
#include "guest/dev/console.h"
#include "guest/fs/file.h"
#include "guest/lib/errno.h"
#include "guest/mm/user.h"

/* Bytes as they are typed, at least one: lines are the programs' business. */
static int64_t read(struct file *f, struct space *s, uintptr_t user, size_t n)
{
	char typed[64];
	int64_t got;

	(void)f;
	if (!n)
		return 0;
	got = console->read(typed, n < sizeof(typed) ? n : sizeof(typed));
	if (got > 0 && user_write(s, user, typed, (size_t)got))
		return -EFAULT;
	return got;
}

/* Straight from the program's pages: no buffer in between. */
static int64_t write(struct file *f, struct space *s, uintptr_t user, size_t n)
{
	size_t left = n;

	(void)f;
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

const struct file_ops console_ops = {
	.read = read,
	.write = write,
	.kind = FILE_CONSOLE,
};
