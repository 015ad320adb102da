/* SPDX-License-Identifier: MIT */
/*
 * How the NBD tier talks with the helper that knows NBD. Each lane is a
 * SOCK_SEQPACKET socket and a row of pages in memory both sides share:
 *
 *     tier    --- 1 to 64 requests in one message --->  helper
 *             <-- 1 to 64 replies a message, any order --
 *
 * A request's buffer is its name: it is the helper's from the request to the
 * reply, and the tier's otherwise. A lane has one batch under way at a time;
 * who closes its end ends the whole thing.
 */
#ifndef EPT_NBD_WIRE_H
#define EPT_NBD_WIRE_H

#include <stdint.h>

#include "ept/addr.h"

#define NBD_LANES	 8
#define NBD_BUFFERS	 64 /* pages a lane */
#define NBD_LANE_BYTES	 (NBD_BUFFERS * PAGE_SIZE)
#define NBD_SHARED_BYTES (NBD_LANES * NBD_LANE_BYTES)

/* The tier's end. */
struct nbd_link {
	int lane[NBD_LANES], memory; /* sockets, NBD_SHARED_BYTES of a file */
	unsigned timeout_s; /* after which the helper gives up a request */
	int helper; /* its pid */
	/* The tier is gone: close those, end the helper. */
	void (*close)(struct nbd_link *link);
};

enum nbd_way { NBD_READ, NBD_WRITE };

struct nbd_request {
	uint64_t at; /* in the export, bytes */
	uint32_t buffer;
	uint32_t way;
};

struct nbd_reply {
	uint32_t buffer;
	int32_t error; /* 0 or -errno; -ETIMEDOUT: the server was away too long */
	uint32_t untouched; /* it never left for a server */
};

#endif
