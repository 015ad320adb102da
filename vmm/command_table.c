/* SPDX-License-Identifier: MIT */
/* The commands, with what --help and the man pages say of them. The words of
 * `run` and `ctl` are in the tables that read them. */
#include "vmm/command.h"

#include "vmm/ctl.h"
#include "vmm/doctor.h"
#include "vmm/explain.h"
#include "vmm/options_part.h"
#include "vmm/pressure.h"
#include "vmm/replay.h"
#include "vmm/run.h"
#include "vmm/top.h"
#include "vmm/trace.h"
#include "vmm/walk_view.h"

#define WORDS(table)	(table), sizeof((table)[0])
#define WORDS_IN(table) &(table)[0].word, sizeof((table)[0])

static void policy_names(FILE *to)
{
	fputs("Policies, the default first:", to);
	for (unsigned i = 0; policies[i]; i++)
		fprintf(to, " %s", policies[i]->name);
}

static void run_more(FILE *to)
{
	policy_names(to);
	fputs("\n", to);
}

static void replay_more(FILE *to)
{
	policy_names(to);
	fputs(" opt\n", to);
}

#define VM_TEXT                                                      \
	"VM is a name (run --name), a pid or the path of a control " \
	"socket."

static const struct word explain_words[] = {
	{ 0, "--json", "", "the report as JSON" },
	{ 0, NULL, NULL, NULL },
};

static const struct word walk_words[] = {
	{ 0, "--json", "", "the references as JSON" },
	{ 0, "--svg", "FILE", "also draw them, a box each" },
	{ 0, NULL, NULL, NULL },
};

static const struct word top_words[] = {
	{ 0, "--once", "", "print one view, of one second, as text" },
	{ 0, NULL, NULL, NULL },
};

static const struct word pressure_words[] = {
	{ 0, "--list", "", "the scenarios that are known by name" },
	{ 0, "--seed", "N", "of what is left to chance [1]" },
	{ 0, "--json", "", "the report as JSON" },
	{ 0, NULL, NULL, NULL },
};

static const struct word trace_words[] = {
	{ 0, "record", "VM [-o FILE] [--seconds N] [--registers]",
	  "trace a running VM into FILE [trace.tft] until ^C; with\n"
	  "the code address of each fault, for some 30 us each" },
	{ 0, "print", "FILE [FILTER...]", "one line an event, by time" },
	{ 0, "stats", "FILE [FILTER...] [--json]",
	  "sums by kind, source, process, latency; and whether they\n"
	  "are what the VM counted" },
	{ 0, "export", "FILE --format csv|chrome|perfetto [-o FILE]",
	  "for other programs; chrome and perfetto are the JSON that\n"
	  "ui.perfetto.dev opens" },
	{ 0, "report", "FILE [FILTER...] -o report.html",
	  "one page for a browser, with plots; needs no network" },
	{ 0, "--gpa", "A[-B]", "FILTER: of the page at A, or of A to B" },
	{ 0, "--gva", "A[-B]",
	  "FILTER: the same in the guest's own addresses" },
	{ 0, "--pid", "N", "FILTER: of that process; 0: the kernel" },
	{ 0, "--kind", "NAME",
	  "FILTER: stage1 stage2 ahead age evict store discard, or\n"
	  "missing, minor, table, data" },
	{ 0, "--slower-than", "TIME", "FILTER: as in 100us, 2ms" },
	{ 0, NULL, NULL, NULL },
};

static const struct word replay_words[] = {
	{ 0, "--verify", "",
	  "alone, before a TRACE from run --trace: does its policy, told\n"
	  "the same in the same order, evict the same pages again?" },
	{ 0, "--frames", "N[,N...]", "so many frames of memory" },
	{ 0, "--policy", "all|NAME[,NAME...]", "which policies [all]" },
	{ 0, "--format", "table|csv|json", "how to print it [table]" },
	{ 0, NULL, NULL, NULL },
};

static const struct word doctor_words[] = {
	{ 0, "--json", "", "the findings as JSON" },
	{ 0, NULL, NULL, NULL },
};

