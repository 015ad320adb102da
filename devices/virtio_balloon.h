/* SPDX-License-Identifier: MIT */
/*
 * virtio-balloon (virtio 1.2, 5.5): the guest is asked for memory and gives
 * pages up; it says by itself which it does not need; it tells how it feels.
 */
#ifndef DEVICES_VIRTIO_BALLOON_H
#define DEVICES_VIRTIO_BALLOON_H

#include "devices/virtio.h"

#define BALLOON_F_STATS		 (UINT64_C(1) << 1)
#define BALLOON_F_DEFLATE_ON_OOM (UINT64_C(1) << 2)
#define BALLOON_F_HINTS		 (UINT64_C(1) << 3)
#define BALLOON_F_REPORTING	 (UINT64_C(1) << 5)

/*
 * Queues, by the specification's numbers. It leaves gaps for those that were
 * not negotiated; Linux counts without gaps. So from the third on a queue is
 * what its place among those that the driver made ready says.
 */
enum balloon_queue {
	BALLOON_INFLATE,
	BALLOON_DEFLATE,
	BALLOON_STATISTICS,
	BALLOON_HINTS,
	BALLOON_REPORTING,
	BALLOON_QUEUES
};

/* Pages of 4 KiB, whatever else pages are. */
#define BALLOON_PFN_SHIFT 12
#define BALLOON_PFNS_MAX  1024 /* in one request */

/* Config space, 5.5.4. */
struct balloon_config {
	uint32_t num_pages; /* how many we ask for */
	uint32_t actual; /* how many the driver says it has given */
	uint32_t hint_cmd_id, poison_val;
};

/* One statistic as the driver writes it, 5.5.6.3. */
struct balloon_stat {
	uint16_t tag;
	uint64_t value;
} __attribute__((packed));

#define BALLOON_TAGS	  16
#define BALLOON_STATS_MAX 64 /* that are looked at in one buffer */

/* By tag, as reports call them. */
extern const char *const balloon_tag_name[BALLOON_TAGS];

struct balloon_report {
	uint32_t target_pages, actual_pages;
	bool deflate_on_oom, reporting;
	uint32_t hint_host, hint_guest; /* numbers both sides sent last */
	uint64_t inflated, deflated, reported, hinted; /* pages, ever */
	uint64_t discarded; /* of them came out of memory */
	uint64_t skipped; /* numbers that are no RAM, requests of no shape */
	int64_t updated_s; /* when the statistics came, Unix time; 0: never */
	uint32_t known; /* bits by tag: value[] holds */
	uint64_t value[BALLOON_TAGS];
};

struct balloon_setup {
	uint32_t target_pages; /* at first */
	uint64_t ram_pages;
	bool deflate_on_oom, reporting;
};

/* 0 or -errno. */
int virtio_balloon_create(struct virtio **out, const struct balloon_setup *s,
			  const struct virtio_host *host);

/* Any thread. */
/* Have the guest hint at its free pages, a round of which ends when the report
 * says that hint_host is 1. False: its driver does not know how. */
bool balloon_ask_hints(struct virtio *balloon);
void balloon_set_target(struct virtio *balloon, uint32_t pages);
void balloon_report(struct virtio *balloon, struct balloon_report *r);
/* Ask the driver for statistics and wait for them, at most @timeout_ms; not at
 * all when it has lent no buffer for them. */
void balloon_refresh(struct virtio *balloon, unsigned timeout_ms);

#endif
