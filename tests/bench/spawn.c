/* SPDX-License-Identifier: MIT */
/*
 * spawn COMMAND...: run it once, with its output in a pipe, and print
 *
 *     first_byte_us exit_us max_rss_kib status
 *
 * from fork to the first byte that it wrote, and to its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
	double start = now_us(), first = 0;
	struct rusage used;
	char bytes[4096];
	int fd[2], status;
	pid_t pid;

	if (argc < 2 || pipe(fd))
		return 2;
	pid = fork();
	if (pid == 0) {
		dup2(fd[1], STDOUT_FILENO);
		dup2(fd[1], STDERR_FILENO);
		close(fd[0]);
		close(fd[1]);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	close(fd[1]);
	while (read(fd[0], bytes, sizeof(bytes)) > 0)
		if (first == 0)
			first = now_us() - start;
	if (wait4(pid, &status, 0, &used) != pid)
		return 2;
	printf("%.0f %.0f %ld %d\n", first, now_us() - start, used.ru_maxrss,
	       WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return 0;
}
