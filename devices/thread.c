/* SPDX-License-Identifier: MIT */
#include "devices/thread.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

void device_thread_begin(const char *name)
{
	cpu_set_t cpus;

	pthread_setname_np(pthread_self(), name);
	if (!sched_getaffinity(getpid(), sizeof(cpus), &cpus))
		sched_setaffinity(0, sizeof(cpus), &cpus);
}
