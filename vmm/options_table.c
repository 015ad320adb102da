/* SPDX-License-Identifier: MIT */
/*
 * The options of `twofold run`: the table that the parser and --help read, and
 * a function for each value. Values that are lists: options_list.c.
 */
#include <stdlib.h>
#include <string.h>

#include "vmm/options_part.h"

#define NAME_LENGTH 64 /* leaves room in a socket's path */
/* In nanoseconds it still fits an int64_t. */
#define TIMEOUT_MAX UINT64_C(1000000000)

static bool set_string(char **to, const char *value, struct complaint *why)
{
	char *copy;

	if (!*value)
		return complaint_set(why, "must not be empty");
	copy = strdup(value);
	if (!copy)
		return complaint_set(why, "no memory");
	free(*to);
	*to = copy;
	return true;
}

static bool set_kernel(struct run_options *o, const char *value,
		       struct complaint *why)
{
	return set_string(&o->kernel, value, why);
}

static bool set_initrd(struct run_options *o, const char *value,
		       struct complaint *why)
{
	return set_string(&o->initrd, value, why);
}

static bool set_cmdline(struct run_options *o, const char *value,
			struct complaint *why)
{
	free(o->cmdline);
	o->cmdline = strdup(value);
	return o->cmdline || complaint_set(why, "no memory");
}

static bool set_trace(struct run_options *o, const char *value,
		      struct complaint *why)
{
	return set_string(&o->trace, value, why);
}

static bool set_trace_refs(struct run_options *o, const char *value,
			   struct complaint *why)
{
	uint64_t ms;

	if (!number_parse(value, &ms) || ms < 1 || ms > 60000)
		return complaint_set(why, "want 1 to 60000 milliseconds");
	o->trace_refs_ms = (unsigned)ms;
	return true;
}

static bool set_stats(struct run_options *o, const char *value,
		      struct complaint *why)
{
	return set_string(&o->stats, value, why);
}

static bool set_api_socket(struct run_options *o, const char *value,
			   struct complaint *why)
{
	return set_string(&o->api_socket, value, why);
}

/* A name becomes a file name: api_path. */
static bool set_name(struct run_options *o, const char *value,
		     struct complaint *why)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-";

	if (value[0] == '.' || value[strspn(value, allowed)] ||
	    strlen(value) > NAME_LENGTH)
		return complaint_set(why,
				     "a name is up to %d letters, digits, "
				     "'_', '-' and '.', and starts with no '.'",
				     NAME_LENGTH);
	return set_string(&o->name, value, why);
}

static bool set_cpus(struct run_options *o, const char *value,
		     struct complaint *why)
{
	uint64_t n;

	if (!number_parse(value, &n) || n < 1 || n > MAX_CPUS)
		return complaint_set(why, "want 1 to %d", MAX_CPUS);
	o->cpus = (unsigned)n;
	return true;
}

static bool set_resident(struct run_options *o, const char *value,
			 struct complaint *why)
{
	uint64_t bytes;

	if (!size_parse(value, 0, &bytes))
		return complaint_set(why, "not a size (64M, 2G)");
	o->resident_bytes = bytes;
	return true;
}

static bool set_policy(struct run_options *o, const char *value,
		       struct complaint *why)
{
	char names[128] = "";

	o->policy = policy_find(value);
	if (o->policy)
		return true;
	for (unsigned i = 0; policies[i]; i++) {
		size_t used = strlen(names);

		snprintf(names + used, sizeof(names) - used, " %s",
			 policies[i]->name);
	}
	return complaint_set(why, "the policies are%s", names);
}

/* The index of @value in @words, ended by NULL; -1: it is none of them. */
static int word_index(const char *value, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(value, words[i]))
			return i;
	return -1;
}

const char *const on_swap_error_name[] = { [SWAP_ERROR_STOP] = "stop",
					   [SWAP_ERROR_KILL] = "kill",
					   [SWAP_ERROR_POISON] = "poison",
					   NULL };

