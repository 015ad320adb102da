/* SPDX-License-Identifier: MIT */
#include "guest/proc/inspect.h"

#include "guest/abi.h"
#include "guest/cpu/tlb.h"
#include "guest/dev/balloon.h"
#include "guest/dev/lab.h"
#include "guest/dev/lapic.h"
#include "guest/lib/broken.h"
#include "guest/lib/counts.h"
#include "guest/lib/errno.h"
#include "guest/lib/string.h"
#include "guest/mm/leaf.h"
#include "guest/mm/lru.h"
#include "guest/mm/user.h"
#include "guest/proc/api.h"
#include "guest/proc/gate.h"
#include "guest/proc/process.h"
#include "guest/proc/syscall.h"

static const struct machine *machine;

/* Where the lab device writes its answers: all physical, all ours. */
static union {
	struct lab_counters counters;
	struct lab_walk walk;
} answer __attribute__((aligned(4096)));

void inspect_init(const struct machine *m)
{
	machine = m;
}

static int64_t give(uintptr_t to, const void *from, size_t n)
{
	return user_write(current()->space, to, from, n);
}

int64_t inspect_info(const struct trap_frame *f)
{
	struct vma *stack = space_find(current()->space, STACK_TOP - 1);
	struct sys_info info = {
		.gate = gate_method(),
		.cpus = machine->cpus,
		.tsc_hz = machine->tsc_hz,
		.kernel_text = (uintptr_t)inspect_info,
		.direct_map = DIRECT_BASE,
		.lapic = lapic_va(),
		.lapic_version = lapic_version(),
		.lab = lab_va(),
		.lab_id = lab_id(),
		.stack_start = stack ? stack->start : 0,
		.no_execute = pte_nx != 0,
		.zeroed = machine->zeroed,
	};

	return give(f->rdi, &info, sizeof(info));
}

int64_t inspect_counts(const struct trap_frame *f)
{
	struct frame_counts memory = frame_counts();

	counts.frames_total = memory.total;
	counts.frames_used = memory.used;
	counts.frames_tables = memory.by_use[FRAME_TABLE];
	counts.frames_anon = memory.by_use[FRAME_ANON];
	counts.frames_file = memory.by_use[FRAME_FILE];
	counts.anon_active = lru_count(LRU_ANON, true);
	counts.anon_inactive = lru_count(LRU_ANON, false);
	counts.file_active = lru_count(LRU_FILE, true);
	counts.file_inactive = lru_count(LRU_FILE, false);
	return give(f->rdi, &counts, sizeof(counts));
}

int64_t inspect_pte_clear(const struct trap_frame *f)
{
	struct slot slot = table_walk(current()->space->root, f->rdi);

	if (!space_find(current()->space, f->rdi) || slot.level != 1 ||
	    !(*slot.at & PTE_P))
		return -EFAULT;
	if (f->rsi & ~(PTE_A | PTE_D))
		return -EINVAL;
	*slot.at &= ~f->rsi;
	tlb_flush_page(current()->space, f->rdi);
	return 0;
}

int64_t inspect_frame(const struct trap_frame *f)
{
	struct frame_info info = frame_describe((pa_t){ f->rdi });

	return give(f->rsi, &info, sizeof(info));
}

int64_t inspect_process(const struct trap_frame *f)
{
	const struct process *p =
		f->rdi > UINT32_MAX ? NULL : process_at((unsigned)f->rdi);
	struct sys_process info = { 0 };
	int64_t error;

	if (!p)
		return 0;
	info = (struct sys_process){
		.pid = p->pid,
		.parent = p->parent ? p->parent->pid : 0,
		.state = p->state,
		.cpu = p->cpu,
		.root = p->space ? p->space->root.v : 0,
		.ticks = p->ticks,
	};
	strlcpy(info.name, p->name, sizeof(info.name));
	error = give(f->rsi, &info, sizeof(info));
	return error ? error : 1;
}

/* The concepts of stage 2 are broken on the way to it. */
static void break_lab(struct sys_lab *lab)
{
	if (lab->command == LAB_WALK && broken("two-stage"))
		lab->arg += PAGE_SIZE;
	if (lab->command == LAB_UNMAP && broken("stage2-faults"))
		lab->command = LAB_STATE;
	if (lab->command == LAB_EVICT && broken("double-paging"))
		lab->command = LAB_STATE;
	if (lab->command == LAB_RESIDENT &&
	    (broken("overcommit") || broken("pressure")))
		lab->arg = 0;
}

int64_t inspect_report(const struct trap_frame *f)
{
	(void)f;
	return (int64_t)balloon_report();
}

/* The ring and the fault count are between the kernel and the device. */
int64_t inspect_lab(const struct trap_frame *f)
{
	uint64_t here = image_pa(&answer).v;
	struct sys_lab lab;
	size_t bytes = 0;
	int64_t error;

	if (user_read(current()->space, &lab, f->rdi, sizeof(lab)))
		return -EFAULT;
	break_lab(&lab);
	if (lab.command < LAB_COUNTERS ||
	    (lab.command > LAB_WALK && lab.command != LAB_BALLOON))
		return -EINVAL;
	if (lab.command == LAB_COUNTERS) {
		bytes = sizeof(answer.counters);
		lab.arg = here;
	} else if (lab.command == LAB_WALK) {
		bytes = sizeof(answer.walk);
	}
	error = lab_command(lab.command, lab.arg, here, &lab.result);
	if (!error && bytes)
		error = give(lab.buffer, &answer, bytes);
	if (!error)
		error = give(f->rdi, &lab, sizeof(lab));
	return error;
}
