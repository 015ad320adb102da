/* SPDX-License-Identifier: MIT */
/*
 * Driver of the balloon (virtio 1.2, 5.5), a kernel thread. Frames in it are
 * the hypervisor's: it may have asked for them to lower the guest's use of the
 * host, and what they held is gone. When the guest runs short it takes some
 * back without asking. Free blocks are *reported*: they stay ours, but the host
 * need not keep their bytes. *Hints* are the same at the host's wish (5.5.6.6):
 * from the number that it sends until DONE the free blocks are kept aside; but
 * when we run short they are used again without a word: the host sees it.
 */

#include "guest/dev/virtio.h"
#include "guest/lib/broken.h"
#include "guest/mm/zone.h"
#include "guest/proc/sched.h"
#include "guest/proc/syscall.h"

enum { INFLATE, DEFLATE, STATISTICS, HINTS, REPORTING };
/* Words: frames, and the number of a round of hints, or one of these. */
enum { CONFIG_TARGET, CONFIG_ACTUAL, CONFIG_HINTS };
enum { HINTS_STOP, HINTS_DONE };

#define FEATURE_STATISTICS (1ul << 1)
#define FEATURE_ON_OOM	   (1ul << 2)
#define FEATURE_HINTS	   (1ul << 3)
#define FEATURE_REPORTING  (1ul << 5)

#define BATCH		   1024u /* frame numbers a request */
#define RELIEF		   256u /* frames given back at once */
#define REPORT_ORDER	   9u
#define REPORT_BLOCKS	   8u
#define TAGS		   9u

static struct virtio *device;
static uint32_t number[BATCH]; /* what the device is told of */
static uint32_t held; /* a list of frame numbers */
static uint32_t hinted; /* a list of blocks */
static bool retreating; /* we were short: no more until the host asks anew */

static void tell(unsigned queue, unsigned n)
{
	const struct virtio_part part = { number, n * sizeof(number[0]),
					  false };

	if (n && !broken("balloon"))
		virtqueue_run(device->queues[queue], &part, 1);
}

static struct frame *release(void)
{
	struct frame *f = frames + held;

	held = f->next;
	counts.balloon_frames--;
	return f;
}

/* What is free already: nobody's page is taken for the host's sake. While the
 * host is at them we cannot have them back. */
static unsigned inflate(uint64_t want)
{
	const uint64_t room = frame_room();
	unsigned n = 0;
	struct frame *f;

	while (n < BATCH && n < want && n < room &&
	       (f = frame_alloc_raw(FRAME_BALLOON)))
		number[n++] = (uint32_t)(f - frames);
	tell(INFLATE, n);
	for (unsigned i = 0; i < n; i++) {
		frames[number[i]].next = held;
		held = number[i];
	}
	counts.balloon_frames += n;
	return n;
}

/* The host hears of it before the frames are used (5.5.6). */
static unsigned deflate(uint64_t want)
{
	unsigned n = 0;

	while (n < BATCH && n < want && held)
		number[n++] = (uint32_t)(release() - frames);
	tell(DEFLATE, n);
	for (unsigned i = 0; i < n; i++)
		frame_put(frames + number[i]);
	return n;
}

/* Say that a large block is free, and keep it in *@list. False: there is none. */
static bool offer(unsigned queue, uint32_t *list)
{
	struct frame *f = frames_alloc_free(REPORT_ORDER, FRAME_BALLOON);
	struct virtio_part part = { NULL, PAGE_SIZE << REPORT_ORDER, true };

	if (!f)
		return false;
	part.at = frame_bytes(f);
	f->next = *list;
	*list = (uint32_t)(f - frames);
	virtqueue_run(device->queues[queue], &part, 1);
	return true;
}

/* False: *@list was empty. */
static bool use_again(uint32_t *list)
{
	const bool some = *list;

	while (*list) {
		struct frame *f = frames + *list;

		*list = f->next;
		frame_put(f);
	}
	return some;
}

