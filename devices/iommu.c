/* SPDX-License-Identifier: MIT */
/*
 * What the guest asks of the IOMMU: domains, who is attached to them, what they
 * map. It changes the tables first and forgets what the TLB knew of them; then
 * it waits until the accesses that are under way, which may still use what they
 * were told, have ended. New ones wait meanwhile, so that it does not starve.
 */
#include <errno.h>
#include <stdlib.h>

#include "devices/iommu_state.h"

struct iommu *iommu_create(void (*faulted)(void *ctx), void *ctx)
{
	struct iommu *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->changed, NULL);
	m->bypass = true;
	m->faulted = faulted;
	m->ctx = ctx;
	for (unsigned i = 0; i < IOMMU_ENDPOINTS; i++)
		m->domain[i].table = (struct iotable){
			.tables = &m->tables,
			.most = IOMMU_TABLES,
		};
	return m;
}

void iommu_destroy(struct iommu *m)
{
	for (unsigned i = 0; i < IOMMU_ENDPOINTS; i++)
		iotable_clear(&m->domain[i].table);
	pthread_cond_destroy(&m->changed);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

void iommu_add_endpoint(struct iommu *m, uint32_t endpoint)
{
	m->endpoint[m->endpoints++] = (struct endpoint){ .id = endpoint };
}

static struct domain *domain_find(struct iommu *m, uint32_t id)
{
	for (unsigned i = 0; i < IOMMU_ENDPOINTS; i++)
		if (m->domain[i].endpoints && m->domain[i].id == id)
			return &m->domain[i];
	return NULL;
}

bool iommu_has_endpoint(struct iommu *m, uint32_t endpoint)
{
	return endpoint_find(m, endpoint);
}

/* There are as many places as endpoints, so one is free. */
static struct domain *domain_new(struct iommu *m, uint32_t id, bool bypass)
{
	struct domain *d = m->domain;

	while (d->endpoints)
		d++;
	d->id = id;
	d->bypass = bypass;
	return d;
}

/* Accesses that began before have ended when this returns. */
static void drain(struct iommu *m)
{
	m->draining++;
	while (m->inside)
		pthread_cond_wait(&m->changed, &m->lock);
	m->draining--;
	pthread_cond_broadcast(&m->changed);
}

/* Forget what is known of @d's pages [page, page + pages). */
static void tlb_forget(struct iommu *m, const struct domain *d, uint64_t page,
		       uint64_t pages)
{
	for (unsigned i = 0; i < TLB_ENTRIES; i++) {
		struct tlb_entry *t = &m->tlb[i];

		if (t->to.rights && t->iova_page - page < pages &&
		    endpoint_find(m, t->endpoint)->domain == d)
			t->to.rights = 0;
	}
}

static void leave_domain(struct iommu *m, struct endpoint *e)
{
	struct domain *d = e->domain;

	tlb_forget(m, d, 0, UINT64_MAX);
	e->domain = NULL;
	if (!--d->endpoints)
		iotable_clear(&d->table);
}

static int attach(struct iommu *m, uint32_t domain, struct endpoint *e,
		  bool bypass)
{
	struct domain *d = domain_find(m, domain);

	if (!e)
		return -ENOENT;
	if (d && d->bypass != bypass)
		return -EINVAL;
	if (d && d == e->domain)
		return 0;
	if (e->domain)
		leave_domain(m, e);
	e->domain = d ? d : domain_new(m, domain, bypass);
	e->domain->endpoints++;
	drain(m);
	return 0;
}

int iommu_attach(struct iommu *m, uint32_t domain, uint32_t endpoint,
		 bool bypass)
{
	int r;

	pthread_mutex_lock(&m->lock);
	r = attach(m, domain, endpoint_find(m, endpoint), bypass);
	pthread_mutex_unlock(&m->lock);
	return r;
}

static int detach(struct iommu *m, uint32_t domain, struct endpoint *e)
{
	if (!e)
		return -ENOENT;
	if (!e->domain || e->domain->id != domain)
		return -EINVAL;
	leave_domain(m, e);
	drain(m);
	return 0;
}

int iommu_detach(struct iommu *m, uint32_t domain, uint32_t endpoint)
{
	int r;

	pthread_mutex_lock(&m->lock);
	r = detach(m, domain, endpoint_find(m, endpoint));
	pthread_mutex_unlock(&m->lock);
	return r;
}

/* Whole pages that an iova can name? */
static bool range_good(iova_t first, iova_t last)
{
	return !(first.v & PAGE_MASK) && !((last.v + 1) & PAGE_MASK) &&
	       first.v < last.v && last.v >> IOMMU_BITS == 0;
}

static uint64_t range_pages(iova_t first, iova_t last)
{
	return ((last.v - first.v) >> PAGE_SHIFT) + 1;
}

static int map(struct iommu *m, struct domain *d, iova_t first, iova_t last,
	       gpa_t to, unsigned rights)
{
	uint64_t pages = range_pages(first, last);
	int r;

	if (!d)
		return -ENOENT;
	if (d->bypass)
		return -EINVAL;
	r = iotable_map(&d->table, first.v >> PAGE_SHIFT, pages,
			to.v >> PAGE_SHIFT, rights);
	m->count.mapped += r == 0;
	return r;
}

int iommu_map(struct iommu *m, uint32_t domain, iova_t first, iova_t last,
	      gpa_t to, unsigned rights)
{
	int r;

	if (!range_good(first, last) || (to.v & PAGE_MASK) || !rights ||
	    (rights & ~(unsigned)(IOMMU_READ | IOMMU_WRITE)) ||
	    !range_within(to.v, last.v - first.v + 1, UINT64_C(1) << 52))
		return -EINVAL;
	pthread_mutex_lock(&m->lock);
	r = map(m, domain_find(m, domain), first, last, to, rights);
	pthread_mutex_unlock(&m->lock);
	return r;
}

static int unmap(struct iommu *m, struct domain *d, uint64_t page,
		 uint64_t pages)
{
	int r;

	if (!d)
		return -ENOENT;
	if (d->bypass)
		return -EINVAL;
	r = iotable_unmap(&d->table, page, pages);
	if (r)
		return r;
	tlb_forget(m, d, page, pages);
	drain(m);
	return 0;
}

int iommu_unmap(struct iommu *m, uint32_t domain, iova_t first, iova_t last)
{
	int r;

	if (!range_good(first, last))
		return -EINVAL;
	pthread_mutex_lock(&m->lock);
	r = unmap(m, domain_find(m, domain), first.v >> PAGE_SHIFT,
		  range_pages(first, last));
	pthread_mutex_unlock(&m->lock);
	return r;
}

void iommu_reset(struct iommu *m)
{
	pthread_mutex_lock(&m->lock);
	for (unsigned i = 0; i < m->endpoints; i++)
		if (m->endpoint[i].domain)
			leave_domain(m, &m->endpoint[i]);
	drain(m);
	pthread_mutex_unlock(&m->lock);
}

void iommu_set_bypass(struct iommu *m, bool bypass)
{
	pthread_mutex_lock(&m->lock);
	m->bypass = bypass;
	pthread_mutex_unlock(&m->lock);
}

void iommu_counters(struct iommu *m, struct iommu_counters *c)
{
	pthread_mutex_lock(&m->lock);
	*c = m->count;
	c->tables = m->tables;
	pthread_mutex_unlock(&m->lock);
}
