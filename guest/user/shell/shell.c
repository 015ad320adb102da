/* SPDX-License-Identifier: MIT */
/*
 * shell: lines of commands, from the console or after -c.
 *
 *     line      pipeline ; pipeline ...
 *     pipeline  command | command ... [> FILE]
 *     command   WORD ...     words are parted by blanks; there is no quoting
 *
 * A command is a tool (tool.c), a demonstration, or a program in /bin. Each
 * runs in a child; the shell's status is that of the last one.
 */
#include "guest/lib/format.h"
#include "guest/lib/string.h"
#include "guest/user/lib/stdio.h"
#include "guest/user/lib/sys.h"
#include "guest/user/lib/text.h"
#include "guest/user/shell/line.h"
#include "guest/user/shell/tool.h"
#include "guest/user/tour/names.h"

#define WORDS	  32
#define COMMANDS  8
#define NOT_FOUND 120 /* as the kernel itself says it */

struct command {
	int argc;
	char *argv[WORDS + 1];
};

struct pipeline {
	struct command command[COMMANDS];
	int commands;
	const char *to; /* a file, or NULL: the console */
};

static bool is_demonstration(const char *name)
{
#define NAME(function, name, what) name,
	static const char *const names[] = { DEMONSTRATIONS(NAME) };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (streq(names[i], name))
			return true;
	return streq(name, "list");
}

/* In the child: become the command. */
static _Noreturn void run_command(struct command *c)
{
	const struct tool *tool = tool_find(c->argv[0]);
	char path[LINE_BYTES + 8];

	if (tool)
		sys_exit(tool->run(c->argc, c->argv));
	format(path, sizeof(path), "/bin/%s",
	       is_demonstration(c->argv[0]) ? "tour" : c->argv[0]);
	sys_exec(c->argv[0][0] == '/' ? c->argv[0] : path, c->argv);
	dprintf(2, "shell: there is no %s; try help\n", c->argv[0]);
	sys_exit(NOT_FOUND);
}

static void redirect(int fd, int to)
{
	if (fd == to)
		return;
	sys_dup(fd, to);
	sys_close(fd);
}

/* Start one that reads @in and writes @out; the parent closes its own. */
static int64_t start(struct command *c, int in, int out, int unused)
{
	int64_t pid = sys_fork();

	if (pid)
		return pid;
	redirect(in, 0);
	redirect(out, 1);
	if (unused >= 0)
		sys_close(unused);
	run_command(c);
}

static int wait_for(const int64_t *pid, int count)
{
	int status = 1;

	for (int i = 0; i < count; i++)
		if (pid[i] > 0)
			sys_wait(pid[i], &status);
	return status;
}

/* Where the last command writes to. */
static int open_target(const struct pipeline *p)
{
	int64_t fd;

	if (!p->to)
		return 1;
	fd = sys_open(p->to, OPEN_WRITE | OPEN_CREATE | OPEN_TRUNCATE);
	if (fd < 0)
		tool_fail("shell", p->to, fd);
	return (int)fd;
}

static int run_pipeline(struct pipeline *p)
{
	int64_t pid[COMMANDS] = { 0 };
	int target = open_target(p), in = 0;

	for (int i = 0; i < p->commands && target >= 0; i++) {
		bool last = i + 1 == p->commands;
		int fd[2] = { -1, target };

		if (!last && sys_pipe(fd)) {
			tool_fail("shell", "pipe", 0);
			break;
		}
		pid[i] = start(&p->command[i], in, fd[1], fd[0]);
		if (in)
			sys_close(in);
		if (fd[1] != 1)
			sys_close(fd[1]);
		in = fd[0];
		if (pid[i] < 0)
			tool_fail("shell", "fork", pid[i]);
	}
	return wait_for(pid, p->commands);
}

/* Cut @text, up to the end of the pipeline, in place. False: no sense. */
static bool parse(struct pipeline *p, char *text)
{
	struct command *c = p->command;
	bool to = false;

	*p = (struct pipeline){ .commands = 1 };
	for (char *word = text; *word;) {
		size_t n = 0;

		while (word[n] && !strchr(" \t|>", word[n]))
			n++;
		char end = word[n];

		word[n] = '\0';
		if (n && to)
			p->to = word;
		else if (n && c->argc < WORDS)
			c->argv[c->argc++] = word;
		if (end == '|' && (!c->argc || ++p->commands > COMMANDS))
			return false;
		c = &p->command[p->commands - 1];
		to = end == '>' || (to && !p->to);
		word += n + (end != '\0');
	}
	return c->argc && !to;
}

struct shell {
	int status;
	bool over;
};

/* exit, of all commands, is the shell's own. */
static void run_one(struct shell *s, char *text)
{
	struct pipeline p;
	uint64_t status;

	while (*text == ' ' || *text == '\t')
		text++;
	if (!*text)
		return;
	if (!parse(&p, text)) {
		printf("shell: COMMAND [| COMMAND ...] [> FILE]\n");
		s->status = 2;
		return;
	}
	if (!streq(p.command[0].argv[0], "exit")) {
		s->status = run_pipeline(&p);
		return;
	}
	s->over = true;
	if (p.command[0].argc > 1 &&
	    parse_number(p.command[0].argv[1], &status))
		s->status = (int)status;
}

static void run_line(struct shell *s, char *line)
{
	char *next;

	for (; line && !s->over; line = next) {
		next = strchr(line, ';');
		if (next)
			*next++ = '\0';
		run_one(s, line);
	}
}

static void run_arguments(struct shell *s, int argc, char **argv)
{
	char line[4 * LINE_BYTES];
	size_t n = 0;

	line[0] = '\0';
	for (int i = 0; i < argc && n < sizeof(line); i++)
		n += (size_t)format(line + n, sizeof(line) - n, "%s ", argv[i]);
	run_line(s, line);
}

int main(int argc, char **argv)
{
	static char line[LINE_BYTES];
	struct shell s = { 0 };

	if (argc > 2 && streq(argv[1], "-c")) {
		run_arguments(&s, argc - 2, argv + 2);
		return s.status;
	}
	printf("twofold's sample guest. help, list, exit.\n");
	while (!s.over && line_read("$ ", line))
		run_line(&s, line);
	return s.status;
}
