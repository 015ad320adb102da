/* SPDX-License-Identifier: MIT */
/*
 * With the lock held, what is not in motion is at rest on every side; but for
 * stale pages, which the table no longer maps and the host does, until the
 * next flush.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "ept/audit_state.h"

#define PM_PRESENT (UINT64_C(1) << 63) /* Documentation/admin-guide/mm/ */
#define PM_SWAP	   (UINT64_C(1) << 62) /* pagemap.rst; a page on the move */

const char *const audit_name[AUDIT_CHECKS] = {
	[AUDIT_MEMFD] = "memfd",       [AUDIT_PAGEMAP] = "pagemap",
	[AUDIT_SLOT] = "slot",	       [AUDIT_SLOT_TWICE] = "slot_twice",
	[AUDIT_POLICY] = "policy",     [AUDIT_WATCH] = "watch",
	[AUDIT_COUNTERS] = "counters", [AUDIT_SWAP_USED] = "swap_used",
};

bool audit_agree(struct auditor *a, enum audit_check check, gfn_t g,
		 uint64_t want, uint64_t got)
{
	struct audit_report *r = a->r;

	r->checked[check]++;
	if (want == got)
		return true;
	r->diverged = true;
	r->check = check;
	r->gfn = g;
	r->kind = pte_kind(ept_lookup(&a->s->ept, g));
	r->want = want;
	r->got = got;
	return false;
}

/* Which of pages [first, first + n) does the memfd hold bytes of? */
static void look_at_memfd(struct auditor *a, uint64_t first, unsigned n)
{
	const int fd = a->s->backing.fd;
	const off_t end = (off_t)((first + n) << PAGE_SHIFT);
	off_t at = (off_t)(first << PAGE_SHIFT);

	for (unsigned i = 0; i < n; i++)
		a->in_memfd[i] = false;
	while ((at = lseek(fd, at, SEEK_DATA)) >= 0 && at < end) {
		off_t hole = lseek(fd, at, SEEK_HOLE);

		for (; at < hole && at < end; at += (off_t)PAGE_SIZE)
			a->in_memfd[((uint64_t)at >> PAGE_SHIFT) - first] =
				true;
	}
}

static void look_at_pagemap(struct auditor *a, uint64_t first, unsigned n)
{
	const size_t bytes = n * sizeof(a->in_pagemap[0]);
	const uint64_t page =
		((uintptr_t)a->s->backing.guest >> PAGE_SHIFT) + first;

	if (a->pagemap < 0)
		return;
	if (pread(a->pagemap, a->in_pagemap, bytes,
		  (off_t)(page * sizeof(a->in_pagemap[0]))) == (ssize_t)bytes)
		return;
	close(a->pagemap);
	a->pagemap = -1;
}

static void look_at_stale(struct auditor *a, uint64_t first, unsigned n)
{
	const struct gather *stale = &a->s->stale;

	for (unsigned i = 0; i < n; i++)
		a->stale[i] = false;
	for (unsigned i = 0; i < stale->n; i++)
		for (unsigned k = 0; k < a->s->frame_pages; k++) {
			uint64_t page =
				stale->frame[i].v * a->s->frame_pages + k;

			if (page - first < n)
				a->stale[page - first] = true;
		}
}

/* Page @g names @slot. False: no memory. */
static bool add_name(struct auditor *a, slot_t slot, gfn_t g)
{
	if (a->names == a->room) {
		size_t room = a->room ? 2 * a->room : 1024;
		struct name *n = realloc(a->name, room * sizeof(*n));

		if (!n)
			return false;
		a->name = n;
		a->room = room;
	}
	a->name[a->names++] = (struct name){ slot, g };
	return true;
}

/* 0; -EBADMSG it diverged; -ENOMEM. */
static int check_slot(struct auditor *a, gfn_t g, slot_t slot)
{
	bool live = swap_tier(a->s->config.swap, slot) != SWAP_NOWHERE;

	if (!audit_agree(a, AUDIT_SLOT, g, true, live))
		return -EBADMSG;
	return add_name(a, slot, g) ? 0 : -ENOMEM;
}

