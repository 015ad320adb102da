/* SPDX-License-Identifier: MIT */
/*
 * The system calls of the demonstrations: they show a program the tables,
 * frames and counters that it could not see from ring 3. A real kernel would
 * keep them to itself.
 */
#include "guest/cpu/tlb.h"
#include "guest/dev/lab.h"
#include "guest/dev/apic.h"
#include "guest/lib/base.h"
#include "guest/mm/leaf.h"
#include "guest/mm/slab.h"
#include "guest/mm/zone.h"
#include "guest/proc/syscall.h"
#include "guest/proc/process.h"

int64_t inspect_info(const struct trap_frame *f)
{
	struct sys_info info = {
		.gate = gate_method,
		.cpus = this_machine.cpus,
		.tsc_hz = this_machine.tsc_hz,
		.lapic = (uintptr_t)lapic,
		.lapic_version = lapic[LAPIC_VERSION / 4],
		.lab = (uintptr_t)lab_registers,
		.lab_id = lab_registers ? lab_registers[LAB_ID / 8] : 0,
		.no_execute = pte_nx != 0,
		.tagged = tlb_tagged,
		.smep = !!(read_cr4() & CR4_SMEP),
		.smap = !!(read_cr4() & CR4_SMAP),
		.zeroed = this_machine.zeroed,
		.counts = image_pa(&counts).v,
		.frames = direct_pa(frames).v,
		.zones = image_pa(zones).v,
		.caches = image_pa(caches).v,
		.reserved = image_pa(this_machine.reserved).v,
		.processes = image_pa(&processes).v,
	};

	return user_write(current()->space, f->rdi, &info, sizeof(info));
}

int64_t inspect_memory(const struct trap_frame *f)
{
	pa_t at = { f->rdi };

	if (f->rdx > PAGE_SIZE - page_offset(at.v))
		return -EINVAL;
	if (!zone_has(at))
		return -EFAULT;
	return user_write(current()->space, f->rsi, direct(at), f->rdx);
}

/* The concepts of stage 2 are broken on the way to it. */
static void break_lab(uint64_t *command, uint64_t *arg)
{
	if (*command == LAB_WALK && broken("two-stage"))
		*arg += PAGE_SIZE;
	if ((*command == LAB_UNMAP && broken("stage2-faults")) ||
	    (*command == LAB_EVICT && broken("double-paging")))
		*command = LAB_STATE;
	if (*command == LAB_RESIDENT &&
	    (broken("overcommit") || broken("pressure")))
		*arg = 0;
}

/*
 * The device answers right into the program's page. The ring is between the
 * kernel and the device.
 */
int64_t inspect_lab(const struct trap_frame *f)
{
	uint64_t command = f->rdi, arg = f->rsi, to = 0;

	break_lab(&command, &arg);
	if (command < LAB_COUNTERS || command > LAB_PROGRESS ||
	    (command > LAB_WALK && command < LAB_BALLOON))
		return -EINVAL;
	if (command == LAB_COUNTERS || command == LAB_WALK) {
		void *at = user_byte(current()->space, f->rdx, true);

		if (!at || page_offset(f->rdx))
			return -EFAULT;
		to = direct_pa(at).v;
	}
	if (command == LAB_COUNTERS)
		arg = to;
	return lab_command((enum lab_command)command, arg, to);
}
