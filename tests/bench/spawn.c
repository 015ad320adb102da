/* SPDX-License-Identifier: MIT */
/*
 * spawn COMMAND...: run it once, with its output in a pipe, and print
 *
 *     first_byte_us exit_us max_rss_kib status
 *
 * from fork to the first byte that it wrote, and to its end.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/child.h"

int main(int argc, char **argv)
{
	double start = now_us(), first = 0;
	struct rusage used;
	char bytes[4096];
	int from, status;
	pid_t pid;

	if (argc < 2)
		return 2;
	pid = child_start(argv + 1, &from);
	while (read(from, bytes, sizeof(bytes)) > 0)
		if (first == 0)
			first = now_us() - start;
	if (wait4(pid, &status, 0, &used) != pid)
		return 2;
	printf("%.0f %.0f %ld %d\n", first, now_us() - start, used.ru_maxrss,
	       WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return 0;
}
