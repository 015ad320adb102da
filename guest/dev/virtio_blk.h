/* SPDX-License-Identifier: MIT */
#ifndef GUEST_DEV_VIRTIO_BLK_H
#define GUEST_DEV_VIRTIO_BLK_H

#include "guest/dev/virtio.h"

/* A disk (virtio 1.2, 5.2): from now on one of fs/block.h. 0 or -errno. */
int virtio_blk_start(struct virtio *v);

#endif
