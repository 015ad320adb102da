/* SPDX-License-Identifier: MIT */
/*
 * until TEXT COMMAND...: run it until TEXT is in what it prints, then end it,
 * and print
 *
 *     text_us exits io_exits mmio_exits page_faults
 *
 * from fork to the text, and what KVM has counted until then of all VMs there
 * are (debugfs; 0: unknown). Without the text, what it did print, and status 1.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/child.h"

static char seen[1 << 20];

static unsigned long long counted(const char *name)
{
	unsigned long long n = 0;
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%s", name);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%llu", &n) != 1)
		n = 0;
	if (f)
		fclose(f);
	return n;
}

static int wait_for(const char *text, int from)
{
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(seen) - 1 &&
	       (n = read(from, seen + len, sizeof(seen) - 1 - len)) > 0) {
		/* It may begin in what came before. */
		size_t back = len < strlen(text) ? len : strlen(text);

		len += (size_t)n;
		if (memmem(seen + len - (size_t)n - back, (size_t)n + back,
			   text, strlen(text)))
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	double began = now_us(), took;
	int from, found;
	pid_t pid;

	if (argc < 3)
		return 2;
	pid = child_start(argv + 2, &from);
	found = wait_for(argv[1], from);
	took = now_us() - began;
	if (found)
		printf("%.0f %llu %llu %llu %llu\n", took, counted("exits"),
		       counted("io_exits"), counted("mmio_exits"),
		       counted("pf_taken"));
	else
		printf("no %s: %s\n", argv[1], seen);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return !found;
}