static bool set_on_swap_error(struct run_options *o, const char *value,
			      struct complaint *why)
{
	int i = word_index(value, on_swap_error_name);

	if (i < 0)
		return complaint_set(why, "want stop, poison or kill");
	o->on_swap_error = (enum on_swap_error)i;
	return true;
}

static bool set_accel(struct run_options *o, const char *value,
		      struct complaint *why)
{
	static const char *const words[] = { [ACCEL_AUTO] = "auto",
					     [ACCEL_KVM] = "kvm",
					     [ACCEL_CAPSULE] = "capsule",
					     NULL };
	int i = word_index(value, words);

	if (i < 0)
		return complaint_set(why, "want auto, kvm or capsule");
	o->accel = (enum accel)i;
	return true;
}

const char *const console_name[] = {
	[CONSOLE_UART] = "uart", [CONSOLE_VIRTIO] = "virtio", NULL
};

static bool set_console(struct run_options *o, const char *value,
			struct complaint *why)
{
	int i = word_index(value, console_name);

	if (i < 0)
		return complaint_set(why, "want uart or virtio");
	o->console = (enum console)i;
	return true;
}

static bool set_paging(struct run_options *o, const char *value,
		       struct complaint *why)
{
	static const char *const words[] = { "off", "on", NULL };
	int i = word_index(value, words);

	if (i < 0)
		return complaint_set(why, "want on or off");
	o->paging = i;
	return true;
}

static bool set_timeout(struct run_options *o, const char *value,
			struct complaint *why)
{
	uint64_t seconds;

	if (!number_parse(value, &seconds) || seconds > TIMEOUT_MAX)
		return complaint_set(why, "want whole seconds, 0 for none");
	o->timeout_s = seconds;
	return true;
}

/* A percentage in plain decimals: no sign, exponent or infinity. */
static bool set_mem_slo(struct run_options *o, const char *value,
			struct complaint *why)
{
	const char *number = value + 6;
	char *end;

	if (!strncmp(value, "stall=", 6) && number[0] != '.' &&
	    !number[strspn(number, "0123456789.%")]) {
		o->slo_stall = strtod(number, &end);
		if (end > number && (!*end || !strcmp(end, "%")) &&
		    o->slo_stall > 0 && o->slo_stall <= 100)
			return true;
	}
	return complaint_set(why, "want stall=PERCENT, above 0 and up to 100, "
				  "as in stall=0.5");
}

static bool set_kut(struct run_options *o, const char *value,
		    struct complaint *why)
{
	o->kut = !strcmp(value, "on");
	return o->kut || complaint_set(why, "takes no value");
}

static bool set_inject(struct run_options *o, const char *value,
		       struct complaint *why)
{
	uint64_t nth;

	if (strncmp(value, "flip=", 5) || !number_parse(value + 5, &nth) ||
	    !nth)
		return complaint_set(why, "want flip=N, N from 1");
	o->flip_nth = nth;
	return true;
}

