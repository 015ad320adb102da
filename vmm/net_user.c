/* SPDX-License-Identifier: MIT */
/*
 * Packets go to and from twofold-net by a socket that keeps their bounds. What
 * a guest can do to libslirp it does to a process that has none of its memory.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "vmm/beside.h"
#include "vmm/helper.h"
#include "vmm/net.h"

#define PATIENCE_US 20000 /* for room in the socket */

static ssize_t user_receive(struct net_link *l, void *to, size_t room)
{
	ssize_t n = recv(l->fd, to, room, MSG_DONTWAIT);

	if (n > 0)
		return n;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? -EAGAIN : -ENODEV;
}

static int user_send(struct net_link *l, const void *packet, size_t len)
{
	if (send(l->fd, packet, len, MSG_NOSIGNAL) >= 0)
		return 0;
	return errno == EPIPE || errno == ECONNRESET ? -ENODEV : -errno;
}

static void user_close(struct net_link *l)
{
	close(l->fd);
	helper_end(l->helper);
}

static const struct net_link_ops user_ops = {
	.receive = user_receive,
	.send = user_send,
	.close = user_close,
};

static pid_t spawn(const char *program, int theirs)
{
	struct words words = { 0 };
	pid_t child;

	words_add(&words, "%s", program);
	words_add(&words, "%d", theirs);
	child = helper_start(&words, &theirs, 1);
	words_free(&words);
	return child;
}

bool net_open_user(struct net_link *l, const struct net_option *o,
		   struct complaint *why)
{
	const struct timeval patience = { .tv_usec = PATIENCE_US };
	char program[PATH_MAX];
	int pair[2];

	(void)o;
	if (!beside_find(program, "twofold-net"))
		return complaint_set(why, "no twofold-net beside this program: "
					  "build it with libslirp-dev there");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return complaint_set(why, "socketpair: %s", strerror(errno));
	setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience,
		   sizeof(patience));
	*l = (struct net_link){ .ops = &user_ops,
				.fd = pair[0],
				.helper = spawn(program, pair[1]) };
	close(pair[1]);
	if (l->helper > 0)
		return true;
	close(pair[0]);
	return complaint_set(why, "fork: %s", strerror(-l->helper));
}