/* With DEFLATE_ON_OOM the host is content to hear of it later. */
bool balloon_relieve(void)
{
	if (use_again(&hinted))
		return true;
	if (!held || !(device->features & FEATURE_ON_OOM))
		return false;
	for (unsigned n = 0; n < RELIEF && held; n++) {
		frame_put(release());
		counts.balloon_taken_back++;
	}
	retreating = true;
	wake(device);
	return true;
}

struct statistic {
	uint16_t tag;
	uint64_t value;
} __attribute__((packed));

/* 5.5.6.3: the buffer is lent, and comes back when the host wants them. */
static void lend_statistics(void)
{
	const uint64_t major = counts.swapped_in;
	const uint64_t total = zone_frames() << PAGE_SHIFT;
	const uint64_t free = total - (frames_used() << PAGE_SHIFT);
	const uint64_t cached = counts.frames_file << PAGE_SHIFT;
	static struct statistic told[TAGS];
	const struct virtio_part part = { told, sizeof(told), false };
	const struct statistic now[TAGS] = {
		{ 0, counts.swap_reads << PAGE_SHIFT },
		{ 1, counts.swap_writes << PAGE_SHIFT },
		{ 2, major },
		{ 3, counts.faults - major },
		{ 4, free },
		{ 5, total },
		{ 6, free + cached }, /* available */
		{ 7, cached },
		{ 10, counts.oom_kills },
	};

	memcpy(told, now, sizeof(now));
	virtqueue_lend(device->queues[STATISTICS], &part, 1);
}

/* The largest free blocks; how many frames they are. */
int64_t sys_report(const struct trap_frame *f)
{
	uint32_t reported = 0;
	unsigned n = 0;

	(void)f;
	if (!device || !device->queues[REPORTING])
		return 0;
	while (n < REPORT_BLOCKS && offer(REPORTING, &reported))
		n++;
	use_again(&reported);
	return (int64_t)n << REPORT_ORDER;
}

static uint32_t hints_wanted(void)
{
	return device->queues[HINTS] ? device->config[CONFIG_HINTS] : 0;
}

static void hint_number(uint32_t id)
{
	number[0] = id;
	tell(HINTS, 1);
}

/* A round: all large blocks that are free, as long as the host wants them. */
static void hint(uint32_t id)
{
	hint_number(id);
	while (hints_wanted() == id && frame_room() > 2u << REPORT_ORDER &&
	       offer(HINTS, &hinted))
		;
	hint_number(HINTS_STOP);
}

/* What the host says of hints, if that is new. */
static void heed_hints(void)
{
	static uint32_t before;
	const uint32_t id = hints_wanted();

	if (id == before)
		return;
	before = id;
	if (id > HINTS_DONE)
		hint(id);
	else if (id == HINTS_DONE)
		use_again(&hinted);
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

static void thread(void)
{
	uint32_t target, before = 0;
	bool more;

	for (;;) {
		target = device->config[CONFIG_TARGET];
		if (target != before)
			retreating = false;
		before = target;
		if (virtqueue_back(device->queues[STATISTICS]) >= 0)
			lend_statistics();
		heed_hints();
		more = step(target);
		device->config[CONFIG_ACTUAL] = (uint32_t)counts.balloon_frames;
		if (!more)
			sleep_on(device);
	}
}

static void start(struct virtio *v)
{
	device = v;
	lend_statistics();
	process_kernel("balloon", thread);
}

const struct virtio_driver virtio_balloon = {
	.id = 5,
	.needs = FEATURE_STATISTICS,
	.knows = FEATURE_ON_OOM | FEATURE_HINTS | FEATURE_REPORTING,
	.queues = 1 << INFLATE | 1 << DEFLATE | 1 << STATISTICS | 1 << HINTS |
		  1 << REPORTING,
	.start = start,
};