const struct option options[] = {
	{ { 'm', "--memory", "SIZE",
	    "guest RAM, 4M to 8T [512M]; a bare number is MiB.\n"
	    "Also size=SIZE[,page_size=4K|2M][,prefault=off]" },
	  options_memory },
	{ { 'c', "--cpus", "N", "vCPUs, 1 to 8 [1]" }, set_cpus },
	{ { 'k', "--kernel", "FILE", "the same as GUEST" }, set_kernel },
	{ { 'i', "--initrd", "FILE",
	    "what GUEST finds beside itself: Linux's initial RAM disk,\n"
	    "or a multiboot module" },
	  set_initrd },
	{ { 'p', "--cmdline", "TEXT",
	    "the guest's command line, before \" -- GUEST ARGS\"; Linux's\n"
	    "if none is given: [console=ttyS0 panic=-1], with a --disk\n"
	    "and without --initrd also [root=/dev/vda rw]" },
	  set_cmdline },
	{ { 0, "--resident", "SIZE",
	    "hard cap on host memory behind guest RAM [none]; at\n"
	    "least 2M and 1M a vCPU" },
	  set_resident },
	{ { 0, "--mem-slo", "stall=PERCENT",
	    "find the smallest resident set, up to --resident, with\n"
	    "which the guest waits no more than that for memory" },
	  set_mem_slo },
	{ { 0, "--policy", "POLICY",
	    "which page leaves next; the names are below" },
	  set_policy },
	{ { 0, "--swap", "TIER",
	    "where pages go [ram]; repeatable, tried in order:\n"
	    "ram[=SIZE][,codec=lz4|zstd]   compressed memory [lz4]\n"
	    "file=PATH[,size=SIZE]         a directory or a disk\n"
	    "nbd=URI[,size=SIZE][,timeout=SECONDS]   an NBD server, which\n"
	    "                              may be away so long [60]" },
	  options_swap },
	{ { 0, "--share", "path=FILE[,address=GPA]",
	    "FILE as read-only guest memory, with one copy of it for\n"
	    "all VMs that share it; repeatable [above RAM, from 4G]" },
	  options_share },
	{ { 0, "--on-swap-error", "stop|poison|kill",
	    "when a page cannot be had back: pause the guest, give\n"
	    "it a machine check, or end the run with status 125\n"
	    "[stop]" },
	  set_on_swap_error },
	{ { 0, "--disk", "path=FILE[,readonly=on]",
	    "a raw image or block device as a virtio disk; repeatable\n"
	    "[the sample guest's own image, in a private copy, and a\n"
	    "scratch disk]" },
	  options_disk },
	{ { 0, "--net", "user|tap=NAME[,mac=MAC]",
	    "a network device; repeatable. user: a network of its own,\n"
	    "10.0.2.0/24, from which it can reach what you can, this\n"
	    "host as 10.0.2.2; tap: an interface that exists" },
	  options_net },
	{ { 0, "--balloon", "[auto,]size=SIZE[,...]",
	    "ask the guest for so much of its memory at first [0];\n"
	    "auto: then for what it can spare while the host is short;\n"
	    "deflate_on_oom=on|off: it may take it back when it runs\n"
	    "short [on]; free_page_reporting=on|off: it may say what\n"
	    "it has no use for [on]. The sample guest always has one" },
	  options_balloon },
	{ { 0, "--console", "uart|virtio",
	    "which device hears the terminal; both speak to it [uart]" },
	  set_console },
	{ { 0, "--trace", "FILE", "record faults and evictions" }, set_trace },
	{ { 0, "--trace-refs", "MS",
	    "unmap everything that often, so that the trace has the\n"
	    "references between, too: for replay" },
	  set_trace_refs },
	{ { 0, "--stats", "FILE", "write the run's counts as JSON" },
	  set_stats },
	{ { 0, "--name", "NAME", "what ctl calls this VM [its pid]" },
	  set_name },
	{ { 0, "--api-socket", "PATH",
	    "control socket [${XDG_RUNTIME_DIR:-/run}/twofold/NAME.sock]" },
	  set_api_socket },
	{ { 0, "--timeout", "SECONDS",
	    "end the run with status 124 after that time [0: never]" },
	  set_timeout },
	{ { 0, "--accel", "auto|kvm|capsule",
	    "where it runs [auto: the capsule where KVM is missing]" },
	  set_accel },
	{ { 0, "--paging", "on|off",
	    "off leaves guest memory to the host kernel [on]" },
	  set_paging },
	{ { 0, "--kut", "",
	    "for kvm-unit-tests: the test devices that they expect" },
	  set_kut },
	{ { 0, "--inject", "flip=N",
	    "for tests: flip a bit of the Nth page stored" },
	  set_inject },
	{ { 0, NULL, NULL, NULL }, NULL },
};
