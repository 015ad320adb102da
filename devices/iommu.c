/* SPDX-License-Identifier: MIT */
/*
 * Domains, endpoints, the TLB and the fault records. What the guest asks for
 * changes the tables first and forgets what the TLB knew of them; then it waits
 * until the accesses that are under way, which may still use what they were
 * told, have ended. New ones wait meanwhile, so that it does not starve.
 */
#include "devices/iommu.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

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
	pthread_mutex_t lock;
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

static struct endpoint *endpoint_find(struct iommu *m, uint32_t id)
{
	for (unsigned i = 0; i < m->endpoints; i++)
		if (m->endpoint[i].id == id)
			return &m->endpoint[i];
	return NULL;
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

void iommu_counters(struct iommu *m, struct iommu_counters *c)
{
	pthread_mutex_lock(&m->lock);
	*c = m->count;
	c->tables = m->tables;
	pthread_mutex_unlock(&m->lock);
}
