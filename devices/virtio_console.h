/* SPDX-License-Identifier: MIT */
/* virtio-console (virtio 1.2, 5.3) with its one port and no features. */
#ifndef DEVICES_VIRTIO_CONSOLE_H
#define DEVICES_VIRTIO_CONSOLE_H

#include "devices/virtio.h"

#define CONSOLE_INPUT	 4096u /* bytes held for a guest that does not read */
#define CONSOLE_SEND_MAX 65536u /* of a chain; the rest is dropped */

struct console_host {
	/* Bytes the guest sends, in order; on the I/O thread, may block. */
	void (*write)(void *ctx, const uint8_t *bytes, size_t len);
	/* An input did not fit, and now there is room; on the I/O thread. */
	void (*room)(void *ctx);
	void *ctx;
};

/* 0 or -errno; on success the bus destroys it. */
int virtio_console_create(struct virtio **out, const struct console_host *to,
			  const struct virtio_host *host);

/* Bytes for the guest; returns how many fitted. The caller keeps the rest and
 * tries again when told that there is room. Any thread. */
size_t virtio_console_input(struct virtio *v, const uint8_t *bytes, size_t len);

#endif
