/* SPDX-License-Identifier: MIT */
/* A command whose output is read, and a clock for it. */
#ifndef TESTS_BENCH_CHILD_H
#define TESTS_BENCH_CHILD_H

#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static inline double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Start it with its output in a pipe, whose other end is *from. Ends the
 * program with 2 if there is no pipe. */
static inline pid_t child_start(char **command, int *from)
{
	int fd[2];
	pid_t pid;

	if (pipe(fd))
		exit(2);
	pid = fork();
	if (pid == 0) {
		dup2(fd[1], STDOUT_FILENO);
		dup2(fd[1], STDERR_FILENO);
		close(fd[0]);
		close(fd[1]);
		execvp(command[0], command);
		_exit(127);
	}
	close(fd[1]);
	*from = fd[0];
	return pid;
}

#endif
