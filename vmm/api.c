/* SPDX-License-Identifier: MIT */
/* The control API's beginning and end: its endpoint, and the thread that runs
 * vmm/api_loop.c. */
#include "vmm/api.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm/api_loop.h"
#include "vmm/api_route.h"
#include "vmm/api_socket.h"

struct api {
	struct vm_control vm; /* if it is one's */
	struct api_loop loop;
	pthread_t thread;
	struct api_socket socket; /* where the loop has a listener */
};

/* The thread takes no signals: they are the main thread's to handle. */
static int start_thread(struct api *a)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int error = pthread_create(&a->thread, NULL, api_loop_run, &a->loop);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!error)
		pthread_setname_np(a->thread, "api");
	return error;
}

static bool open_device(struct api *a, const char *path, struct complaint *why)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	a->loop.listener = -1;
	if (fd >= 0)
		a->loop.device = peer_create(fd, true);
	if (!a->loop.device)
		return complaint_set(why, "%s: %s", path, strerror(errno));
	return true;
}

static bool open_endpoint(struct api *a, const char *path,
			  struct complaint *why)
{
	struct stat st;

	if (!stat(path, &st) && S_ISCHR(st.st_mode))
		return open_device(a, path, why);
	if (!api_socket_open(&a->socket, path, why))
		return false;
	a->loop.listener = a->socket.fd;
	return true;
}

static void close_endpoint(struct api *a)
{
	if (a->loop.listener >= 0)
		api_socket_close(&a->socket);
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
	int error;

	a->loop.stop = eventfd(0, EFD_CLOEXEC);
	if (a->loop.stop < 0)
		goto undo_alloc;
	if (!open_endpoint(a, path, why))
		goto undo_stop;
	error = api_loop_init(&a->loop);
	if (error) {
		complaint_set(why, "%s: %s", path, strerror(-error));
		goto undo_endpoint;
	}
	if (start_thread(a))
		goto undo_loop;
	*out = a;
	return true;

undo_loop:
	api_loop_end(&a->loop);
undo_endpoint:
	close_endpoint(a);
undo_stop:
	close(a->loop.stop);
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
	a->loop.desk = desk;
	a->loop.idle_ms = idle_ms;
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
	a->loop.desk = (struct api_desk){ .ctx = a,
					  .answer = answer_for_vm,
					  .events = control.events };
	a->loop.idle_ms = idle_ms;
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

	if (write(a->loop.stop, &one, sizeof(one)) != sizeof(one))
		abort(); /* an eventfd of ours takes a 1 */
	pthread_join(a->thread, NULL);
	api_loop_end(&a->loop);
	close_endpoint(a);
	close(a->loop.stop);
	free(a);
}
