/* SPDX-License-Identifier: MIT */
/*
 * Fills pages, writes them to disk 0, each where its number says, flushes,
 * reads them back into other pages and compares. Then reads the disk's last
 * page, whose first word must be MARK, and one that reaches beyond it.
 */
#include "tests/guest/virtio/driver.h"

#define PAGE	4096u
#define PAGES	1024u
#define SECTORS 8u /* of a page */
#define MARK	0x6b72616du
#define STEP	16u /* words: enough to tell every sector */
#define FROM	0x800000ul /* where the pages lie, 4 MiB, */
#define TO	0xc00000ul /* and where they come back */
#define AT_ONCE 4u /* requests of 3 descriptors each */

enum { BLK_IN, BLK_OUT, BLK_FLUSH = 4 };

static struct driver disk;
static struct ring ring;

static struct request {
	struct {
		uint32_t type, reserved;
		uint64_t sector;
	} header;
	volatile uint8_t status;
} request[AT_ONCE];

/* Request @n of those under way: one page at @at, and @sector. */
static void ask(uint32_t n, uint32_t type, uint64_t sector, uint64_t at)
{
	const uint16_t first = (uint16_t)(3 * n), data = first + 1,
		       last = first + 2;
	const uint16_t write = type == BLK_IN ? VQ_DESC_WRITE : 0;
	struct request *r = &request[n];

	r->header.type = type;
	r->header.sector = sector;
	r->status = 0xff;
	ring.desc[first] = (struct vq_desc){ (uintptr_t)&r->header,
					     sizeof(r->header), VQ_DESC_NEXT,
					     type == BLK_FLUSH ? last : data };
	ring.desc[data] =
		(struct vq_desc){ at, PAGE, (uint16_t)(VQ_DESC_NEXT | write),
				  last };
	ring.desc[last] =
		(struct vq_desc){ (uintptr_t)&r->status, 1, VQ_DESC_WRITE, 0 };
	driver_offer(&ring, first);
}

static void move_pages(uint32_t type, uint64_t at)
{
	for (uint32_t i = 0; i < PAGES; i += AT_ONCE) {
		for (uint32_t n = 0; n < AT_ONCE; n++)
			ask(n, type, (i + n) * SECTORS,
			    at + (uint64_t)(i + n) * PAGE);
		driver_wait(&disk, 0, &ring);
		for (uint32_t n = 0; n < AT_ONCE; n++)
			want(!request[n].status, 4 + type, "a transfer");
	}
}

static uint32_t word_of(uint32_t page, uint32_t i)
{
	return page << 16 | i;
}

static void fill(void)
{
	for (uint32_t p = 0; p < PAGES; p++) {
		uint32_t *to = (uint32_t *)(FROM + (uint64_t)p * PAGE);

		for (uint32_t i = 0; i < PAGE / 4; i += STEP)
			to[i] = word_of(p, i);
	}
}

static void compare(void)
{
	for (uint32_t p = 0; p < PAGES; p++) {
		const uint32_t *from =
			(const uint32_t *)(TO + (uint64_t)p * PAGE);

		for (uint32_t i = 0; i < PAGE / 4; i += STEP)
			want(from[i] == word_of(p, i), 7, "what was read");
	}
}

static void read_the_end(void)
{
	uint32_t sectors = disk.reg[VIRTIO_CONFIG / 4];

	ask(0, BLK_IN, sectors - SECTORS, TO);
	ask(1, BLK_IN, sectors - SECTORS + 1, TO + PAGE);
	driver_wait(&disk, 0, &ring);
	want(!request[0].status && *(volatile uint32_t *)TO == MARK, 8,
	     "the last page");
	want(request[1].status == 1, 9, "an error beyond the end");
}

void test_disk(void)
{
	driver_start(&disk, VIRTIO_ID_BLK, 1u << 9, &ring, 1); /* FLUSH */
	fill();
	move_pages(BLK_OUT, FROM);
	ask(0, BLK_FLUSH, 0, 0);
	driver_wait(&disk, 0, &ring);
	want(!request[0].status, 6, "flush");
	move_pages(BLK_IN, TO);
	compare();
	read_the_end();
	driver_check(&disk, 10);
	say("1024 pages written, read and compared\n");
}
