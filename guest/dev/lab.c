/* SPDX-License-Identifier: MIT */
/* Driver of the lab device. */
#include "guest/dev/lab.h"

#include "guest/lib/base.h"
#include "guest/lib/counts.h"
#include "guest/mm/table.h"

static_assert(sizeof(struct lab_fault) == 64, "one cache line");

union lab_shared lab_shared __attribute__((aligned(4096)));

volatile uint64_t *lab_registers;

int64_t lab_command(enum lab_command command, uint64_t arg0, uint64_t arg1)
{
	uint64_t status;

	if (!lab_registers)
		return -ENODEV;
	lab_registers[LAB_ARG0 / 8] = arg0;
	lab_registers[LAB_ARG1 / 8] = arg1;
	lab_registers[LAB_CMD / 8] = command;
	status = lab_registers[LAB_STATUS / 8];
	return status ? -(int64_t)status
		      : (int64_t)lab_registers[LAB_RESULT / 8];
}

void lab_init(void)
{
	lab_registers = mmio_map(this_machine.lab.at);
	if (lab_registers[LAB_ID / 8] != ABI_LAB_ID)
		panic("there is no lab device, though the tree says so");
	lab_shared.ring.size = LAB_RECORDS;
	lab_runs(0, kernel_root.v, 0);
	if (lab_command(LAB_RING, image_pa(&lab_shared).v, 0) < 0)
		panic("the lab device refuses our fault ring");
}

/* The record is complete in memory before head says that it is there. */
void lab_record(const struct lab_fault *fault)
{
	struct lab_ring *ring = &lab_shared.ring;
	uint32_t head = ring->head;

	if (head - *(volatile uint32_t *)&ring->tail == LAB_RECORDS)
		lab_command(LAB_DRAIN, 0, 0);
	ring->fault[head % LAB_RECORDS] = *fault;
	__atomic_store_n(&ring->head, head + 1, __ATOMIC_RELEASE);
}

void lab_finish(void)
{
	if (lab_tracing())
		lab_command(LAB_DRAIN, 0, 0);
}
