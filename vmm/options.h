/* SPDX-License-Identifier: MIT */
/* The command line of `twofold run`, parsed and checked, nothing opened. */
#ifndef VMM_OPTIONS_H
#define VMM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ept/policy.h"
#include "ept/tier.h"

#define MAX_CPUS      8
#define MAX_SWAPS     8
#define MAX_DISKS     8
#define MAX_SHARES    4
#define MAX_NETS      4

#define LARGE_PAGE    (UINT64_C(2) << 20) /* bytes */

#define NBD_TIMEOUT_S 60 /* how long a server may be away */

enum accel { ACCEL_AUTO, ACCEL_KVM, ACCEL_CAPSULE };
enum on_swap_error { SWAP_ERROR_STOP, SWAP_ERROR_KILL, SWAP_ERROR_POISON };

enum console { CONSOLE_UART, CONSOLE_VIRTIO };

extern const char *const console_name[]; /* ended by NULL */
extern const char *const on_swap_error_name[]; /* ended by NULL */

struct swap_option {
	bool ram, nbd; /* neither: file */
	char *path; /* file: directory or block device; nbd: its URI */
	uint64_t size; /* bytes; 0: not given */
	unsigned timeout_s; /* nbd: how long a server may be away */
	enum codec codec; /* ram */
};

struct disk_option {
	char *path; /* NULL: an unnamed file of zeros */
	uint64_t bytes; /* of that */
	bool readonly;
	bool copy; /* what is written goes to a copy of our own */
};

struct balloon_option {
	bool given; /* else only the sample guest has one */
	uint64_t bytes; /* that the guest is asked for at first */
	bool automatic; /* its size is ours to choose, from then on */
	bool deflate_on_oom, reporting;
};

/* A network device. */
struct net_option {
	enum { NET_USER, NET_TAP } kind;
	char *tap; /* its interface's name */
	bool mac_given; /* mac: */
	uint8_t mac[6];
};

/* A file that is read-only guest memory. */
struct share_option {
	char *path;
	bool placed; /* at: */
	uint64_t address; /* guest-physical, whole pages */
};

struct run_options {
	bool kut; /* the devices of kvm-unit-tests are there */
	bool help; /* --help was read; nothing else counts */
	char *kernel; /* NULL: the sample guest */
	char *initrd; /* NULL: none */
	/* -p TEXT and the words behind --, as vmm/options_cmdline.c joins them;
	 * "" when there are none */
	char *cmdline;
	bool large_pages; /* host memory in pages of 2 MiB */
	uint64_t memory_bytes; /* whole host pages */
	uint64_t resident_bytes; /* whole host pages; memory_bytes: no cap */
	unsigned cpus;
	const struct policy_ops *policy;
	struct swap_option swap[MAX_SWAPS];
	unsigned swaps;
	struct disk_option disk[MAX_DISKS];
	unsigned disks;
	struct balloon_option balloon;
	struct share_option share[MAX_SHARES];
	unsigned shares;
	struct net_option net[MAX_NETS];
	unsigned nets;
	enum on_swap_error on_swap_error;
	enum accel accel;
	enum console console; /* which device the terminal's input goes to */
	char *trace, *stats, *name, *api_socket; /* NULL: not given */
	unsigned trace_refs_ms; /* 0: the trace holds faults only */
	uint64_t timeout_s; /* 0: none */
	uint64_t flip_nth; /* --inject flip=N, a test hook: see ept/swap.h */
	double slo_stall; /* --mem-slo: percent; 0: none */
	bool paging; /* --paging on|off; off: the kernel's own first touch */
};

/* What a wrong command line prints, without newline. */
struct complaint {
	char text[256];
};

/* Write it in printf's manner: one line, whatever the arguments hold. Always
 * false, so that a failing check can return it. */
__attribute__((format(printf, 2, 3))) bool complaint_set(struct complaint *why,
							 const char *format,
							 ...);

/*
 * Parse argv[0..argc) behind the word "run". False: one line in *why. The
 * strings of *o are owned by it: options_free.
 */
bool options_parse(struct run_options *o, int argc, char **argv,
		   struct complaint *why);
void options_free(struct run_options *o);

/*
 * A size: digits and a binary suffix B K M G T (or KiB, MiB, GiB, TiB; either
 * case). A bare number means @bare bytes a unit; 0: a suffix is needed. False
 * on anything else, and on overflow.
 */
bool size_parse(const char *text, uint64_t bare, uint64_t *bytes);

/* A plain decimal number. False on anything else, and on overflow. */
bool number_parse(const char *text, uint64_t *number);

/* The least that may be resident: what a guest needs to run at all. */
uint64_t options_floor(const struct run_options *o);

#endif
