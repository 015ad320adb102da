/* SPDX-License-Identifier: MIT */
/* The console as a file: descriptors 0, 1 and 2 of the first program. */
#include "guest/dev/lapic.h"
#include "guest/dev/uart.h"
#include "guest/fs/file.h"
#include "guest/lib/errno.h"
#include "guest/mm/user.h"
#include "guest/proc/process.h"
#include "guest/proc/sleep.h"

/*
 * Waits for the first byte, takes what is there. Typing is slow: to look at
 * every tick of the timer is soon enough.
 */
static int64_t read(struct file *f, struct space *s, uintptr_t user, size_t n)
{
	size_t done = 0;
	char c;

	(void)f;
	while (done < n) {
		if (uart_read(&c)) {
			if (user_write(s, user + done, &c, 1))
				return done ? (int64_t)done : -EFAULT;
			done++;
		} else if (done) {
			break;
		} else if (process_dying()) {
			return -EINTR;
		} else {
			sleep_until(&c, lapic_ticks() + 1);
		}
	}
	return (int64_t)done;
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
		uart_write(text, part);
		user += part;
		left -= part;
	}
	return (int64_t)n;
}

static const struct file_ops console_ops = {
	.read = read,
	.write = write,
	.kind = FILE_CONSOLE,
};

struct file *file_console(void)
{
	return file_new(&console_ops, OPEN_READ | OPEN_WRITE);
}
