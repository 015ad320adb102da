/* SPDX-License-Identifier: MIT */
/*
 * The kernel, from its first C instruction to its last: find out what machine
 * this is, set up processor and memory, run one program, end the run.
 *
 * Kernel options: gate=trap uses no syscall instruction even where it works;
 * broken=NAME breaks a concept (lib/broken.h).
 */
#include "guest/boot/machine.h"
#include "guest/boot/words.h"
#include "guest/cpu/cpu.h"
#include "guest/cpu/segment.h"
#include "guest/cpu/trap.h"
#include "guest/dev/exit.h"
#include "guest/dev/irq.h"
#include "guest/dev/lab.h"
#include "guest/dev/lapic.h"
#include "guest/dev/uart.h"
#include "guest/fs/image.h"
#include "guest/lib/broken.h"
#include "guest/lib/print.h"
#include "guest/lib/string.h"
#include "guest/mm/fault.h"
#include "guest/mm/frame.h"
#include "guest/mm/kmap.h"
#include "guest/proc/gate.h"
#include "guest/proc/inspect.h"
#include "guest/proc/process.h"

static struct machine machine;
static struct words words;

#define BROKEN "broken="

static bool trap_only;
const char *broken_concept = "";

static void take_options(void)
{
	words_split(&words, machine.cmdline);
	for (int i = 0; i < words.options; i++) {
		if (streq(words.option[i], "gate=trap"))
			trap_only = true;
		else if (str_begins(words.option[i], BROKEN))
			broken_concept = words.option[i] + strlen(BROKEN);
		else
			print("kernel: option '%s' is unknown\n",
			      words.option[i]);
	}
	if (!words.arguments) {
		words.argument[0] = "tour";
		words.argument[1] = NULL;
		words.arguments = 1;
	}
}

static int run(void)
{
	const struct program *program = program_find(words.argument[0]);

	if (!program) {
		print("kernel: no program '%s'; there are:", words.argument[0]);
		program_list();
		return EXIT_NO_PROGRAM;
	}
	return process_run(program, words.arguments, words.argument);
}

static void print_summary(void)
{
	print("kernel: %lu page faults (%lu demand zero, %lu demand file, "
	      "%lu stack, %lu refused)\n",
	      fault_total(), fault_counts[LAB_FAULT_DEMAND_ZERO],
	      fault_counts[LAB_FAULT_DEMAND_FILE],
	      fault_counts[LAB_FAULT_STACK], fault_counts[LAB_FAULT_REFUSED]);
}

/* For start.S. */
_Noreturn void kernel_main(uint32_t start_info);

void kernel_main(uint32_t start_info)
{
	int status;

	cpu_init();
	segment_init();
	trap_init();
	machine_read(&machine, (pa_t){ start_info });
	uart_init(machine.uart_port);
	exit_init(machine.exit_port);
	take_options();

	frame_init(&machine);
	kmap_init(&machine);
	if (machine.has_lab)
		lab_init(machine.lab);
	process_init();
	gate_init(trap_only);
	lapic_init();
	irq_init();
	inspect_init(&machine);
	root_fs = image_mount();

	status = run();
	print_summary();
	exit_run(status);
}
