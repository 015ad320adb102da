/* SPDX-License-Identifier: MIT */
/* virtio-blk (virtio 1.2, 5.2): a raw image or disk behind a file descriptor. */
#ifndef DEVICES_VIRTIO_BLK_H
#define DEVICES_VIRTIO_BLK_H

#include "devices/virtio.h"

#define BLK_SECTOR     512u
#define BLK_SERIAL     20 /* bytes of a serial number, NUL-padded */
#define BLK_QUEUES_MAX 4

enum blk_type {
	BLK_IN = 0,
	BLK_OUT = 1,
	BLK_FLUSH = 4,
	BLK_GET_ID = 8,
	BLK_DISCARD = 11,
	BLK_WRITE_ZEROES = 13
};

enum blk_status { BLK_OK = 0, BLK_IOERR = 1, BLK_UNSUPP = 2 };

#define BLK_F_SIZE_MAX	   (UINT64_C(1) << 1)
#define BLK_F_SEG_MAX	   (UINT64_C(1) << 2)
#define BLK_F_RO	   (UINT64_C(1) << 5)
#define BLK_F_BLK_SIZE	   (UINT64_C(1) << 6)
#define BLK_F_FLUSH	   (UINT64_C(1) << 9)
#define BLK_F_MQ	   (UINT64_C(1) << 12)
#define BLK_F_DISCARD	   (UINT64_C(1) << 13)
#define BLK_F_WRITE_ZEROES (UINT64_C(1) << 14)

/* The readable bytes begin with one; data and the status byte follow. */
struct blk_header {
	uint32_t type, reserved;
	uint64_t sector;
};

/* The data of DISCARD and WRITE_ZEROES. */
struct blk_range {
	uint64_t sector;
	uint32_t sectors, flags;
};

#define BLK_RANGE_UNMAP 1u /* WRITE_ZEROES may free the room */

/* Config space, 5.2.4. */
struct blk_config {
	uint64_t capacity; /* sectors */
	uint32_t size_max, seg_max;
	uint32_t geometry;
	uint32_t blk_size;
	uint8_t topology[8];
	uint8_t writeback, unused0;
	uint16_t num_queues;
	uint32_t max_discard_sectors, max_discard_seg;
	uint32_t discard_sector_alignment;
	uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
	uint8_t write_zeroes_may_unmap, unused1[3];
};

_Static_assert(offsetof(struct blk_config, write_zeroes_may_unmap) == 56 &&
		       sizeof(struct blk_config) <= VIRTIO_CONFIG_BYTES,
	       "as section 5.2.4 lays it out");

/* What a request of the driver's is to have at most. More works, too. */
#define BLK_SEG_MAX  32u
#define BLK_SIZE_MAX 32768u

struct blk_image {
	int fd; /* owned by the device, once that is created */
	uint64_t bytes; /* a multiple of BLK_SECTOR */
	bool readonly;
	unsigned queues; /* 1 to BLK_QUEUES_MAX */
	char serial[BLK_SERIAL + 1];
	/* Called once, on the I/O thread, before the first request, to do with
	 * *fd what is yet to be done: it may become another. 0 or -errno:
	 * NEEDS_RESET. NULL: nothing. */
	int (*make)(void *ctx, int *fd);
	void *ctx;
};

/* 0 or -errno; on success the bus destroys it. */
int virtio_blk_create(struct virtio **out, const struct blk_image *image,
		      const struct virtio_host *host);

#endif
