/* SPDX-License-Identifier: MIT */
/*
 * Driver of the IOMMU (virtio 1.2, 5.13), for the one device behind it that we
 * have: the DMA engine. Detached, it reaches all of memory by physical address;
 * attached, what was mapped, at device addresses equal to the physical ones.
 */
#ifndef GUEST_DEV_IOMMU_H
#define GUEST_DEV_IOMMU_H

#include "guest/mm/addr.h"

/*
 * From now on the engine sees only what is mapped. For one at a time, as all of
 * these. Sleep. 0, -ENODEV, -EIO.
 */
int64_t iommu_attach(void);

/* Whole pages from @at on, to read and write. 0, -EIO. */
int64_t iommu_map(pa_t at, uint64_t bytes);

/* As before; the device address of the last fault since iommu_attach, or 0. */
uint64_t iommu_detach(void);

#endif
