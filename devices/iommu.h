/* SPDX-License-Identifier: MIT */
/*
 * The IOMMU: what a device puts on its bus, an iova, is translated and limited
 * before it reaches memory.
 *
 *     iova --domain's tables: the third walk--> gpa --stage 2: ours--> frame
 *
 * An endpoint is a device; it is attached to one domain or none. A domain is a
 * set of mappings, each a range of iovas with its rights, which is unmapped as
 * it was mapped: whole. An endpoint without a domain bypasses translation, or
 * is refused, as `bypass` says. What is refused leaves a fault record.
 *
 * The tables are bounded, the TLB too; a translation never outlives the
 * mapping that it came from: iommu_unmap returns when the last access by it
 * has ended. Any thread; one lock, which no access to memory is made under.
 */
#ifndef DEVICES_IOMMU_H
#define DEVICES_IOMMU_H

#include <stdbool.h>
#include <stdint.h>

#include "ept/addr.h"

typedef struct {
	uint64_t v;
} iova_t; /* what a device calls an address, bytes */

#define IOMMU_BITS	48 /* of an iova */
#define IOMMU_ENDPOINTS 8
#define IOMMU_TABLES	1024 /* pages of tables, of all domains */
#define IOMMU_FAULTS	64 /* records waiting to be read */

enum iommu_rights { IOMMU_READ = 1, IOMMU_WRITE = 2 };

enum iommu_reason {
	IOMMU_NO_DOMAIN, /* the endpoint may not access anything */
	IOMMU_NOT_MAPPED, /* or not with these rights */
};

struct iommu_fault {
	enum iommu_reason reason;
	unsigned rights; /* what was asked for */
	uint32_t endpoint;
	iova_t at;
};

struct iommu_counters {
	uint64_t hits, walks; /* translations: by the TLB, by the tables */
	uint64_t faults,
		lost; /* refused; of these records that found no room */
	uint64_t mapped; /* mappings made */
	uint64_t tables; /* pages of them now */
};

struct iommu;

/* NULL: no memory. @faulted is called after each record, on the thread of the
 * device, without locks; it must not wait. */
struct iommu *iommu_create(void (*faulted)(void *ctx), void *ctx);
void iommu_destroy(struct iommu *m);

/* There is a device called @endpoint. At most IOMMU_ENDPOINTS; before any other
 * call. */
void iommu_add_endpoint(struct iommu *m, uint32_t endpoint);
bool iommu_has_endpoint(struct iommu *m, uint32_t endpoint);
/* May endpoints without a domain access all memory? At first they may. Does not
 * wait for accesses under way. */
void iommu_set_bypass(struct iommu *m, bool bypass);

/*
 * What the guest asks for; @domain is any number it likes, and exists as long
 * as an endpoint is attached to it. A domain made with @bypass has no mappings
 * and translates nothing. 0 or -errno:
 * -ENOENT no such endpoint or domain; -EINVAL the request makes no sense;
 * -ERANGE a mapping would be unmapped in part; -ENOMEM the tables are full.
 */
int iommu_attach(struct iommu *m, uint32_t domain, uint32_t endpoint,
		 bool bypass);
int iommu_detach(struct iommu *m, uint32_t domain, uint32_t endpoint);
/* Iovas [first, last], whole pages, no part of them mapped, become @to. */
int iommu_map(struct iommu *m, uint32_t domain, iova_t first, iova_t last,
	      gpa_t to, unsigned rights);
/* All mappings inside [first, last] go; there may be none. */
int iommu_unmap(struct iommu *m, uint32_t domain, iova_t first, iova_t last);
/* Every endpoint without a domain, as in the beginning. */
void iommu_reset(struct iommu *m);

/* A device's access: enter, translate, move bytes, leave. Not nested. */
void iommu_enter(struct iommu *m);
void iommu_leave(struct iommu *m);
/*
 * Where @endpoint's access to the bytes at [at, at + len), within one page,
 * goes. False: refused, and recorded.
 */
bool iommu_translate(struct iommu *m, uint32_t endpoint, iova_t at,
		     unsigned rights, gpa_t *to);

bool iommu_fault_waits(struct iommu *m);
/* The oldest record, taken out. False: there is none. */
bool iommu_take_fault(struct iommu *m, struct iommu_fault *f);
void iommu_counters(struct iommu *m, struct iommu_counters *c);

#endif
