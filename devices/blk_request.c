/* SPDX-License-Identifier: MIT */
#include <fcntl.h>

#include "devices/blk_state.h"
#include "ept/addr.h"

/* The sectors it is about. False: not all are the image's. */
static bool set_span(struct blk *b, struct blk_request *r, uint64_t sector,
		     uint64_t bytes)
{
	uint64_t sectors = b->image.bytes / BLK_SECTOR;

	if (!bytes || bytes % BLK_SECTOR ||
	    !range_within(sector, bytes / BLK_SECTOR, sectors))
		return false;
	r->op.at = sector * BLK_SECTOR;
	r->op.span = bytes;
	return true;
}

static uint8_t check_data(struct blk *b, struct blk_request *r)
{
	bool write = r->header.type == BLK_OUT;
	uint32_t len = write ? r->chain.read_bytes - BLK_HEADER
			     : r->chain.write_bytes - 1;

	if ((write && b->image.readonly) ||
	    !set_span(b, r, r->header.sector, len))
		return BLK_IOERR;
	r->op.kind = write ? OP_WRITE : OP_READ;
	r->len = len;
	/* Without the FLUSH feature the driver never asks for durability: each
	 * write has it (5.2.6.2). */
	r->op.durable = !(b->v.accepted & BLK_F_FLUSH);
	return BLK_OK;
}

static uint8_t check_range(struct blk *b, struct blk_request *r)
{
	bool discard = r->header.type == BLK_DISCARD;
	struct blk_range range;

	if (r->chain.read_bytes != BLK_HEADER + sizeof(range))
		return BLK_UNSUPP;
	if (b->image.readonly || !chain_read(queue_of(b, r), &r->chain,
					     BLK_HEADER, &range, sizeof(range)))
		return BLK_IOERR;
	if (range.flags & ~(discard ? 0 : BLK_RANGE_UNMAP))
		return BLK_UNSUPP;
	r->op.kind = OP_ALLOCATE;
	r->op.mode = FALLOC_FL_KEEP_SIZE |
		     (discard || range.flags ? FALLOC_FL_PUNCH_HOLE
					     : FALLOC_FL_ZERO_RANGE);
	return set_span(b, r, range.sector,
			(uint64_t)range.sectors * BLK_SECTOR)
		       ? BLK_OK
		       : BLK_IOERR;
}

/* Done at once: at most BLK_SERIAL bytes, as many as there is room for. */
static uint8_t get_id(struct blk *b, struct blk_request *r)
{
	uint32_t room = r->chain.write_bytes - 1;
	size_t len = room < BLK_SERIAL ? room : BLK_SERIAL;

	if (!chain_write(queue_of(b, r), &r->chain, 0, b->image.serial, len))
		return BLK_IOERR;
	r->filled = (uint32_t)len;
	return BLK_OK;
}

bool blk_look(struct blk *b, struct blk_request *r, uint8_t *status)
{
	switch (r->header.type) {
	case BLK_IN:
	case BLK_OUT:
		*status = check_data(b, r);
		break;
	case BLK_DISCARD:
	case BLK_WRITE_ZEROES:
		*status = check_range(b, r);
		break;
	case BLK_FLUSH:
		r->op.kind = OP_SYNC;
		*status = BLK_OK;
		break;
	case BLK_GET_ID:
		*status = get_id(b, r);
		return false;
	default:
		*status = BLK_UNSUPP;
		break;
	}
	return *status == BLK_OK;
}
