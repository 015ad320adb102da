/* SPDX-License-Identifier: MIT */
/* Parts of the command line's parser with a file of their own. */
#ifndef VMM_OPTIONS_PART_H
#define VMM_OPTIONS_PART_H

#include "vmm/command.h"
#include "vmm/options.h"

/*
 * KVM takes at most 2^31 - 1 pages in a memory slot (linux/kvm_host.h,
 * KVM_MEM_MAX_NR_PAGES), and all RAM above 4 GiB is one.
 */
#define MEMORY_MIN (UINT64_C(4) << 20)
#define MEMORY_MAX (UINT64_C(8) << 40)

struct option {
	struct word word;
	/* False: *why says what is wrong with the value, without naming the
	 * option. */
	bool (*set)(struct run_options *o, const char *value,
		    struct complaint *why);
};

/* All options that take a value, ended by one without a name. */
extern const struct option options[];

/* An element of a list. */
struct item {
	const char *key, *value; /* value is NULL when there is no '=' */
	bool first;
};

/* Put @item, which is gone afterwards, into @to. False: *why. */
typedef bool item_fn(void *to, const struct item *item, struct complaint *why);
/* Take all items of the list @value, or those before the first bad one. */
bool list_read(const char *value, item_fn *take, void *to,
	       struct complaint *why);
/* Is it KEY=VALUE? */
bool item_is(const struct item *item, const char *key);

/* The values of --memory, --swap, --disk, --balloon, --share, --net: key=value
 * lists; as option.set. */
bool options_memory(struct run_options *o, const char *value,
		    struct complaint *why);
bool options_swap(struct run_options *o, const char *value,
		  struct complaint *why);
bool options_disk(struct run_options *o, const char *value,
		  struct complaint *why);
bool options_balloon(struct run_options *o, const char *value,
		     struct complaint *why);
bool options_share(struct run_options *o, const char *value,
		   struct complaint *why);
bool options_net(struct run_options *o, const char *value,
		 struct complaint *why);

/*
 * Make o->cmdline, so far the TEXT of -p or NULL, the whole guest command
 * line: TEXT, the @n words behind -- joined by spaces, or "TEXT -- words".
 */
bool options_cmdline(struct run_options *o, char **word, int n,
		     struct complaint *why);

#endif
