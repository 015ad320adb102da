/* SPDX-License-Identifier: MIT */
/*
 * The server of the control API: one thread, one poll loop, at most PEERS
 * clients. What a client can cost is bounded: its memory by struct peer, its
 * time by the idle limit, its place by eviction of those that do nothing, and
 * where there are no descriptors left of those that have been slow for longest.
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
#include <unistd.h>

#include "vmm/api_crowd.h"
#include "vmm/api_route.h"
#include "vmm/api_socket.h"
#include "vmm/clock.h"
#include "vmm/events.h"

#define PEERS	 API_PEERS
#define ACCEPTS	 64 /* in a row */
#define RETRY_MS 50 /* of what would be ready all the time, in vain */
#define HEAR_MS	 500 /* between two times that the desk is asked for news */

/* What poll looks at: these, then the peers there are. */
enum { POLL_STOP, POLL_LISTEN, POLL_EVENTS, POLL_PEERS };

struct api {
	struct vm_control vm; /* if it is one's */
	struct api_desk desk;
	int64_t idle_ms;
	pthread_t thread;
	int stop; /* eventfd */
	bool device; /* its first peer is a character device, and nobody listens */
	struct api_socket socket;
	int64_t quiet_until; /* leave the listener or the device alone */
	int64_t heard; /* when the desk was last asked for news */
	struct crowd crowd;
	struct pollfd fds[POLL_PEERS + PEERS];
	unsigned short polled[PEERS]; /* which peer each is */
	unsigned n; /* of these; poll refuses more than there may be files */
};

static void accept_peers(struct api *a)
{
	int r = 1;

	for (unsigned n = 0; n < ACCEPTS && r > 0; n++)
		r = crowd_accept(&a->crowd, a->socket.fd);
	/* Poll would say so again at once. */
	if (r < 0)
		a->quiet_until = clock_ms() + RETRY_MS;
}

/* The device's client has gone; poll says so again until the next one comes. */
static void await_client(struct api *a)
{
	peer_reset(a->crowd.peer[0]);
	a->quiet_until = clock_ms() + RETRY_MS;
}

static void end_peer(struct api *a, unsigned i)
{
	if (a->device)
		await_client(a);
	else
		crowd_drop(&a->crowd, i);
}

/* Of a device POLLHUP does not say that nobody will take the answer: its
 * kernel may learn of the client after it had the request. Then we ask again in
 * a while, until the answer is late. */
static void serve_peer(struct api *a, unsigned i, short revents)
{
	struct peer *p = a->crowd.peer[i];

	if (!peer_step(p, &a->desk))
		end_peer(a, i);
	else if (!p->out || !(revents & (POLLHUP | POLLERR)))
		return;
	else if (a->device)
		a->quiet_until = clock_ms() + RETRY_MS;
	else
		end_peer(a, i); /* nobody will take the answer */
}

/* Too late with its request, or too far behind what happens. */
static bool is_late(const struct api *a, const struct peer *p, int64_t now)
{
	uint64_t next = p->next;

	return peer_deadline(p, a->idle_ms) <= now ||
	       (p->streaming && events_lost(a->desk.events, &next));
}

static void drop_late(struct api *a)
{
	int64_t now = clock_ms();

	for (unsigned i = 0; i < PEERS; i++)
		if (a->crowd.peer[i] && is_late(a, a->crowd.peer[i], now))
			end_peer(a, i);
}

static unsigned streams(const struct api *a)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PEERS; i++)
		n += a->crowd.peer[i] && a->crowd.peer[i]->streaming;
	return n;
}

/* Who listens hears what there is. */
static void look_after_streams(struct api *a)
{
	uint64_t news;

	if (a->fds[POLL_EVENTS].revents &&
	    read(a->fds[POLL_EVENTS].fd, &news, sizeof(news)) < 0)
		return;
	if (!a->desk.hear || clock_ms() < a->heard + HEAR_MS || !streams(a))
		return;
	a->desk.hear(a->desk.ctx);
	a->heard = clock_ms();
}

