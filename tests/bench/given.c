/* SPDX-License-Identifier: MIT */
/*
 * given balloon PAGES DEPTH, given loop PAGES EACH: memory that is given to a
 * balloon and taken back, without a guest: the driver's side of the queue is
 * here, 256 pages a request as Linux has it, DEPTH requests at a time. Beside
 * it the least of a VMM: one madvise for EACH pages. A line: GiB/s out, GiB/s
 * back.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "devices/virtio_balloon.h"
#include "ept/stage2.h"

#define QUEUE 16u /* descriptors, one a request */
#define EACH  256u /* pages a request */
#define OWN   64u /* pages of the driver's own, before those to be given */

static struct stage2 *ram;
static struct virtio *dev;
static uint64_t pages;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double gib_a_second(double began)
{
	return (double)(pages << PAGE_SHIFT) / (1 << 30) / (now_s() - began);
}

static void *at(uint64_t page)
{
	return stage2_host(ram, (gfn_t){ page });
}

static void ignore(void *ctx, int level)
{
	(void)ctx, (void)level;
}

static void on_failure(void *ctx, const struct stage2_failure *f)
{
	(void)ctx, (void)f;
	errx(1, "a page cannot be had");
}

static void make_ram(void)
{
	struct swap_config sc = { .tiers = 1, .pages = OWN + pages };
	struct stage2_config c = { .region = { { { 0 }, OWN + pages } },
				   .regions = 1,
				   .limit = OWN + pages,
				   .policy = &policy_clock,
				   .paging = true,
				   .vcpus = 1,
				   .failed = on_failure };

	if (tier_ram_create(&sc.tier[0], 0, CODEC_LZ4) ||
	    swap_create(&c.swap, &sc) || stage2_create(&ram, &c))
		errx(1, "no stage 2: is userfaultfd forbidden?");
}

static void make_balloon(void)
{
	const struct balloon_setup setup = { .ram_pages = OWN + pages };
	const struct virtio_host host = { .memory = ram,
					  .irq = { .set = ignore } };

	if (virtio_balloon_create(&dev, &setup, &host))
		errx(1, "no balloon");
}

static void set(uint64_t offset, uint32_t value)
{
	dev->device.ops->write(&dev->device, offset, 4, value);
}

/* Pages of queue @n: descriptors, the driver's area, the device's. */
static uint64_t queue_page(unsigned n)
{
	return 4 * n;
}

static void set_queue(unsigned n)
{
	const uint32_t base = (uint32_t)(queue_page(n) << PAGE_SHIFT);

	set(VIRTIO_QUEUE_SEL, n);
	set(VIRTIO_QUEUE_NUM, QUEUE);
	set(VIRTIO_QUEUE_DESC_LOW, base);
	set(VIRTIO_QUEUE_DRIVER_LOW, base + PAGE_SIZE);
	set(VIRTIO_QUEUE_DEVICE_LOW, base + 2 * PAGE_SIZE);
	set(VIRTIO_QUEUE_READY, 1);
}

static void bring_up(void)
{
	for (uint32_t status = 1; status < 4; status = 2 * status + 1)
		set(VIRTIO_STATUS, status);
	set(VIRTIO_DRIVER_FEATURES_SEL, 1);
	set(VIRTIO_DRIVER_FEATURES, VIRTIO_F_VERSION_1 >> 32);
	set(VIRTIO_STATUS, 11);
	set_queue(BALLOON_INFLATE);
	set_queue(BALLOON_DEFLATE);
	set(VIRTIO_STATUS, 15);
}

/* Request @i: its pages from @first on. */
static void put_request(unsigned n, unsigned i, uint64_t first)
{
	uint32_t *pfn = at(2 * queue_page(BALLOON_DEFLATE) + i);
	struct vq_desc *d = at(queue_page(n));

	for (uint32_t k = 0; k < EACH; k++)
		pfn[k] = (uint32_t)(first + k);
	d[i] = (struct vq_desc){ .at = (2 * queue_page(BALLOON_DEFLATE) + i)
				       << PAGE_SHIFT,
				 .len = EACH * sizeof(pfn[0]) };
}

/* All pages by queue @n, @depth requests at a time. */
static double pass(unsigned n, unsigned depth)
{
	volatile uint16_t *driver = at(queue_page(n) + 1);
	volatile uint16_t *device = at(queue_page(n) + 2);
	const double began = now_s();

	for (uint64_t done = 0; done < pages; done += depth * EACH) {
		for (unsigned i = 0; i < depth; i++) {
			put_request(n, i, OWN + done + i * EACH);
			driver[2 + (driver[1] + i) % QUEUE] = (uint16_t)i;
		}
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		driver[1] = (uint16_t)(driver[1] + depth);
		set(VIRTIO_QUEUE_NOTIFY, n);
		while (device[1] != driver[1])
			;
	}
	return gib_a_second(began);
}

static void give_to_balloon(unsigned depth)
{
	struct stage2_counters c;
	double out, back;

	make_ram();
	make_balloon();
	bring_up();
	for (uint64_t i = OWN; i < OWN + pages; i++)
		*(volatile uint64_t *)at(i) = i;
	out = pass(BALLOON_INFLATE, depth);
	stage2_counters(ram, &c);
	if (c.resident > OWN)
		errx(1, "%lu pages were not given", c.resident - OWN);
	back = pass(BALLOON_DEFLATE, depth);
	for (uint64_t i = OWN; i < OWN + pages; i++)
		if (*(volatile uint64_t *)at(i))
			errx(1, "page %lu is not zeros", i);
	printf("%.3f %.3f\n", out, back);
}

static void advise(uint8_t *memory, uint64_t each, int advice)
{
	for (uint64_t i = 0; i < pages; i += each)
		if (madvise(memory + i * PAGE_SIZE, each * PAGE_SIZE, advice))
			err(1, "madvise");
}

static void give_by_loop(uint64_t each)
{
	const int fd = memfd_create("ram", 0);
	const size_t bytes = pages << PAGE_SHIFT;
	uint8_t *memory;
	double began, out;

	if (fd < 0 || ftruncate(fd, (off_t)bytes))
		err(1, "memfd");
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		err(1, "mmap");
	for (uint64_t i = 0; i < pages; i++)
		memory[i * PAGE_SIZE] = 1;
	began = now_s();
	advise(memory, each, MADV_REMOVE);
	out = gib_a_second(began);
	began = now_s();
	advise(memory, each, MADV_WILLNEED);
	printf("%.3f %.3f\n", out, gib_a_second(began));
}

int main(int argc, char **argv)
{
	uint64_t n;

	if (argc != 4)
		errx(1, "usage: given balloon PAGES DEPTH | loop PAGES EACH");
	pages = strtoull(argv[2], NULL, 0);
	n = strtoull(argv[3], NULL, 0);
	if (!strcmp(argv[1], "balloon"))
		give_to_balloon((unsigned)n);
	else
		give_by_loop(n);
	return 0;
}
