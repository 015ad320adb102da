/* SPDX-License-Identifier: MIT */
/*
 * Idle CPUs that stay awake. To wake a thread on a CPU that halted takes an
 * interrupt and the way out of the halt: 20 us and more where that leaves a
 * virtual machine, and a fault pays it twice. While a latency limit of zero is
 * asked for (Linux, PM quality of service, /dev/cpu_dma_latency), idle CPUs
 * poll instead: a random fault took 27 us here and not 79. That costs the host
 * power, but no thread any time; so it is asked for only while faults are
 * frequent, and the kernel withdraws it when the process ends, however it does.
 */
#ifndef EPT_WAKEFUL_H
#define EPT_WAKEFUL_H

#include <pthread.h>
#include <stdbool.h>

struct wakeful {
	int fd; /* -1: the host does not let us */
	pthread_mutex_t lock;
	unsigned holders;
};

/* True: it may be had. Cannot fail otherwise; then hold does nothing. */
bool wakeful_open(struct wakeful *w);
void wakeful_close(struct wakeful *w);

/* Idle CPUs poll while anyone holds. Any thread. */
void wakeful_hold(struct wakeful *w);
void wakeful_release(struct wakeful *w);

#endif
