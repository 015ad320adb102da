/* SPDX-License-Identifier: MIT */
/* What a device's access meets: the TLB, the tables behind it, and a record of
 * what is refused. */
#include "devices/iommu_state.h"

void iommu_enter(struct iommu *m)
{
	pthread_mutex_lock(&m->lock);
	while (m->draining)
		pthread_cond_wait(&m->changed, &m->lock);
	m->inside++;
	pthread_mutex_unlock(&m->lock);
}

void iommu_leave(struct iommu *m)
{
	pthread_mutex_lock(&m->lock);
	m->inside--;
	if (m->draining)
		pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
}

/* By the TLB, else by the tables. */
static struct iotable_entry find(struct iommu *m, const struct endpoint *e,
				 uint64_t page)
{
	struct tlb_entry *t = &m->tlb[(page ^ e->id * 7) % TLB_ENTRIES];

	if (t->to.rights && t->endpoint == e->id && t->iova_page == page) {
		m->count.hits++;
		return t->to;
	}
	m->count.walks++;
	*t = (struct tlb_entry){ e->id, page,
				 iotable_lookup(&e->domain->table, page) };
	return t->to;
}

static void record(struct iommu *m, const struct iommu_fault *f)
{
	m->count.faults++;
	if (m->faults == IOMMU_FAULTS) {
		m->count.lost++;
		return;
	}
	m->fault[(m->first_fault + m->faults++) % IOMMU_FAULTS] = *f;
}

/* Where to; f->reason when nowhere. */
static bool resolve(struct iommu *m, const struct endpoint *e,
		    struct iommu_fault *f, gpa_t *to)
{
	uint64_t page = f->at.v >> PAGE_SHIFT;
	struct iotable_entry found;

	to->v = f->at.v;
	f->reason = IOMMU_NO_DOMAIN;
	if (!e || !e->domain)
		return e && m->bypass;
	if (e->domain->bypass)
		return true;
	f->reason = IOMMU_NOT_MAPPED;
	if (f->at.v >> IOMMU_BITS)
		return false;
	found = find(m, e, page);
	to->v = found.page << PAGE_SHIFT | (f->at.v & PAGE_MASK);
	return (found.rights & f->rights) == f->rights;
}

bool iommu_translate(struct iommu *m, uint32_t endpoint, iova_t at,
		     unsigned rights, gpa_t *to)
{
	struct iommu_fault f = { .endpoint = endpoint,
				 .at = at,
				 .rights = rights };
	bool good;

	pthread_mutex_lock(&m->lock);
	good = resolve(m, endpoint_find(m, endpoint), &f, to);
	if (!good)
		record(m, &f);
	pthread_mutex_unlock(&m->lock);
	if (!good && m->faulted)
		m->faulted(m->ctx);
	return good;
}

bool iommu_fault_waits(struct iommu *m)
{
	bool some;

	pthread_mutex_lock(&m->lock);
	some = m->faults;
	pthread_mutex_unlock(&m->lock);
	return some;
}

bool iommu_take_fault(struct iommu *m, struct iommu_fault *f)
{
	bool some;

	pthread_mutex_lock(&m->lock);
	some = m->faults;
	if (some) {
		*f = m->fault[m->first_fault];
		m->first_fault = (m->first_fault + 1) % IOMMU_FAULTS;
		m->faults--;
	}
	pthread_mutex_unlock(&m->lock);
	return some;
}
