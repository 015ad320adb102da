/* SPDX-License-Identifier: MIT */
/* virtio-rng (virtio 1.2, 5.4): the host's random bytes, at most
 * RNG_REQUEST_MAX for a request. */
#ifndef DEVICES_VIRTIO_RNG_H
#define DEVICES_VIRTIO_RNG_H

#include "devices/virtio.h"

#define RNG_REQUEST_MAX 65536u

/* 0 or -errno; on success the bus destroys it. */
int virtio_rng_create(struct virtio **out, const struct virtio_host *host);

#endif
