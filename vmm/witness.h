/* SPDX-License-Identifier: MIT */
/*
 * Who faulted: what a trace says of a stage-2 fault beside what was done.
 *
 * Which tables the vCPU uses, and for which process, the bundled guest's kernel
 * publishes (guest/abi.h, struct lab_cpu): a look costs next to nothing. Where
 * nothing was published yet, and for other guests when it is asked for, the
 * vCPU is sent a signal while it waits. It then leaves KVM_RUN before it enters
 * the guest again, and says its registers itself: that costs an exit. From
 * there ept/reverse.h finds the gva.
 */
#ifndef VMM_WITNESS_H
#define VMM_WITNESS_H

#include <pthread.h>

#include "ept/reverse.h"
#include "ept/stage2.h"

struct vm;
struct vcpu;

#define WITNESS_PROCESSES 256

struct witness {
	struct reverse *reverse; /* NULL: nothing was ever traced */
	_Atomic bool registers; /* of every fault, not only where needed */
	/* Whose faults were traced, each at a place of its own if there is
	 * room: the page number of its tables, and 24 bits of its pid. */
	_Atomic uint64_t process[WITNESS_PROCESSES];
};

#define TESTIMONIES 32

/* What a vCPU is to say of its registers, and what for: an instruction that
 * KVM emulates may fault more than once before it is heard. */
struct testimony {
	pthread_mutex_t lock; /* the last of all locks */
	pthread_cond_t answered;
	bool answering; /* it has seen what it was asked */
	bool gone; /* it can be asked no more */
	_Atomic unsigned n; /* 0: nothing is wanted */
	struct testimony_asked {
		uint32_t number; /* of the fault */
		bool there; /* it may have gone on from the access */
		uint64_t gpa;
		uint64_t over; /* TSC: when its page was about to be mapped */
	} asked[TESTIMONIES];
};

void testimony_init(struct testimony *t);
void testimony_destroy(struct testimony *t);

/* For vm->stage2's configuration. */
struct stage2_witness witness_of(struct vm *vm);

/* A trace is about to begin; 0 or -ENOMEM. And the end of all. */
int witness_begin(struct vm *vm, bool registers);
void witness_destroy(struct vm *vm);

/* @v, the calling thread's, is about to enter the guest: has it been asked?
 * And: it will not enter it again. */
void witness_testify(struct vcpu *v);
void witness_leave(struct vcpu *v);

/* The process at place @i; *cr3 0: none is there. False: no such place. */
bool witness_process(struct witness *w, unsigned i, uint64_t *cr3,
		     uint32_t *pid);

#endif
