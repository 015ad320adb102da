/* SPDX-License-Identifier: MIT */
/* Birth and death of processes. */
#include "guest/proc/process.h"

#include <assert.h>

#include "guest/cpu/tlb.h"
#include "guest/fs/calls.h"
#include "guest/lib/errno.h"
#include "guest/lib/string.h"
#include "guest/mm/frame.h"
#include "guest/mm/objects.h"
#include "guest/proc/sched.h"
#include "guest/proc/sleep.h"

struct process *process_reaper;

/* All but the idle ones, newest first. */
static struct process *all;
static uint32_t last_pid;

#define STACK_ORDER 1
static_assert(PAGE_SIZE << STACK_ORDER == STACK_BYTES, "a block is a stack");

/* A process that will go on at @rip when it is first chosen. */
static struct process *create(const char *name, void (*rip)(void),
			      size_t frame_bytes)
{
	struct frame *stack =
		frames_alloc(STACK_ORDER, ZONE_NORMAL, FRAME_KERNEL);
	struct switch_frame *s;
	struct process *p;

	if (!stack)
		return NULL;
	p = direct(frame_pa(stack));
	*p = (struct process){ .pinned = -1, .state = SLEEPING };
	strlcpy(p->name, name, sizeof(p->name));
	s = (struct switch_frame *)(stack_top(p) - frame_bytes) - 1;
	*s = (struct switch_frame){ .rip = (uintptr_t)rip };
	p->rsp = (uintptr_t)s;
	return p;
}

static void enlist(struct process *p, struct process *parent)
{
	p->parent = parent;
	p->next = all;
	all = p;
}

struct process *process_new(const char *name)
{
	struct process *p = create(name, begin_user, sizeof(struct trap_frame));

	if (!p)
		return NULL;
	*process_frame(p) = (struct trap_frame){ 0 };
	enlist(p, current());
	return p;
}

uint32_t process_new_pid(void)
{
	return ++last_pid;
}

struct process *process_kernel(const char *name, thread_fn *fn, void *arg)
{
	struct process *p = create(name, begin_kernel, 0);
	struct switch_frame *s;

	if (!p)
		return NULL;
	s = (struct switch_frame *)p->rsp;
	s->rbx = (uintptr_t)fn;
	s->r12 = (uintptr_t)arg;
	enlist(p, NULL);
	sched_add(p);
	return p;
}

struct process *process_idle(void)
{
	return create("idle", begin_kernel, 0);
}

/* Orphans become children of the kernel's first thread, which waits for all. */
static void give_away_children(struct process *parent)
{
	for (struct process *p = all; p; p = p->next) {
		if (p->parent != parent)
			continue;
		p->parent = process_reaper;
		if (p->state == ZOMBIE)
			wake(process_reaper);
	}
}

_Noreturn void process_exit(int status)
{
	struct process *p = current();
	struct space *s = p->space;

	files_close(p->files);
	give_away_children(p);
	objects_free(&p->objects);
	tlb_load(NULL);
	p->space = NULL;
	if (s)
		space_free(s);
	p->status = status;
	p->state = ZOMBIE;
	wake(p->parent);
	sched_leave();
}

static void bury(struct process *p)
{
	struct process **link = &all;

	while (*link != p)
		link = &(*link)->next;
	*link = p->next;
	frame_put(frame_at(direct_pa(p)));
}

void process_drop(struct process *p)
{
	bury(p);
}

/* A child of ours that @pid means: a ZOMBIE if there is one. */
static struct process *child(int64_t pid)
{
	struct process *found = NULL;

	for (struct process *p = all; p; p = p->next) {
		if (p->parent != current() || (pid != -1 && p->pid != pid))
			continue;
		found = p;
		if (p->state == ZOMBIE)
			break;
	}
	return found;
}

int64_t process_wait(int64_t pid, int *status, bool no_hang)
{
	struct process *p;

	while ((p = child(pid)) && p->state != ZOMBIE) {
		if (no_hang)
			return 0;
		if (process_dying())
			return -EINTR;
		sleep_on(current());
	}
	if (!p)
		return -ECHILD;
	pid = p->pid;
	*status = p->status;
	bury(p);
	return pid;
}

struct process *process_find(uint32_t pid)
{
	struct process *p = all;

	while (p && (p->pid != pid || p->state == ZOMBIE))
		p = p->next;
	return pid ? p : NULL;
}

struct process *process_at(unsigned index)
{
	struct process *p = all;

	while (p && index--)
		p = p->next;
	return p;
}

/* If it sleeps it notices now, if it runs at its next way out of the kernel. */
int process_kill(uint32_t pid, int signal)
{
	struct process *p = process_find(pid);

	if (!p)
		return -ESRCH;
	p->signal = signal;
	if (p->state == SLEEPING)
		sched_rouse(p);
	return 0;
}
