/* SPDX-License-Identifier: MIT */
/* ps, kill: processes. */
#include "guest/user/lib/kernel.h"
#include "guest/user/lib/stdio.h"
#include "guest/user/lib/sys.h"
#include "guest/user/shell/tool.h"

static const char *const states[] = {
	[RUNNABLE] = "ready",
	[RUNNING] = "running",
	[SLEEPING] = "asleep",
	[ZOMBIE] = "ended",
};

static const char *state_name(unsigned state)
{
	return state < sizeof(states) / sizeof(states[0]) ? states[state] : "?";
}

int tool_ps(int argc, char **argv)
{
	struct process_info p;
	int64_t more = 0;

	(void)argc;
	printf("%5s %6s %-7s %3s %9s %6s %10s %s\n", "PID", "PARENT", "STATE",
	       "CPU", "RESIDENT", "TICKS", "TABLES", "NAME");
	for (unsigned i = 0; (more = process_info(i, &p)) == 1; i++)
		printf("%5u %6u %-7s %3u %8luK %6lu %#10lx %s\n", p.pid,
		       p.parent, state_name(p.state), p.cpu, p.resident * 4,
		       p.ticks, p.root, p.name);
	return more ? tool_fail(argv[0], "list", more) : 0;
}

int tool_kill(int argc, char **argv)
{
	uint64_t pid;
	int64_t error;

	if (argc != 2 || !parse_number(argv[1], &pid)) {
		printf("kill: PID\n");
		return 2;
	}
	error = sys_kill((int64_t)pid, SIGNAL_KILL);
	return error ? tool_fail(argv[0], argv[1], error) : 0;
}
