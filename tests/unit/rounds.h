/* SPDX-License-Identifier: MIT */
/* The rounds of the API's server, counted: the linker brings its calls of
 * epoll_wait here (tests/tests.mk). So a test sees that it does not spin, and
 * for how many rounds a client waits, however busy the host is. */
#ifndef TESTS_ROUNDS_H
#define TESTS_ROUNDS_H

#include <stdatomic.h>
#include <sys/epoll.h>

static atomic_uint rounds; /* all of them */
static atomic_uint idle_rounds; /* that ended because of their time */

int __real_epoll_wait(int poll, struct epoll_event *e, int most, int ms);
int __wrap_epoll_wait(int poll, struct epoll_event *e, int most, int ms);

int __wrap_epoll_wait(int poll, struct epoll_event *e, int most, int ms)
{
	int n = __real_epoll_wait(poll, e, most, ms);

	rounds++;
	idle_rounds += n == 0 && ms > 0;
	return n;
}

#endif
