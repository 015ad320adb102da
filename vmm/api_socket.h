/* SPDX-License-Identifier: MIT */
/* The socket file of the control API: who may have it, and when. */
#ifndef VMM_API_SOCKET_H
#define VMM_API_SOCKET_H

#include <sys/stat.h>

#include "vmm/options.h"

/* A listening socket and the file it is reached by. */
struct api_socket {
	int fd;
	char path[108]; /* as large as a unix address takes */
	dev_t device; /* which file that is: only this one is ours to remove */
	ino_t inode;
};

/*
 * Listen at @path, mode 0600, non-blocking. A socket that nobody listens on is
 * replaced; anything else that is there is left alone and refused. False: one
 * line in *why.
 */
bool api_socket_open(struct api_socket *s, const char *path,
		     struct complaint *why);
/* Remove the file, then stop listening. */
void api_socket_close(struct api_socket *s);

#endif
