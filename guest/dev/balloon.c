/* SPDX-License-Identifier: MIT */
#include "guest/dev/balloon.h"

#include "guest/lib/broken.h"
#include "guest/lib/counts.h"
#include "guest/lib/errno.h"
#include "guest/mm/frame.h"
#include "guest/mm/reclaim.h"
#include "guest/mm/swap.h"
#include "guest/proc/process.h"
#include "guest/proc/sleep.h"

enum { INFLATE, DEFLATE, STATISTICS, REPORTING = 4 };
enum { CONFIG_TARGET = 0, CONFIG_ACTUAL = 4 }; /* frames */

#define FEATURE_STATISTICS (1ul << 1)
#define FEATURE_ON_OOM	   (1ul << 2)
#define FEATURE_REPORTING  (1ul << 5)

/* Tags of 5.5.6.3. */
enum {
	TAG_SWAP_IN = 0,
	TAG_SWAP_OUT = 1,
	TAG_MAJOR_FAULTS = 2,
	TAG_MINOR_FAULTS = 3,
	TAG_FREE = 4,
	TAG_TOTAL = 5,
	TAG_AVAILABLE = 6,
	TAG_CACHES = 7,
	TAG_OOM_KILLS = 10
};

struct statistic {
	uint16_t tag;
	uint64_t value;
} __attribute__((packed));

#define STATISTICS_MOST 10u
#define BATCH		256u /* frame numbers a request */
#define RELIEF		256u /* frames given back at once */
#define REPORT_ORDER	9u
#define REPORT_BLOCKS	8u

/* What is handed to the device lies in one frame. */
struct page {
	uint32_t number[BATCH];
	struct statistic statistic[STATISTICS_MOST];
};

static struct virtio *device;
static struct virtqueue queues[REPORTING + 1];
static struct page *page;
static pa_t page_pa;
static uint32_t held; /* a list of frame numbers */
static unsigned asked; /* the slot by which statistics are asked for */
static bool retreating; /* we were short: no more until the host asks anew */

static struct virtio_part part_of(const void *at, size_t bytes, bool written)
{
	uint64_t offset = (uint64_t)((const char *)at - (const char *)page);

	return (struct virtio_part){ { page_pa.v + offset },
				     (uint32_t)bytes,
				     written };
}

static void run(unsigned queue, const struct virtio_part *parts, unsigned n)
{
	struct virtqueue *q = &queues[queue];
	unsigned slot = virtqueue_take(q);

	virtqueue_run(q, slot, parts, n);
	virtqueue_free(q, slot);
}

static void tell(unsigned queue, unsigned n)
{
	struct virtio_part part =
		part_of(page->number, n * sizeof(page->number[0]), false);

	if (n && !broken("balloon"))
		run(queue, &part, 1);
	virtio_set_config(device, CONFIG_ACTUAL,
			  (uint32_t)counts.balloon_frames);
}

static void hold(struct frame *f)
{
	f->next = held;
	held = (uint32_t)(f - frames);
	counts.balloon_frames++;
}

static struct frame *release(void)
{
	struct frame *f = frames + held;

	held = f->next;
	counts.balloon_frames--;
	return f;
}

/* What is free already: nobody's page is taken for the host's sake. */
static unsigned inflate(uint64_t want)
{
	unsigned n = 0;

	while (n < BATCH && n < want && frame_room()) {
		struct frame *f = frame_alloc_raw(FRAME_BALLOON);

		if (!f)
			break;
		hold(f);
		page->number[n++] = (uint32_t)(f - frames);
	}
	tell(INFLATE, n);
	return n;
}

/* The host hears of it before the frames are used (5.5.6). */
static unsigned deflate(uint64_t want)
{
	struct frame *f[BATCH];
	unsigned n = 0;

	while (n < BATCH && n < want && held) {
		f[n] = release();
		page->number[n] = (uint32_t)(f[n] - frames);
		n++;
	}
	tell(DEFLATE, n);
	for (unsigned i = 0; i < n; i++)
		frame_put(f[i]);
	return n;
}

/* With DEFLATE_ON_OOM the host is content to hear of it later. */
bool balloon_relieve(void)
{
	unsigned n;

	if (!held || !(device->features & FEATURE_ON_OOM))
		return false;
	for (n = 0; n < RELIEF && held; n++)
		frame_put(release());
	counts.balloon_taken_back += n;
	retreating = true;
	wake(device);
	return true;
}

