/* SPDX-License-Identifier: MIT */
#include "guest/proc/process.h"

#include "guest/cpu/cpu.h"
#include "guest/dev/exit.h"
#include "guest/fs/calls.h"
#include "guest/lib/errno.h"
#include "guest/lib/print.h"
#include "guest/lib/string.h"
#include "guest/mm/fault.h"
#include "guest/mm/user.h"
#include "guest/proc/api.h"
#include "guest/proc/elf.h"
#include "guest/proc/gate.h"

struct process process;

void process_init(void)
{
	struct vma gate = {
		.start = GATE_PAGE,
		.lowest = GATE_PAGE,
		.end = GATE_PAGE + PAGE_SIZE,
		.prot = PROT_READ | PROT_EXEC,
		.kind = LAB_FAULT_DEMAND_FILE,
		.borrowed = true,
		.file = gate_page_pa(),
		.file_bytes = PAGE_SIZE,
	};

	if (space_init(&process.space) || space_add(&process.space, &gate))
		panic("no memory for a process");
	write_cr3(process.space.root);
}

int process_enter(uintptr_t rip, uintptr_t rsp)
{
	struct trap_frame f = {
		.rip = rip,
		.cs = USER_CS,
		.rflags = RFLAGS_IF,
		.rsp = rsp,
		.ss = USER_SS,
	};

	return user_enter(&f);
}

/*
 * The top of the stack as a program finds it: argc, the pointers of argv, a
 * NULL, and above them the strings. Returns the stack pointer, 0 if they do
 * not fit.
 */
static uintptr_t push_arguments(int argc, const char *const *argv)
{
	uintptr_t top = STACK_TOP, at;
	size_t words = (size_t)argc + 2;
	uint64_t word;

	for (int i = 0; i < argc; i++)
		top -= strlen(argv[i]) + 1;
	at = (top - words * 8) & ~15ul;
	word = (uint64_t)argc;
	for (int i = 0; i <= argc; i++) {
		size_t n = i < argc ? strlen(argv[i]) + 1 : 0;

		if (user_write(&process.space, at + (size_t)i * 8, &word, 8))
			return 0;
		word = i < argc ? top : 0;
		if (n && user_write(&process.space, top, argv[i], n))
			return 0;
		top += n;
	}
	if (user_write(&process.space, at + (words - 1) * 8, &word, 8))
		return 0;
	return at;
}

static int load(const struct program *program, uintptr_t *entry)
{
	struct vma stack = {
		.start = STACK_TOP - PAGE_SIZE,
		.lowest = STACK_TOP - STACK_MAX,
		.end = STACK_TOP,
		.prot = PROT_READ | PROT_WRITE,
		.kind = LAB_FAULT_STACK,
	};
	int error = elf_load(&process.space, program, entry, &process.heap);

	process.heap_end = process.heap;
	return error ? error : space_add(&process.space, &stack);
}

int process_run(const struct program *program, int argc,
		const char *const *argv)
{
	uintptr_t entry, rsp;
	int error;

	process.name = program->name;
	process.pid = 1;
	process.quiet = false;
	files_init(process.files);
	error = load(program, &entry);
	rsp = error ? 0 : push_arguments(argc, argv);
	if (!rsp)
		panic("%s cannot be started: error %d", program->name, error);
	return process_enter(entry, rsp);
}

/* Continue where SYS_CATCH said: RAX the vector, RDX error, RCX address. */
static void deliver(struct trap_frame *f, uintptr_t va)
{
	f->rip = process.catch;
	f->rax = f->vector;
	f->rdx = f->error;
	f->rcx = va;
	process.catch = 0;
}

void process_fault(struct trap_frame *f, uintptr_t va)
{
	if (process.catch) {
		deliver(f, va);
		return;
	}
	if (!process.quiet && f->vector == TRAP_PAGE_FAULT)
		print("kernel: %s (pid %u) killed: %s at %#lx, error code %#lx, "
		      "rip %#lx\n",
		      process.name, process.pid, fault_reason(f->error), va,
		      f->error, f->rip);
	else if (!process.quiet)
		print("kernel: %s (pid %u) killed: exception %lu, error code "
		      "%#lx, rip %#lx\n",
		      process.name, process.pid, f->vector, f->error, f->rip);
	user_leave(EXIT_KILLED);
}

bool process_dying(void)
{
	return false;
}

/* The heap is one area that grows, until something lies in its way. */
int64_t process_sbrk(size_t bytes)
{
	struct vma more = {
		.start = page_up(process.heap_end),
		.lowest = page_up(process.heap_end),
		.prot = PROT_READ | PROT_WRITE,
		.kind = LAB_FAULT_DEMAND_ZERO,
	};
	uintptr_t from = process.heap_end;
	int error = 0;

	if (bytes > USER_END - from)
		return -ENOMEM;
	more.end = page_up(from + bytes);
	if (more.end > more.start)
		error = space_add(&process.space, &more);
	if (error)
		return error;
	process.heap_end += bytes;
	return (int64_t)from;
}
