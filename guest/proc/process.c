/* SPDX-License-Identifier: MIT */
/* Birth and death of processes. */
#include "guest/proc/process.h"

#include "guest/cpu/cpu.h"
#include "guest/cpu/tlb.h"
#include "guest/dev/apic.h"
#include "guest/fs/file.h"
#include "guest/lib/base.h"
#include "guest/lib/format.h"
#include "guest/proc/sched.h"

/* The kernel's first thread, which waits for those whose parent has ended. */
static struct process *reaper;

struct process *processes;
static uint32_t last_pid;

#define STACK_ORDER 1
#define PATIENCE    50u /* ticks */

static_assert(PAGE_SIZE << STACK_ORDER == STACK_BYTES, "a block is a stack");

struct process *process_new(const char *name, process_fn *fn)
{
	struct frame *stack =
		frames_alloc(STACK_ORDER, ZONE_NORMAL, FRAME_KERNEL);
	struct switch_frame *s;
	struct process *p;

	if (!stack)
		return NULL;
	p = frame_bytes(stack);
	*p = (struct process){
		.parent = current(),
		.next = processes,
		.pinned = -1,
		.state = SLEEPING,
	};
	processes = p;
	if (!reaper)
		reaper = p;
	format(p->name, sizeof(p->name), "%s", name);
	*process_frame(p) = (struct trap_frame){ 0 };
	s = (struct switch_frame *)process_frame(p) - 1;
	*s = (struct switch_frame){ .rbx = (uintptr_t)fn,
				    .rip = (uintptr_t)process_begin };
	p->rsp = (uintptr_t)s;
	return p;
}

uint32_t process_start(struct process *p)
{
	p->pid = ++last_pid;
	sched_add(p);
	return p->pid;
}

void process_kernel(const char *name, process_fn *fn)
{
	struct process *p = process_new(name, fn);

	if (!p)
		panic("no memory for %s", name);
	p->parent = NULL;
	sched_add(p);
}

void process_set_bases(uint64_t fs, uint64_t gs)
{
	current()->fs_base = fs;
	current()->gs_base = gs;
	wrmsr(MSR_FS_BASE, fs);
	wrmsr(MSR_GS_BASE, gs);
}

/* Orphans become children of the kernel's first thread, which waits for all. */
static void give_away_children(struct process *parent)
{
	for (struct process *p = processes; p; p = p->next) {
		if (p->parent != parent)
			continue;
		p->parent = reaper;
		if (p->state == ZOMBIE)
			wake(reaper);
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
	schedule();
	__builtin_unreachable();
}

static void bury(struct process *p)
{
	struct process **link = &processes;

	while (*link != p)
		link = &(*link)->next;
	*link = p->next;
	frame_put(frame_at(direct_pa(p)));
}

/* A child of ours that @pid means: a ZOMBIE if there is one. */
static struct process *child(int64_t pid)
{
	struct process *found = NULL;

	for (struct process *p = processes; p; p = p->next) {
		if (p->parent != current() || (pid != -1 && p->pid != pid))
			continue;
		found = p;
		if (p->state == ZOMBIE)
			break;
	}
	return found;
}

/* What @p had is free again, at the latest when those who use it have ended. */
static void check_leak(const struct process *p)
{
	static uint64_t lost; /* so far */
	uint64_t until = lapic_ticks + PATIENCE, now;

	while ((now = space_strays()) > lost && lapic_ticks < until)
		sleep_until(&lost, lapic_ticks + 1);
	if (now <= lost)
		return;
	print("kernel: leak: when %s (pid %u) had ended %lu frames were "
	      "nobody's\n",
	      p->name, p->pid, now - lost);
	lost = now;
}

int64_t process_wait(int64_t pid, int *status)
{
	struct process *p;

	while ((p = child(pid)) && p->state != ZOMBIE) {
		if (process_dying())
			return -EINTR;
		sleep_on(current());
	}
	if (!p)
		return -ECHILD;
	pid = p->pid;
	*status = p->status;
	check_leak(p);
	bury(p);
	return pid;
}

/* If it sleeps it notices now, if it runs at its next way out of the kernel. */
void process_kill(struct process *p)
{
	p->killed = true;
	if (p->state == SLEEPING)
		wake(p->channel);
}
