/* SPDX-License-Identifier: MIT */
/*
 * virtio-iommu (virtio 1.2, 5.13): how the guest tells the IOMMU what to do,
 * and hears of faults. It works on requests that lie in guest memory by their
 * guest-physical addresses, never by what it translates itself.
 */
#ifndef DEVICES_VIRTIO_IOMMU_H
#define DEVICES_VIRTIO_IOMMU_H

#include "devices/iommu.h"
#include "devices/virtio.h"

enum { IOMMU_REQUESTS, IOMMU_EVENTS, IOMMU_QUEUES };

#define IOMMU_F_INPUT_RANGE   (UINT64_C(1) << 0)
#define IOMMU_F_MAP_UNMAP     (UINT64_C(1) << 2)
#define IOMMU_F_PROBE	      (UINT64_C(1) << 4)
#define IOMMU_F_BYPASS_CONFIG (UINT64_C(1) << 6)

/* Config space, 5.13.4. */
struct iommu_config {
	uint64_t page_size_mask;
	uint64_t input_start, input_end;
	uint32_t domain_start, domain_end;
	uint32_t probe_size;
	uint8_t bypass, reserved[3];
};

enum iommu_request_type {
	IOMMU_ATTACH = 1,
	IOMMU_DETACH = 2,
	IOMMU_MAP = 3,
	IOMMU_UNMAP = 4,
	IOMMU_PROBE = 5
};

enum iommu_status {
	IOMMU_OK = 0,
	IOMMU_DEVERR = 3,
	IOMMU_INVAL = 4,
	IOMMU_RANGE = 5,
	IOMMU_NOENT = 6,
	IOMMU_NOMEM = 8
};

/* What the driver writes: a head, and by its type one of these. */
struct iommu_request {
	uint8_t type, reserved[3];
	union {
		struct {
			uint32_t domain, endpoint, flags, reserved;
		} attach; /* and detach, where flags are reserved too */
		struct {
			uint32_t domain;
			uint64_t first, last, to; /* last: included */
			uint32_t flags;
		} __attribute__((packed)) map;
		struct {
			uint32_t domain;
			uint64_t first, last;
			uint32_t reserved;
		} __attribute__((packed)) unmap;
		struct {
			uint32_t endpoint;
			uint8_t reserved[64];
		} probe;
	};
};

/* And what it reads behind that. */
struct iommu_tail {
	uint8_t status, reserved[3];
};

#define IOMMU_ATTACH_BYPASS 1u

/* PROBE: a range of iovas that is never translated. */
struct iommu_reserved {
	uint16_t type, length; /* RESERVED; of what follows */
	uint8_t subtype, unused[3];
	uint64_t start, end;
};

#define IOMMU_PROBE_RESERVED 1u
#define IOMMU_RESERVED_MSI   1u
#define IOMMU_PROBE_BYTES    64u

/* A fault record, 5.13.6.9. */
struct iommu_event {
	uint8_t reason, unused[3];
	uint32_t flags, endpoint, unused2;
	uint64_t address;
};

#define IOMMU_EVENT_DOMAIN  1u /* reasons */
#define IOMMU_EVENT_MAPPING 2u
#define IOMMU_EVENT_READ    (1u << 0)
#define IOMMU_EVENT_WRITE   (1u << 1)
#define IOMMU_EVENT_ADDRESS (1u << 8)

/* *iommu, which the device owns, has no endpoint yet. 0 or -errno. */
int virtio_iommu_create(struct virtio **out, struct iommu **iommu,
			const struct virtio_host *host);

#endif
