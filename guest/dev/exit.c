/* SPDX-License-Identifier: MIT */
#include "guest/dev/exit.h"

#include "guest/abi.h"
#include "guest/cpu/cpu.h"
#include "guest/dev/lab.h"
#include "guest/lib/counts.h"

static uint16_t exit_port = ABI_EXIT_PORT;

void exit_init(uint16_t port)
{
	exit_port = port;
}

void exit_run(int status)
{
	lab_finish(counts.faults);
	out32(exit_port, (uint32_t)status);
	cpu_stop();
}
