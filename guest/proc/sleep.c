/* SPDX-License-Identifier: MIT */
/* There is one process: while it waits the processor halts. */
#include "guest/proc/sleep.h"

void sleep_on(const void *channel)
{
	(void)channel;
	__asm__ volatile("sti; hlt; cli" ::: "memory");
}

void sleep_until(const void *channel, uint64_t tick)
{
	(void)tick;
	sleep_on(channel);
}

void wake(const void *channel)
{
	(void)channel;
}
