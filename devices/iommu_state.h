/* SPDX-License-Identifier: MIT */
/* What the IOMMU's commands (iommu.c) and the accesses that it translates
 * (iommu_access.c) share. */
#ifndef DEVICES_IOMMU_STATE_H
#define DEVICES_IOMMU_STATE_H

#include <pthread.h>

#include "devices/iommu.h"
#include "devices/iommu_table.h"

#define TLB_ENTRIES 64

struct domain {
	unsigned endpoints; /* attached; 0: there is no such domain */
	uint32_t id;
	bool bypass;
	struct iotable table;
};

struct endpoint {
	uint32_t id;
	struct domain *domain; /* NULL: none */
};

/* A translation that was found; rights 0: the place is free. */
struct tlb_entry {
	uint32_t endpoint;
	uint64_t iova_page;
	struct iotable_entry to;
};

struct iommu {
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed; /* inside or draining */
	unsigned inside; /* accesses under way */
	unsigned draining; /* who waits for them to end */
	bool bypass;
	struct endpoint endpoint[IOMMU_ENDPOINTS];
	unsigned endpoints;
	struct domain domain[IOMMU_ENDPOINTS];
	unsigned tables;
	struct tlb_entry tlb[TLB_ENTRIES];
	struct iommu_fault fault[IOMMU_FAULTS];
	unsigned first_fault, faults;
	struct iommu_counters count;
	void (*faulted)(void *ctx);
	void *ctx;
};

/* NULL: there is none. The lock is held. */
static inline struct endpoint *endpoint_find(struct iommu *m, uint32_t id)
{
	for (unsigned i = 0; i < m->endpoints; i++)
		if (m->endpoint[i].id == id)
			return &m->endpoint[i];
	return NULL;
}

#endif
