/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <sys/signalfd.h>

#include "vmm/signals.h"

int signals_catch(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file's limit is an error like others */
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}
