/* SPDX-License-Identifier: MIT */
/* A command of twofold, run in a child: what it printed and how it ended. */
#ifndef TESTS_CAPTURE_H
#define TESTS_CAPTURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct capture {
	int status; /* of exit; -1: killed */
	char *out, *err; /* what went to stdout and stderr */
};

static inline char *capture_text(int fd)
{
	off_t len = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, (size_t)len + 1);

	if (!text || pread(fd, text, (size_t)len, 0) != len)
		abort();
	close(fd);
	return text;
}

/* Run command(@words), which end with NULL. Free with capture_free. */
static inline struct capture capture_run(int (*command)(int, char **),
					 const char *const words[])
{
	int out = memfd_create("stdout", MFD_CLOEXEC);
	int err = memfd_create("stderr", MFD_CLOEXEC);
	int argc = 0, status;

	while (words[argc])
		argc++;
	fflush(NULL);
	pid_t child = fork();
	if (!child) {
		dup2(out, 1);
		dup2(err, 2);
		status = command(argc, (char **)(uintptr_t)words);
		fflush(NULL);
		_exit(status);
	}
	if (waitpid(child, &status, 0) != child)
		abort();
	return (struct capture){
		.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		.out = capture_text(out),
		.err = capture_text(err),
	};
}

static inline void capture_free(struct capture *c)
{
	free(c->out);
	free(c->err);
}

#endif
