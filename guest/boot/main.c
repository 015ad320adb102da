/* SPDX-License-Identifier: MIT */
/*
 * The kernel, from its first C instruction to its last: find out what machine
 * this is, set up processor and memory, run a program, and end the run with it.
 *
 * Kernel options: gate=trap uses no syscall instruction even where it works;
 * broken=NAME breaks a concept (lib/broken.h); debug checks freed memory
 * (lib/debug.h).
 */
#include "guest/boot/machine.h"
#include "guest/cpu/cpu.h"
#include "guest/cpu/smp.h"
#include "guest/cpu/trap.h"
#include "guest/dev/dma.h"
#include "guest/dev/exit.h"
#include "guest/dev/irq.h"
#include "guest/dev/lab.h"
#include "guest/dev/lapic.h"
#include "guest/dev/uart.h"
#include "guest/dev/virtio.h"
#include "guest/fs/calls.h"
#include "guest/fs/mount.h"
#include "guest/lib/broken.h"
#include "guest/lib/counts.h"
#include "guest/lib/errno.h"
#include "guest/lib/debug.h"
#include "guest/lib/print.h"
#include "guest/lib/string.h"
#include "guest/mm/fault.h"
#include "guest/mm/frame.h"
#include "guest/mm/kmap.h"
#include "guest/proc/exec.h"
#include "guest/mm/reclaim.h"
#include "guest/mm/swap.h"
#include "guest/proc/gate.h"
#include "guest/proc/inspect.h"
#include "guest/proc/process.h"
#include "guest/proc/program.h"
#include "guest/proc/sched.h"

static struct machine machine;

static bool trap_only;
const char *broken_concept = "";
bool debug_checks;

#define BROKEN "broken="

static void take_option(const char *option)
{
	if (streq(option, "gate=trap"))
		trap_only = true;
	else if (streq(option, "debug"))
		debug_checks = true;
	else if (str_begins(option, BROKEN))
		broken_concept = option + strlen(BROKEN);
	else
		print("kernel: option '%s' is unknown\n", option);
}

/* The next word of *at, cut out of it; "" at the end. */
static const char *next_word(char **at)
{
	char *word = *at, *end;

	while (*word == ' ' || *word == '\t')
		word++;
	for (end = word; *end && *end != ' ' && *end != '\t'; end++)
		;
	*at = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

#define WORDS 128

static const char *words[WORDS + 1]; /* ends in a NULL */

/*
 * [KERNEL OPTIONS --] PROGRAM [ARGUMENTS], all without quoting. QEMU's microvm
 * appends words that begin with "virtio_mmio.": they are not ours.
 */
static void take_words(char *line)
{
	bool options = false; /* have been taken */
	const char *word;
	unsigned n = 0;

	while (*(word = next_word(&line))) {
		if (str_begins(word, "virtio_mmio."))
			continue;
		if (!options && streq(word, "--")) {
			for (unsigned i = 0; i < n; i++)
				take_option(words[i]);
			options = true;
			n = 0;
			continue;
		}
		if (n == WORDS)
			panic("more than %d words on the command line", WORDS);
		words[n++] = word;
	}
	if (!n)
		words[n++] = "tour";
	words[n] = NULL;
}

/* Process 1, or the status of a run without it. */
static int start_program(void)
{
	static struct arguments arguments;
	struct process *p = process_new(words[0]);
	int error = p ? 0 : -ENOMEM;

	for (unsigned i = 0; !error && words[i]; i++)
		error = arguments_add(&arguments, words[i]);
	if (!error)
		error = process_exec(p, words[0], &arguments);
	if (error == -ENOENT) {
		print("kernel: no program '%s'; there are:", words[0]);
		program_list();
		process_drop(p); /* nobody is to wait for it */
		return EXIT_NO_PROGRAM;
	}
	if (error)
		panic("%s cannot be started: error %d", words[0], error);
	files_init(p->files);
	p->pid = process_new_pid();
	sched_add(p);
	return 0;
}

/* Bury whom nobody else waits for, until the first program has ended. */
static int wait_for_program(void)
{
	int status;

	while (process_wait(-1, &status, false) != 1)
		;
	if (status >= STATUS_KILLED)
		return EXIT_KILLED;
	return status > EXIT_MAX ? EXIT_MAX : status;
}

/* Whoever is left ends too, so that nobody writes to the disk any more. */
static void end_others(void)
{
	struct process *p;
	int status;

	do {
		for (unsigned i = 0; (p = process_at(i)); i++)
			if (p->pid)
				process_kill(p->pid, SIGNAL_KILL);
	} while (process_wait(-1, &status, false) > 0);
}

static void print_summary(void)
{
	print("kernel: %lu page faults (%lu demand zero, %lu demand file, "
	      "%lu copy on write, %lu stack, %lu swapped in, %lu refused)\n",
	      counts.faults, counts.demand_zero, counts.demand_file, counts.cow,
	      counts.stack, counts.swapped_in, counts.refused);
}

/* The first thread: what may sleep is started here. */
static void main_thread(void *unused)
{
	int status;

	(void)unused;
	process_reaper = current();
	gate_init(trap_only);
	virtio_init(&machine);
	fs_mount();
	smp_start(machine.cpus);
	swap_init();
	reclaim_init();
	status = start_program();
	if (!status) {
		status = wait_for_program();
		end_others();
	}
	fs_unmount();
	print_summary();
	exit_run(status);
}

/* For start.S. */
_Noreturn void kernel_main(uint32_t start_info);

void kernel_main(uint32_t start_info)
{
	cpu_init();
	smp_init_boot();
	trap_init();
	machine_read(&machine, (pa_t){ start_info });
	uart_init(machine.uart_port);
	exit_init(machine.exit_port);
	take_words(machine.cmdline);

	frame_init(&machine);
	kmap_init(&machine);
	if (machine.lab.there)
		lab_init(machine.lab.at);
	lapic_init();
	irq_init();
	if (machine.dma.there)
		dma_init(machine.dma.at, machine.dma.line);
	uart_connect();
	gate_init_cpu();
	inspect_init(&machine);

	process_kernel("main", main_thread, NULL);
	sched_idle();
}