static unsigned add(unsigned n, uint16_t tag, uint64_t value)
{
	page->statistic[n] = (struct statistic){ tag, value };
	return n + 1;
}

static unsigned describe(void)
{
	struct frame_counts c = frame_counts();
	uint64_t room = (c.total - c.used) << PAGE_SHIFT;
	uint64_t cached = c.by_use[FRAME_FILE] << PAGE_SHIFT;
	uint64_t major = counts.swapped_in;
	unsigned n = 0;

	n = add(n, TAG_SWAP_IN, counts.swap_reads << PAGE_SHIFT);
	n = add(n, TAG_SWAP_OUT, counts.swap_writes << PAGE_SHIFT);
	n = add(n, TAG_MAJOR_FAULTS, major);
	n = add(n, TAG_MINOR_FAULTS, counts.faults - major);
	n = add(n, TAG_FREE, room);
	n = add(n, TAG_TOTAL, c.total << PAGE_SHIFT);
	n = add(n, TAG_AVAILABLE, room + cached);
	n = add(n, TAG_CACHES, cached);
	return add(n, TAG_OOM_KILLS, counts.oom_kills);
}

/* 5.5.6.3: the buffer is lent, and comes back when the host wants them. */
static void lend_statistics(void)
{
	struct virtio_part part = part_of(
		page->statistic, describe() * sizeof(struct statistic), false);

	virtqueue_lend(&queues[STATISTICS], asked, &part, 1);
}

uint64_t balloon_report(void)
{
	struct frame *f[REPORT_BLOCKS];
	struct virtio_part parts[REPORT_BLOCKS];
	unsigned n = 0;

	if (!device || !(device->features & FEATURE_REPORTING))
		return 0;
	frame_drain();
	while (n < REPORT_BLOCKS &&
	       (f[n] = frames_alloc(REPORT_ORDER, ZONE_NORMAL,
				    FRAME_BALLOON))) {
		parts[n] =
			(struct virtio_part){ frame_pa(f[n]),
					      PAGE_SIZE << REPORT_ORDER, true };
		n++;
	}
	if (n)
		run(REPORTING, parts, n);
	for (unsigned i = 0; i < n; i++)
		frames_free(f[i], REPORT_ORDER);
	counts.balloon_reported += (uint64_t)n << REPORT_ORDER;
	return (uint64_t)n << REPORT_ORDER;
}

/* One step nearer to what the host wants; false: we are there. */
static bool step(uint32_t target)
{
	if (counts.balloon_frames > target)
		return deflate(counts.balloon_frames - target);
	if (counts.balloon_frames < target && !retreating)
		return inflate(target - counts.balloon_frames);
	return false;
}

static void thread(void *unused)
{
	uint32_t target, before = 0;

	(void)unused;
	for (;;) {
		target = virtio_config(device, CONFIG_TARGET);
		if (target != before)
			retreating = false;
		before = target;
		if (virtqueue_is_done(&queues[STATISTICS], asked))
			lend_statistics();
		if (step(target))
			continue;
		virtio_set_config(device, CONFIG_ACTUAL,
				  (uint32_t)counts.balloon_frames);
		sleep_on(device);
	}
}

static int make_queues(struct virtio *v)
{
	int error = virtqueue_init(&queues[INFLATE], v, INFLATE, 1);

	if (!error)
		error = virtqueue_init(&queues[DEFLATE], v, DEFLATE, 1);
	if (!error)
		error = virtqueue_init(&queues[STATISTICS], v, STATISTICS, 1);
	if (!error && v->features & FEATURE_REPORTING)
		error = virtqueue_init(&queues[REPORTING], v, REPORTING,
				       REPORT_BLOCKS);
	return error;
}

int balloon_start(struct virtio *v)
{
	struct frame *f = frame_alloc(FRAME_DMA);
	int error;

	if (!f)
		return -ENOMEM;
	page_pa = frame_pa(f);
	page = direct(page_pa);
	if (!virtio_begin(v, FEATURE_STATISTICS | FEATURE_ON_OOM |
				     FEATURE_REPORTING) ||
	    !(v->features & FEATURE_STATISTICS))
		return -ENODEV;
	error = make_queues(v);
	if (error)
		return error;
	device = v;
	virtio_go(v);
	asked = virtqueue_take(&queues[STATISTICS]);
	lend_statistics();
	return process_kernel("balloon", thread, NULL) ? 0 : -ENOMEM;
}