/* Is it mapped where it should be? */
static bool check_mapping(struct auditor *a, gfn_t g, enum pte_kind kind,
			  unsigned i)
{
	if (a->pagemap < 0 || kind == PTE_POISONED ||
	    (kind == PTE_UNMAPPED && a->stale[i]))
		return true;
	return audit_agree(a, AUDIT_PAGEMAP, g, kind == PTE_LEAF,
			   !!(a->in_pagemap[i] & (PM_PRESENT | PM_SWAP)));
}

/* Does the memfd, or the copy of a shared file, hold what it should? */
static bool check_memfd(struct auditor *a, gfn_t g, struct pte e, unsigned i)
{
	const struct share *share;
	frame_t f;

	if (frame_of(a->s, g, &f) && (share = share_of(a->s, f)))
		return !pte_has_frame(e) || audit_agree(a, AUDIT_MEMFD, g, true,
							share_has(share, g));
	return a->s->frame_pages > 1 ||
	       audit_agree(a, AUDIT_MEMFD, g, pte_has_frame(e), a->in_memfd[i]);
}

/* Are the policy's lists right about the frame, of which @g is a page? */
static bool check_policy(struct auditor *a, gfn_t g, enum pte_kind kind,
			 frame_t f)
{
	const struct stage2 *s = a->s;
	bool known = (kind == PTE_LEAF || kind == PTE_UNMAPPED) &&
		     !frame_set_has(&s->watched, f);

	return g.v != gfn_of_frame(s, f).v || /* once a frame */
	       audit_agree(a, AUDIT_POLICY, g, known,
			   s->policy->ops->holds(s->policy, f));
}

/* RAM's page @at, the @i-th of the chunk. */
static int check_page(struct auditor *a, uint64_t at, unsigned i)
{
	struct stage2 *s = a->s;
	const frame_t f = { at / s->frame_pages };
	const gfn_t g = gfn_of_page(s, at);
	const struct pte e = ept_lookup(&s->ept, g);
	const enum pte_kind kind = pte_kind(e);
	slot_t copy;

	a->r->pages++;
	if (frame_set_has(&s->busy, f) || kind == PTE_ARRIVING ||
	    kind == PTE_LEAVING) {
		a->r->passed_over++;
		return 0;
	}
	if (!check_memfd(a, g, e, i) || !check_mapping(a, g, kind, i) ||
	    !check_policy(a, g, kind, f))
		return -EBADMSG;
	if (kind == PTE_STORED)
		return check_slot(a, g, pte_slot(e));
	return copy_of(s, at, &copy) ? check_slot(a, g, copy) : 0;
}

static int check_chunk(struct auditor *a, uint64_t first, unsigned n)
{
	int r = 0;

	pthread_mutex_lock(&a->s->lock);
	look_at_memfd(a, first, n);
	look_at_pagemap(a, first, n);
	look_at_stale(a, first, n);
	for (unsigned i = 0; i < n && !r; i++)
		r = check_page(a, first + i, i);
	pthread_mutex_unlock(&a->s->lock);
	return r;
}

static int check_pages(struct auditor *a)
{
	const uint64_t pages = a->s->pages;
	int r = 0;

	for (uint64_t at = 0; at < pages && !r; at += AUDIT_CHUNK)
		r = check_chunk(a, at,
				pages - at < AUDIT_CHUNK
					? (unsigned)(pages - at)
					: AUDIT_CHUNK);
	return r;
}

int stage2_audit(struct stage2 *s, struct audit_report *report)
{
	struct auditor a = { .s = s, .r = report };
	int r;

	*report = (struct audit_report){ 0 };
	if (!s->config.paging)
		return -ENOTSUP;
	a.pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	r = check_pages(&a);
	if (!r)
		r = audit_whole(&a);
	if (a.pagemap >= 0)
		close(a.pagemap);
	free(a.name);
	return report->diverged ? 0 : r;
}

void audit_round(struct stage2 *s)
{
	const unsigned every = s->config.audit_every;
	struct audit_report r;

	if (every && atomic_fetch_add(&s->rounds, 1) % every == every - 1 &&
	    !stage2_audit(s, &r))
		s->config.audited(s->config.ctx, &r);
}
