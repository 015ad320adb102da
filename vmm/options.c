/* SPDX-License-Identifier: MIT */
/*
 * The command line of `twofold run`: [OPTIONS] [GUEST] [-- GUEST ARGS]. What
 * options there are says options_table.c; here is how they are read, what
 * holds when they are not given, and what must hold between them. An option
 * given twice counts the last time, except --swap, --disk, --net and --share,
 * which add up.
 */
#include "vmm/options.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/options_part.h"

#define MEMORY_DEFAULT (UINT64_C(512) << 20)

/* With less, a vCPU could not have the pages of one instruction and their
 * page tables at the same time. */

/* The rest of the command line while it is read. */
struct rest {
	char **word;
	int n;
	const char *guest; /* GUEST, or NULL */
};

static char *next_word(struct rest *r)
{
	if (!r->n)
		return NULL;
	r->n--;
	return *r->word++;
}

/* Is @word "--NAME" or "--NAME=VALUE" (*value then is VALUE), or the same
 * with a letter: "-L", "-LVALUE"? */
static bool names(const struct word *option, const char *word,
		  const char **value)
{
	size_t len = strlen(option->name);

	*value = NULL;
	if (!strncmp(word, option->name, len)) {
		if (word[len] == '=')
			*value = word + len + 1;
		return !word[len] || *value;
	}
	if (!option->letter || word[1] != option->letter)
		return false;
	if (word[2])
		*value = word + 2;
	return true;
}

static bool take_option(struct run_options *o, const char *word,
			struct rest *rest, struct complaint *why)
{
	const struct option *opt = options;
	struct complaint reason;
	const char *value;

	while (opt->word.name && !names(&opt->word, word, &value))
		opt++;
	if (!opt->word.name)
		return complaint_set(why,
				     "unknown option '%.80s'; twofold run "
				     "--help lists them",
				     word);
	if (!value)
		value = *opt->word.argument ? next_word(rest) : "on";
	if (!value)
		return complaint_set(why, "%s needs a value: %s %s",
				     opt->word.name, opt->word.name,
				     opt->word.argument);
	if (!opt->set(o, value, &reason))
		return complaint_set(why, "%s '%.60s': %s", opt->word.name,
				     value, reason.text);
	return true;
}

static bool take_guest(const char *word, struct rest *rest,
		       struct complaint *why)
{
	if (rest->guest)
		return complaint_set(why,
				     "unexpected '%.80s': there is one GUEST, "
				     "and its own words follow --",
				     word);
	if (!*word)
		return complaint_set(why, "GUEST must not be empty");
	rest->guest = word;
	return true;
}

/* Read up to the words behind "--", which stay in @rest. */
static bool take_all(struct run_options *o, struct rest *rest,
		     struct complaint *why)
{
	for (const char *word; (word = next_word(rest));) {
		bool good = true;

		if (!strcmp(word, "--"))
			return true;
		if (!strcmp(word, "--help") || !strcmp(word, "-h"))
			o->help = true;
		else if (word[0] == '-')
			good = take_option(o, word, rest, why);
		else
			good = take_guest(word, rest, why);
		if (!good || o->help)
			return good;
	}
	return true;
}

static bool settle_kernel(struct run_options *o, const char *guest,
			  struct complaint *why)
{
	if (!guest)
		return true;
	if (o->kernel)
		return complaint_set(why,
				     "'%.80s' and --kernel '%.80s': one guest "
				     "is possible; its own words follow --",
				     guest, o->kernel);
	o->kernel = strdup(guest);
	return o->kernel || complaint_set(why, "no memory");
}

/* One instruction may need its own page, those of its operands and the guest's
 * tables for each, and devices theirs. */
uint64_t options_floor(const struct run_options *o)
{
	if (o->large_pages)
		return (UINT64_C(16) + 16 * o->cpus) << 20;
	return (UINT64_C(2) + o->cpus) << 20;
}

static bool settle_resident(struct run_options *o, struct complaint *why)
{
	uint64_t page = o->large_pages ? LARGE_PAGE : PAGE_SIZE;
	uint64_t floor = options_floor(o);

	o->memory_bytes = (o->memory_bytes + page - 1) & ~(page - 1);
	/* It is a hard cap: rounding up would pass it. */
	o->resident_bytes &= ~(page - 1);
	if (o->resident_bytes < floor)
		return complaint_set(why,
				     "--resident is below %lluM, which %u "
				     "vCPU%s to run",
				     (unsigned long long)(floor >> 20), o->cpus,
				     o->cpus == 1 ? " needs" : "s need");
	if (o->resident_bytes >= o->memory_bytes) {
		o->resident_bytes = o->memory_bytes;
		return true;
	}
	return o->paging || complaint_set(why, "--resident needs --paging on");
}

static bool settle_initrd(const struct run_options *o, struct complaint *why)
{
	return !o->initrd || o->kernel ||
	       complaint_set(why, "--initrd needs a --kernel: the sample guest "
				  "takes none");
}

static bool settle_shares(const struct run_options *o, struct complaint *why)
{
	if (o->shares && o->large_pages)
		return complaint_set(why, "--share needs page_size=4K");
	return !o->shares || o->paging ||
	       complaint_set(why, "--share needs --paging on");
}

static bool settle_slo(const struct run_options *o, struct complaint *why)
{
	return o->slo_stall <= 0 || o->paging ||
	       complaint_set(why, "--mem-slo needs --paging on");
}

static bool settle_balloon(const struct run_options *o, struct complaint *why)
{
	return o->balloon.bytes < o->memory_bytes ||
	       complaint_set(why, "--balloon would take all of memory");
}

/* Without a tier only zero and clean pages could ever leave, and a lower cap
 * may come at any time, by ctl or by the guest. */
static void settle_swap(struct run_options *o)
{
	if (o->paging && !o->swaps)
		o->swap[o->swaps++] = (struct swap_option){ .ram = true };
}

bool options_parse(struct run_options *o, int argc, char **argv,
		   struct complaint *why)
{
	struct rest rest = { .word = argv, .n = argc };

	*o = (struct run_options){
		.memory_bytes = MEMORY_DEFAULT,
		.resident_bytes = UINT64_MAX,
		.cpus = 1,
		.policy = policies[0],
		.on_swap_error = SWAP_ERROR_STOP,
		.accel = ACCEL_AUTO,
		.paging = true,
		.balloon = { .deflate_on_oom = true, .reporting = true },
	};
	if (take_all(o, &rest, why) &&
	    (o->help ||
	     (settle_kernel(o, rest.guest, why) && settle_initrd(o, why) &&
	      settle_resident(o, why) && settle_slo(o, why) &&
	      settle_balloon(o, why) && settle_shares(o, why) &&
	      options_cmdline(o, rest.word, rest.n, why)))) {
		settle_swap(o);
		return true;
	}
	options_free(o);
	return false;
}

void options_free(struct run_options *o)
{
	free(o->kernel);
	free(o->initrd);
	free(o->cmdline);
	for (unsigned i = 0; i < o->swaps; i++)
		free(o->swap[i].path);
	for (unsigned i = 0; i < o->disks; i++)
		free(o->disk[i].path);
	for (unsigned i = 0; i < o->shares; i++)
		free(o->share[i].path);
	for (unsigned i = 0; i < o->nets; i++)
		free(o->net[i].tap);
	free(o->trace);
	free(o->stats);
	free(o->name);
	free(o->api_socket);
	*o = (struct run_options){ .swaps = 0 };
}
