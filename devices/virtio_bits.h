/* SPDX-License-Identifier: MIT */
/*
 * Numbers of the virtio specification 1.2 (OASIS, 1 July 2022): section 4.2.2
 * for the registers, 2.1 for the status, 2.7 for split virtqueues.
 */
#ifndef DEVICES_VIRTIO_BITS_H
#define DEVICES_VIRTIO_BITS_H

#include <stdint.h>

#define VIRTIO_MAGIC   0x74726976u /* "virt" */
#define VIRTIO_VERSION 2u
#define VIRTIO_VENDOR  0x4f465754u /* "TWFO" */

enum virtio_register {
	VIRTIO_MAGIC_VALUE = 0x000,
	VIRTIO_VERSION_VALUE = 0x004,
	VIRTIO_DEVICE_ID = 0x008,
	VIRTIO_VENDOR_ID = 0x00c,
	VIRTIO_DEVICE_FEATURES = 0x010,
	VIRTIO_DEVICE_FEATURES_SEL = 0x014,
	VIRTIO_DRIVER_FEATURES = 0x020,
	VIRTIO_DRIVER_FEATURES_SEL = 0x024,
	VIRTIO_QUEUE_SEL = 0x030,
	VIRTIO_QUEUE_NUM_MAX = 0x034,
	VIRTIO_QUEUE_NUM = 0x038,
	VIRTIO_QUEUE_READY = 0x044,
	VIRTIO_QUEUE_NOTIFY = 0x050,
	VIRTIO_INTERRUPT_STATUS = 0x060,
	VIRTIO_INTERRUPT_ACK = 0x064,
	VIRTIO_STATUS = 0x070,
	VIRTIO_QUEUE_DESC_LOW = 0x080,
	VIRTIO_QUEUE_DESC_HIGH = 0x084,
	VIRTIO_QUEUE_DRIVER_LOW = 0x090,
	VIRTIO_QUEUE_DRIVER_HIGH = 0x094,
	VIRTIO_QUEUE_DEVICE_LOW = 0x0a0,
	VIRTIO_QUEUE_DEVICE_HIGH = 0x0a4,
	VIRTIO_SHM_LEN_LOW = 0x0b0,
	VIRTIO_SHM_LEN_HIGH = 0x0b4,
	VIRTIO_SHM_BASE_LOW = 0x0b8,
	VIRTIO_SHM_BASE_HIGH = 0x0bc,
	VIRTIO_CONFIG_GENERATION = 0x0fc,
	VIRTIO_CONFIG = 0x100
};

#define VIRTIO_ISR_QUEUE   1u
#define VIRTIO_ISR_CONFIG  2u

#define VIRTIO_ACKNOWLEDGE 1u
#define VIRTIO_DRIVER	   2u
#define VIRTIO_DRIVER_OK   4u
#define VIRTIO_FEATURES_OK 8u
#define VIRTIO_NEEDS_RESET 64u
#define VIRTIO_FAILED	   128u

#define VIRTIO_F_INDIRECT  (UINT64_C(1) << 28)
#define VIRTIO_F_EVENT_IDX (UINT64_C(1) << 29)
#define VIRTIO_F_VERSION_1 (UINT64_C(1) << 32)

enum virtio_id {
	VIRTIO_ID_NET = 1,
	VIRTIO_ID_BLK = 2,
	VIRTIO_ID_CONSOLE = 3,
	VIRTIO_ID_RNG = 4,
	VIRTIO_ID_BALLOON = 5,
	VIRTIO_ID_IOMMU = 23
};

#define VQ_DESC_NEXT	      1u
#define VQ_DESC_WRITE	      2u
#define VQ_DESC_INDIRECT      4u

#define VQ_AVAIL_NO_INTERRUPT 1u

/* A descriptor, and an element of the used ring, as they lie in memory. */
struct vq_desc {
	uint64_t at;
	uint32_t len;
	uint16_t flags, next;
};

struct vq_used {
	uint32_t head, len;
};

#endif