const struct command commands[] = {
	{ "run", "[OPTIONS] [GUEST] [-- GUEST ARGS]",
	  "launch a guest (default: the sample guest)", cmd_run,
	  "Launch GUEST [the sample guest]: a Linux bzImage, an ELF file with a PVH\n"
	  "entry (as Linux's vmlinux has), or a multiboot kernel.\n"
	  "Sizes are binary: 512K, 64M, 2G. Defaults stand in [ ].\n"
	  "The exit status is the guest's own (0 to 123); 124 time-out, 125\n"
	  "twofold could not start or go on, 126 the guest crashed; 130 and\n"
	  "143 after SIGINT and SIGTERM.",
	  WORDS_IN(options), run_more },
	{ "ctl", "VM VERB [ARGS]",
	  "steer a running VM: status, audit, resident, pause, ...", cmd_ctl,
	  VM_TEXT, WORDS_IN(verbs), NULL },
	{ "explain", "VM ADDRESS [--json]",
	  "both stages of one address of a running VM, and why", cmd_explain,
	  "How the running VM translates ADDRESS, level by level through both\n"
	  "stages, and what has happened to its page. ADDRESS is gpa:N or\n"
	  "gva:N; a bare N is a gpa where there is RAM, else a gva, by the\n"
	  "tables that vCPU 0 uses now.\n" VM_TEXT,
	  WORDS(explain_words), NULL },
	{ "walk", "VM ADDRESS [--json] [--svg FILE]",
	  "an address's two-dimensional walk, reference by reference", cmd_walk,
	  "What the CPU reads to translate ADDRESS (as in explain), in order:\n"
	  "the guest's tables, and for each of their entries the stage-2\n"
	  "tables that say where it is; 24 references for 4 KiB pages on\n"
	  "4 KiB pages.\n" VM_TEXT,
	  WORDS(walk_words), NULL },
	{ "pressure", "VM SCENARIO [OPTIONS]",
	  "inject memory pressure, and watch the guest cope", cmd_pressure,
	  "Put a running VM under pressure, and leave it as it was. SCENARIO\n"
	  "is the name of one (--list), a file (with a slash), or text with\n"
	  "spaces: twofold pressure vm1 '0s cap 50% over 5s; 10s end'\n"
	  "The exit status is 0 if all that was expected came true, else 1.\n" VM_TEXT,
	  WORDS(pressure_words), pressure_help },
	{ "top", "VM [--once]", "what a running VM does, once a second",
	  cmd_top,
	  "What a running VM does, in the terminal, once a second: memory and\n"
	  "swap, faults, pages in and out, pressure as in /proc/pressure, the\n"
	  "policy with what others would have missed (asking for that costs the\n"
	  "guest some minor faults), and a map of its memory, a character for\n"
	  "2 MiB or more: # mapped, + unmapped (in memory, under watch), s\n"
	  "stored in swap, . absent, ~ moving, ! poisoned. Keys: c changes the\n"
	  "cap, p the policy, b the balloon, the space bar pauses and resumes,\n"
	  "q quits.\n" VM_TEXT,
	  WORDS(top_words), NULL },
	{ "trace", "record VM | VERB FILE",
	  "record, print, sum up, export, draw faults", cmd_trace,
	  "Faults of both stages, and what reclaim did. FILE is what record\n"
	  "wrote, or run --trace FILE.",
	  WORDS(trace_words), NULL },
	{ "replay", "TRACE --frames N[,N...] [OPTIONS]",
	  "every policy, and OPT, on recorded references", cmd_replay,
	  "The misses of each policy on the references in TRACE, with N frames\n"
	  "of memory; opt is the fewest that are possible. TRACE is text, gzip\n"
	  "allowed, one reference a line as in: r 0x1a2b (or w; then a gfn),\n"
	  "or what `twofold run --trace FILE` wrote.",
	  WORDS(replay_words), replay_more },
	{ "doctor", "[--json]", "what this host offers, and how to fix it",
	  cmd_doctor,
	  "Shows what this host offers, what is missing and how to fix it.\n"
	  "The exit status is 0 if a guest can run here in some way.",
	  WORDS(doctor_words), NULL },
	{ NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL },
};