/* Until when @p may be left alone. */
static int64_t peer_due(const struct api *a, const struct peer *p)
{
	if (p->streaming && a->desk.hear)
		return a->heard + HEAR_MS;
	return peer_deadline(p, a->idle_ms);
}

/* Those to look at, and until when that may wait at most. */
static int64_t prepare_peers(struct api *a)
{
	int64_t until = INT64_MAX;

	a->n = 0;
	for (unsigned short i = 0; i < PEERS; i++) {
		const struct peer *p = a->crowd.peer[i];
		int64_t due;

		if (!p)
			continue;
		a->fds[POLL_PEERS + a->n] =
			(struct pollfd){ .fd = p->fd,
					 .events = peer_events(p, &a->desk) };
		a->polled[a->n++] = i;
		due = peer_due(a, p);
		until = due < until ? due : until;
	}
	return until;
}

/* Fill in what to wait for; returns for how many milliseconds, -1 for ever. */
static int prepare(struct api *a)
{
	int64_t now = clock_ms(), until = INT64_MAX;
	bool quiet = now < a->quiet_until;
	bool listens = !a->device && !quiet && crowd_place(&a->crowd) < PEERS;

	a->n = 0;
	if (!a->device || !quiet)
		until = prepare_peers(a);
	a->fds[POLL_STOP] = (struct pollfd){ .fd = a->stop, .events = POLLIN };
	a->fds[POLL_LISTEN] =
		(struct pollfd){ .fd = listens ? a->socket.fd : -1,
				 .events = POLLIN };
	a->fds[POLL_EVENTS] = (struct pollfd){
		.fd = a->desk.events ? events_fd(a->desk.events) : -1,
		.events = POLLIN,
	};
	if (quiet && a->quiet_until < until)
		until = a->quiet_until;
	if (until == INT64_MAX)
		return -1;
	return until > now ? (int)(until - now) : 0;
}

static void end_streams(struct api *a)
{
	for (unsigned i = 0; i < PEERS; i++)
		if (a->crowd.peer[i])
			peer_end_stream(a->crowd.peer[i], &a->desk);
}

static void *serve(void *arg)
{
	struct api *a = arg;

	for (;;) {
		int wait_ms = prepare(a);

		/* Out of memory, for the moment. */
		if (poll(a->fds, POLL_PEERS + a->n, wait_ms) < 0) {
			poll(NULL, 0, RETRY_MS);
			continue;
		}
		for (unsigned i = 0; i < a->n; i++)
			if (a->fds[POLL_PEERS + i].revents)
				serve_peer(a, a->polled[i],
					   a->fds[POLL_PEERS + i].revents);
		look_after_streams(a);
		drop_late(a);
		if (a->fds[POLL_STOP].revents)
			break;
		if (a->fds[POLL_LISTEN].revents)
			accept_peers(a);
	}
	end_streams(a);
	return NULL;
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
		a->crowd.peer[0] = peer_create(fd, true);
	if (!a->crowd.peer[0])
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
		crowd_drop(&a->crowd, i);
}

static struct http_reply answer_for_vm(void *ctx, const struct http *request)
{
	const struct api *a = ctx;

	return api_answer(&a->vm, request);
}

/* Serve what was allocated for it: *out, or it is freed. */
static bool start(struct api **out, struct api *a, const char *path,
		  struct complaint *why)
{
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

bool api_serve(struct api **out, const char *path, struct api_desk desk,
	       unsigned idle_ms, struct complaint *why)
{
	struct api *a = calloc(1, sizeof(*a));

	complaint_set(why, "the control API: %s", strerror(ENOMEM));
	if (!a)
		return false;
	a->desk = desk;
	a->idle_ms = idle_ms;
	return start(out, a, path, why);
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
	a->desk = (struct api_desk){ .ctx = a,
				     .answer = answer_for_vm,
				     .events = control.events };
	a->idle_ms = idle_ms;
	return start(out, a, path, why);
}

bool api_start(struct api **out, const char *path, struct vm_control control,
	       struct complaint *why)
{
	return api_start_idle(out, path, control, API_IDLE_MS, why);
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
