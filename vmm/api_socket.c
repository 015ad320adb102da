/* SPDX-License-Identifier: MIT */
/*
 * Two VMs may start with one path at the same moment. Looking whether a socket
 * is stale, removing it and making a new one is therefore done under a lock of
 * the folder, so that neither removes the socket that the other just made.
 */
#include "vmm/api_socket.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG	   64
#define LOCK_TRIES 200 /* of 10 ms */

static_assert(sizeof(((struct api_socket *)0)->path) ==
		      sizeof(((struct sockaddr_un *)0)->sun_path),
	      "a path that fits one fits the other");

static bool complain(struct complaint *why, const char *path, const char *what)
{
	return complaint_set(why, "%s: %s", path, what);
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	memcpy(to.sun_path, path, strlen(path) + 1);
	return to;
}

/* The locked folder of @path, to be closed; -1 and errno. */
static int lock_folder(const char *path)
{
	char folder[sizeof(((struct api_socket *)0)->path)] = ".";
	const char *slash = strrchr(path, '/');

	/* "/x" lies in "/". */
	if (slash)
		snprintf(folder, sizeof(folder), "%.*s",
			 slash == path ? 1 : (int)(slash - path), path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return fd;
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	close(fd);
	errno = EBUSY;
	return -1;
}

/* Is @path a socket that nobody listens on? */
static bool stale(const char *path)
{
	struct sockaddr_un to = address_of(path);
	struct stat st;

	/* Connecting to what is no socket is refused in the same way. */
	if (lstat(path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	bool refused = connect(fd, (struct sockaddr *)&to, sizeof(to)) &&
		       errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static bool bind_here(int fd, const char *path, struct complaint *why)
{
	struct sockaddr_un at = address_of(path);

	/* Linux makes the file with the socket's own mode: it is never wider,
	 * not even between two calls, and no umask of other threads changes. */
	if (fchmod(fd, 0600))
		return complain(why, path, strerror(errno));
	if (!bind(fd, (struct sockaddr *)&at, sizeof(at)))
		return true;
	if (errno != EADDRINUSE)
		return complain(why, path, strerror(errno));
	if (!stale(path))
		return complain(why, path,
				"in use; give another --api-socket or --name");
	if (unlink(path) || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		return complain(why, path, strerror(errno));
	return true;
}

static bool listen_here(struct api_socket *s, struct complaint *why)
{
	struct stat st;

	if (!bind_here(s->fd, s->path, why))
		return false;
	if (listen(s->fd, BACKLOG) || lstat(s->path, &st)) {
		complain(why, s->path, strerror(errno));
		unlink(s->path);
		return false;
	}
	s->device = st.st_dev;
	s->inode = st.st_ino;
	return true;
}

bool api_socket_open(struct api_socket *s, const char *path,
		     struct complaint *why)
{
	if (!*path)
		return complain(why, "--api-socket", "an empty path");
	if (strlen(path) >= sizeof(s->path))
		return complaint_set(why,
				     "%.120s...: a socket's path has at most "
				     "%zu bytes",
				     path, sizeof(s->path) - 1);
	strcpy(s->path, path);

	int folder = lock_folder(path);
	if (folder < 0)
		return complain(why, path, strerror(errno));
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool ok = s->fd >= 0 ? listen_here(s, why)
			     : complain(why, path, strerror(errno));
	if (!ok && s->fd >= 0)
		close(s->fd);
	close(folder);
	return ok;
}

void api_socket_close(struct api_socket *s)
{
	struct stat st;

	/* As long as this one listens, no other VM replaces the file. */
	if (!lstat(s->path, &st) && st.st_dev == s->device &&
	    st.st_ino == s->inode)
		unlink(s->path);
	close(s->fd);
}
