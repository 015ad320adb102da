/* SPDX-License-Identifier: MIT */
/* A client of the control API that knows no more HTTP than it takes to find
 * the end of an answer. */
#ifndef TESTS_API_CLIENT_H
#define TESTS_API_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct answer {
	int status; /* 0: the peer hung up instead */
	char head[1024], body[65536];
};

static inline int connect_at(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = 10 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	assert_true(fd >= 0);
	/* A server that hangs fails the test instead of hanging it. */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Send as much as the server takes before it hangs up. */
static inline void send_bytes(int fd, const char *from, size_t len)
{
	while (len) {
		ssize_t n = send(fd, from, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		from += n;
		len -= (size_t)n;
	}
}

static inline void send_text(int fd, const char *text)
{
	send_bytes(fd, text, strlen(text));
}

/* A request with @body, which may hold any bytes. */
static inline void send_request(int fd, const char *method, const char *target,
				const char *body, size_t len)
{
	char head[512];

	snprintf(head, sizeof(head),
		 "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
		 method, target, len);
	send_text(fd, head);
	send_bytes(fd, body, len);
}

/* Exactly one answer, byte by byte: what follows is the next one's. */
static inline struct answer *receive(int fd, struct answer *a)
{
	size_t len = 0, want = 0;

	memset(a, 0, sizeof(*a));
	while (len < sizeof(a->head) - 1 && !strstr(a->head, "\r\n\r\n")) {
		if (read(fd, a->head + len, 1) != 1)
			return a;
		len++;
	}
	const char *length = strstr(a->head, "Content-Length: ");
	if (length)
		want = strtoul(length + 16, NULL, 10);
	assert_true(want < sizeof(a->body));
	for (len = 0; len < want; len++)
		if (read(fd, a->body + len, 1) != 1)
			return a;
	assert_int_equal(sscanf(a->head, "HTTP/1.1 %d ", &a->status), 1);
	return a;
}

/* Has the server hung up? Waits for it. */
static inline bool hung_up(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 0;
}

static inline int64_t clock_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline int64_t now_ms(void)
{
	return clock_of(CLOCK_MONOTONIC);
}

static inline void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

#endif
