/* SPDX-License-Identifier: MIT */
/* The other end of the control API: where a VM's socket is, and one call. */
#include "vmm/api.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/api_peer.h"
#include "vmm/clock.h"
#include "vmm/http.h"

#define RETRY_MS 10

/* ${XDG_RUNTIME_DIR:-/run}; the standard says to ignore a relative one. */
static const char *runtime_folder(void)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");

	return xdg && xdg[0] == '/' ? xdg : "/run";
}

bool api_path(const char *vm, char to[108])
{
	int len;

	if (strchr(vm, '/'))
		len = snprintf(to, 108, "%s", vm);
	else
		len = snprintf(to, 108, "%s/twofold/%s.sock", runtime_folder(),
			       vm);
	return len < 108;
}

/* The folder must be ours, or its owner could put another VM's socket there. */
static int claim_folder(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_uid != geteuid())
		return -EPERM;
	if ((st.st_mode & 07777) != 0700 && fchmod(fd, 0700))
		return -errno;
	return 0;
}

int api_make_folder(void)
{
	char *path;

	if (asprintf(&path, "%s/twofold", runtime_folder()) < 0)
		return -ENOMEM;
	int error = mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
	if (!error) {
		int fd = open(path,
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		error = fd < 0 ? -errno : claim_folder(fd);
		if (fd >= 0)
			close(fd);
	}
	free(path);
	return error;
}

/* Wait until @fd is ready for @events. 0 or -errno. */
static int await(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = deadline - clock_ms();

	if (left <= 0)
		return -ETIMEDOUT;
	return poll(&p, 1, (int)left) < 0 && errno != EINTR ? -errno : 0;
}

/* A non-blocking socket connected to @path, or -errno. */
static int connect_to(const char *path, int64_t deadline)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int error = 0;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	strcpy(to.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* A full backlog is EAGAIN, and nothing tells when it has room. */
	while (!error && connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		if (errno == EAGAIN && clock_ms() < deadline)
			poll(NULL, 0, RETRY_MS);
		else
			error = errno == EAGAIN ? -ETIMEDOUT : -errno;
	}
	if (!error)
		return fd;
	close(fd);
	return error;
}

static int send_all(int fd, const char *from, size_t len, int64_t deadline)
{
	while (len) {
		ssize_t n = send(fd, from, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n > 0) {
			from += n;
			len -= (size_t)n;
			continue;
		}
		int error = await(fd, POLLOUT, deadline);
		if (error)
			return error;
	}
	return 0;
}

/* One call: its answer is the one with its id. A serial port in between may
 * still hold the answer to somebody who did not wait for it. */
struct call {
	int fd;
	int64_t deadline;
	char id[HTTP_TEXT + 1];
	struct http *answer;
};

static int send_request(const struct call *c, const struct api_request *r)
{
	char *head;
	int len = asprintf(&head,
			   "%s %s HTTP/1.1\r\n"
			   "Host: twofold\r\n"
			   "X-Request-Id: %s\r\n"
			   "Content-Type: application/json\r\n"
			   "Content-Length: %zu\r\n%s\r\n",
			   r->method, r->target, c->id, r->len,
			   r->last ? "Connection: close\r\n" : "");

	if (len < 0)
		return -ENOMEM;
	int error = send_all(c->fd, head, (size_t)len, c->deadline);
	free(head);
	if (!error)
		error = send_all(c->fd, r->body, r->len, c->deadline);
	/* Who refuses a request may hang up before all of it was sent, but
	 * says why first. */
	return error == -EPIPE ? 0 : error;
}

static bool is_ours(const struct call *c)
{
	return !strcmp(c->answer->id.text, c->id);
}

/* Take @len bytes, up to the end of our answer. */
static void take(struct call *c, const char *from, size_t len)
{
	struct http *h = c->answer;

	while (len && !h->refusal && !(h->complete && is_ours(c))) {
		if (h->complete)
			http_begin(h, HTTP_RESPONSE);
		size_t used = http_feed(h, from, len);
		from += used;
		len -= used;
	}
}

/* The answer into *c->answer. 0 or -errno. */
static int receive(struct call *c)
{
	struct http *h = c->answer;
	char chunk[4096];

	/* Not until the peer closes: a serial port behind it cannot. */
	while (!h->refusal && !(h->complete && is_ours(c))) {
		ssize_t n = read(c->fd, chunk, sizeof(chunk));

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n == 0) {
			if (!h->complete)
				http_end(h);
			return h->complete && is_ours(c) ? 0 : -ECONNRESET;
		}
		if (n > 0) {
			take(c, chunk, (size_t)n);
			continue;
		}
		int error = await(c->fd, POLLIN, c->deadline);
		if (error)
			return error;
	}
	return h->refusal ? -EPROTO : 0;
}

int api_converse(int fd, const struct api_request *r, int64_t deadline,
		 struct http *answer)
{
	static _Atomic unsigned turn;
	struct call c = { .fd = fd, .deadline = deadline, .answer = answer };
	int error;

	snprintf(c.id, sizeof(c.id), "%d-%" PRId64 "-%u", (int)getpid(),
		 clock_ms(), atomic_fetch_add(&turn, 1));
	http_begin(answer, HTTP_RESPONSE);
	error = send_request(&c, r);
	if (!error)
		error = receive(&c);
	return error ? error : answer->parser.status_code;
}

int api_call(const char *path, const char *method, const char *target,
	     const char *json, int timeout_s, char **body)
{
	int64_t deadline = clock_ms() + timeout_s * INT64_C(1000);
	struct api_request r = { .method = method,
				 .target = target,
				 .body = json ? json : "",
				 .len = json ? strlen(json) : 0,
				 .last = true };
	struct http *answer = malloc(sizeof(*answer));
	int fd, status;

	if (!answer)
		return -ENOMEM;
	fd = connect_to(path, deadline);
	status = fd < 0 ? fd : api_converse(fd, &r, deadline, answer);
	if (fd >= 0)
		close(fd);
	if (status > 0 && body) {
		*body = strdup(answer->body);
		if (!*body)
			status = -ENOMEM;
	}
	free(answer);
	return status;
}
