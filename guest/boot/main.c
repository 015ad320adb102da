/* SPDX-License-Identifier: MIT */
/*
 * The kernel, from its first C instruction to its last: find out what machine
 * this is, set up processor and memory, run a program, and end the run with it.
 *
 * Kernel options: gate=trap uses no syscall instruction even where it works;
 * broken=NAME breaks a concept (lib/broken.h); debug checks freed memory
 * (mm/frame.h).
 */
#include "guest/cpu/smp.h"
#include "guest/dev/lab.h"
#include "guest/dev/apic.h"
#include "guest/dev/console.h"
#include "guest/dev/virtio.h"
#include "guest/fs/file.h"
#include "guest/fs/ext2.h"
#include "guest/lib/base.h"
#include "guest/lib/format.h"
#include "guest/mm/table.h"
#include "guest/mm/reclaim.h"
#include "guest/mm/swap.h"
#include "guest/proc/syscall.h"
#include "guest/proc/sched.h"

static bool trap_only;
const char *broken_concept = "";
bool debug_checks;

static void take_option(const char *option)
{
	if (streq(option, "gate=trap"))
		trap_only = true;
	else if (streq(option, "debug"))
		debug_checks = true;
	else if (str_begins(option, "broken="))
		broken_concept = option + strlen("broken=");
	else
		print("kernel: option '%s' is unknown\n", option);
}

/* The program's, one after the other, each with its NUL. */
static const char *arguments = "tour";
static size_t argument_bytes = sizeof("tour");

/*
 * [KERNEL OPTIONS --] PROGRAM [ARGUMENTS], with blanks between them, and no
 * quoting. QEMU's microvm appends words that begin with "virtio_mmio.": they
 * are not ours.
 */
static void take_words(const char *at)
{
	static char words[4096];
	char *begin = words, *to = words, *word;
	bool options = false; /* have been taken */

	for (;;) {
		while (*at == ' ')
			at++;
		if (!*at)
			break;
		for (word = to; *at && *at != ' '; *to++ = *at++)
			if (to == words + sizeof(words) - 1)
				panic("the command line is too long");
		*to++ = '\0';
		if (str_begins(word, "virtio_mmio.")) {
			to = word;
		} else if (!options && streq(word, "--")) {
			for (char *o = words; o < word; o += strlen(o) + 1)
				take_option(o);
			options = true;
			begin = to;
		}
	}
	if (to > begin) {
		arguments = begin;
		argument_bytes = (size_t)(to - begin);
	}
}

/* Process 1 becomes the program: /bin/NAME, or if there is none, the tour,
 * which knows what is demonstrated by that name. */
static void start_program(void)
{
	const char *name = arguments;
	char path[NAME_BYTES];
	int error;

	format(path, sizeof(path), *name == '/' ? "%s" : "/bin/%s", name);
	error = process_exec(path, arguments, argument_bytes);
	if (error == -ENOENT)
		error = process_exec("/bin/tour", arguments, argument_bytes);
	if (error)
		panic("%s cannot be started: error %d", name, error);
	files_init(current()->files);
}

/* Bury whom nobody else waits for, until the first program has ended. */
static int wait_for_program(void)
{
	int status;

	while (process_wait(-1, &status) != 1)
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
		for (p = processes; p; p = p->next)
			if (p->pid)
				process_kill(p);
	} while (process_wait(-1, &status) > 0);
}

static void print_summary(void)
{
	print("kernel: %lu page faults (%lu demand zero, %lu demand file, "
	      "%lu copy on write, %lu stack, %lu swapped in, %lu refused)\n",
	      counts.faults, counts.demand_zero, counts.demand_file, counts.cow,
	      counts.stack, counts.swapped_in, counts.refused);
}

/* The first thread: what may sleep is started here. */
static void main_thread(void)
{
	struct process *p;
	int status;

	gate_init(trap_only);
	virtio_init();
	fs_mount();
	smp_start(this_machine.cpus);
	swap_init();
	reclaim_init();
	p = process_new(arguments, start_program);
	if (!p)
		panic("no memory for a process");
	process_start(p);
	status = wait_for_program();
	end_others();
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
	machine_read((pa_t){ start_info });
	uart_init();
	take_words(this_machine.cmdline);

	frame_init();
	kmap_init();
	apic_init();
	if (this_machine.lab.there)
		lab_init();
	if (this_machine.dma.there)
		dma_init();
	uart_connect();
	gate_init_cpu();

	process_kernel("main", main_thread);
	sched_idle();
}
