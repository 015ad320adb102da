/* SPDX-License-Identifier: MIT */
#include "vmm/terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static int terminal = -1; /* the one that is raw */
static struct termios before;

/* Reading the terminal, or setting it, would stop a job in the background. */
static void read_nothing(int fd)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (nothing < 0)
		return;
	dup2(nothing, fd);
	close(nothing);
}

void terminal_raw(int fd)
{
	struct termios raw;

	if (terminal >= 0 || tcgetattr(fd, &before))
		return;
	if (tcgetpgrp(fd) != getpgrp()) {
		read_nothing(fd);
		return;
	}
	raw = before;
	raw.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | IXON | ISTRIP);
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	terminal = fd;
	atexit(terminal_restore);
	tcsetattr(fd, TCSANOW, &raw);
}

void terminal_restore(void)
{
	if (terminal >= 0)
		tcsetattr(terminal, TCSANOW, &before);
	terminal = -1;
}
