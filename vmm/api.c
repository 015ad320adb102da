/* SPDX-License-Identifier: MIT */
/*
 * The server of the control API: one thread, one poll loop, at most PEERS
 * clients. What a client can cost is bounded: its memory by struct peer, its
 * time by the idle limit, its place by eviction of those that do nothing.
 */
#include "vmm/api.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/api_peer.h"
#include "vmm/clock.h"
#include "vmm/api_socket.h"

#define PEERS	 32
#define IDLE_MS	 5000
#define RETRY_MS 50 /* of what would be ready all the time, in vain */

struct api {
	struct vm_control vm;
	int64_t idle_ms;
	pthread_t thread;
	int stop; /* eventfd */
	bool device; /* peer[0] is a character device, and nobody listens */
	struct api_socket socket;
	int64_t quiet_until; /* leave the listener or the device alone */
	struct peer *peer[PEERS];
};

/* What poll looks at: the peers by their index, then these two. */
enum { POLL_STOP = PEERS, POLL_LISTEN, POLLS };

/* A place for a newcomer: a free one, or that of the peer that has done
 * nothing for longest. PEERS: everyone is busy. */
static unsigned find_place(const struct api *a)
{
	unsigned best = PEERS;

	for (unsigned i = 0; i < PEERS; i++) {
		const struct peer *p = a->peer[i];

		if (!p)
			return i;
		if (peer_idle(p) &&
		    (best == PEERS || p->since < a->peer[best]->since))
			best = i;
	}
	return best;
}

static void drop_peer(struct api *a, unsigned i)
{
	peer_destroy(a->peer[i]);
	a->peer[i] = NULL;
}

static void accept_peer(struct api *a)
{
	unsigned i = find_place(a);

	if (i == PEERS)
		return; /* the last idle one has just become busy */
	int fd =
		accept4(a->socket.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		/* Out of descriptors: the client stays in the backlog, and
		 * poll would say so again at once. */
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			a->quiet_until = clock_ms() + RETRY_MS;
		return;
	}
	drop_peer(a, i);
	a->peer[i] = peer_create(fd, false);
}

/* The device's client has gone; poll says so again until the next one comes. */
static void await_client(struct api *a)
{
	peer_reset(a->peer[0]);
	a->quiet_until = clock_ms() + RETRY_MS;
}

static void end_peer(struct api *a, unsigned i)
{
	if (a->device)
		await_client(a);
	else
		drop_peer(a, i);
}

/* Of a device POLLHUP does not say that nobody will take the answer: its
 * kernel may learn of the client after it had the request. Then we ask again in
 * a while, until the answer is late. */
static void serve_peer(struct api *a, unsigned i, short revents)
{
	struct peer *p = a->peer[i];

	if (!peer_step(p, &a->vm))
		end_peer(a, i);
	else if (!p->out || !(revents & (POLLHUP | POLLERR)))
		return;
	else if (a->device)
		a->quiet_until = clock_ms() + RETRY_MS;
	else
		end_peer(a, i); /* nobody will take the answer */
}

static void drop_late(struct api *a)
{
	int64_t now = clock_ms();

	for (unsigned i = 0; i < PEERS; i++)
		if (a->peer[i] && peer_deadline(a->peer[i], a->idle_ms) <= now)
			end_peer(a, i);
}

/* Fill in what to wait for; returns for how many milliseconds, -1 for ever. */
static int prepare(const struct api *a, struct pollfd fds[POLLS])
{
	int64_t now = clock_ms(), until = INT64_MAX;
	bool quiet = now < a->quiet_until;
	bool listens = !a->device && !quiet && find_place(a) < PEERS;

	for (unsigned i = 0; i < PEERS; i++) {
		const struct peer *p = a->peer[i];

		fds[i] = (struct pollfd){ .fd = -1 };
		if (!p || (a->device && quiet))
			continue;
		fds[i].fd = p->fd;
		fds[i].events = peer_events(p);
		if (peer_deadline(p, a->idle_ms) < until)
			until = peer_deadline(p, a->idle_ms);
	}
	fds[POLL_STOP] = (struct pollfd){ .fd = a->stop, .events = POLLIN };
	fds[POLL_LISTEN] = (struct pollfd){ .fd = listens ? a->socket.fd : -1,
					    .events = POLLIN };
	if (quiet && a->quiet_until < until)
		until = a->quiet_until;
	if (until == INT64_MAX)
		return -1;
	return until > now ? (int)(until - now) : 0;
}

static void *serve(void *arg)
{
	struct api *a = arg;
	struct pollfd fds[POLLS];

	for (;;) {
		int wait_ms = prepare(a, fds);

		/* Out of memory, for the moment. */
		if (poll(fds, POLLS, wait_ms) < 0) {
			poll(NULL, 0, RETRY_MS);
			continue;
		}
		for (unsigned i = 0; i < PEERS; i++)
			if (fds[i].revents)
				serve_peer(a, i, fds[i].revents);
		drop_late(a);
		if (fds[POLL_STOP].revents)
			return NULL;
		if (fds[POLL_LISTEN].revents)
			accept_peer(a);
	}
}

/* The thread takes no signals: they are the main thread's to handle. */
static int start_thread(struct api *a)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int error = pthread_create(&a->thread, NULL, serve, a);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!error)
		pthread_setname_np(a->thread, "api");
	return error;
}

static bool open_device(struct api *a, const char *path, struct complaint *why)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	a->device = true;
	if (fd >= 0)
		a->peer[0] = peer_create(fd, true);
	if (!a->peer[0])
		return complaint_set(why, "%s: %s", path, strerror(errno));
	return true;
}

static bool open_endpoint(struct api *a, const char *path,
			  struct complaint *why)
{
	struct stat st;

	if (!stat(path, &st) && S_ISCHR(st.st_mode))
		return open_device(a, path, why);
	return api_socket_open(&a->socket, path, why);
}

static void close_endpoint(struct api *a)
{
	if (!a->device)
		api_socket_close(&a->socket);
	for (unsigned i = 0; i < PEERS; i++)
		drop_peer(a, i);
}

bool api_start_idle(struct api **out, const char *path,
		    struct vm_control control, unsigned idle_ms,
		    struct complaint *why)
{
	struct api *a = calloc(1, sizeof(*a));

	complaint_set(why, "the control API: %s", strerror(ENOMEM));
	if (!a)
		return false;
	a->vm = control;
	a->idle_ms = idle_ms;
	a->stop = eventfd(0, EFD_CLOEXEC);
	if (a->stop < 0)
		goto undo_alloc;
	if (!open_endpoint(a, path, why))
		goto undo_stop;
	if (start_thread(a))
		goto undo_endpoint;
	*out = a;
	return true;

undo_endpoint:
	close_endpoint(a);
undo_stop:
	close(a->stop);
undo_alloc:
	free(a);
	return false;
}

bool api_start(struct api **out, const char *path, struct vm_control control,
	       struct complaint *why)
{
	return api_start_idle(out, path, control, IDLE_MS, why);
}

void api_stop(struct api *a)
{
	uint64_t one = 1;

	if (write(a->stop, &one, sizeof(one)) != sizeof(one))
		abort(); /* an eventfd of ours takes a 1 */
	pthread_join(a->thread, NULL);
	close_endpoint(a);
	close(a->stop);
	free(a);
}
