/* SPDX-License-Identifier: MIT */
#include "vmm/terminal.h"

#include <stdlib.h>
#include <termios.h>

static int terminal = -1; /* the one that is raw */
static struct termios before;

void terminal_raw(int fd)
{
	struct termios raw;

	if (terminal >= 0 || tcgetattr(fd, &before))
		return;
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
