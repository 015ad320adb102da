/* SPDX-License-Identifier: MIT */
/*
 * With the lock held, what is not in motion is at rest on every side; but for
 * stale pages, which the table no longer maps and the host does, until the
 * next flush. Slots that a batch on its way out has taken are in no table yet:
 * so they are counted with `evicting` held too, or with a batch's tolerance.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "ept/audit.h"
#include "ept/state.h"

#define CHUNK	   512
#define PM_PRESENT (UINT64_C(1) << 63) /* Documentation/admin-guide/mm/ */
#define PM_SWAP	   (UINT64_C(1) << 62) /* pagemap.rst; a page on the move */

const char *const audit_name[AUDIT_CHECKS] = {
	[AUDIT_MEMFD] = "memfd",       [AUDIT_PAGEMAP] = "pagemap",
	[AUDIT_SLOT] = "slot",	       [AUDIT_SLOT_TWICE] = "slot_twice",
	[AUDIT_POLICY] = "policy",     [AUDIT_WATCH] = "watch",
	[AUDIT_COUNTERS] = "counters", [AUDIT_SWAP_USED] = "swap_used",
};

/* A slot, and the page that names it. */
struct name {
	slot_t slot;
	gfn_t gfn;
};

struct auditor {
	struct stage2 *s;
	struct audit_report *r;
	int pagemap; /* -1: the kernel hides it */
	struct name *name;
	size_t names, room;
	bool in_memfd[CHUNK], stale[CHUNK];
	uint64_t in_pagemap[CHUNK];
};

/* One check of page @g. False: the first divergence, written down. */
static bool agree(struct auditor *a, enum audit_check check, gfn_t g,
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

	if (!agree(a, AUDIT_SLOT, g, true, live))
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
	return agree(a, AUDIT_PAGEMAP, g, kind == PTE_LEAF,
		     !!(a->in_pagemap[i] & (PM_PRESENT | PM_SWAP)));
}

/* Does the memfd, or the copy of a shared file, hold what it should? */
static bool check_memfd(struct auditor *a, gfn_t g, struct pte e, unsigned i)
{
	const struct share *share;
	frame_t f;

	if (frame_of(a->s, g, &f) && (share = share_of(a->s, f)))
		return !pte_has_frame(e) ||
		       agree(a, AUDIT_MEMFD, g, true, share_has(share, g));
	return a->s->frame_pages > 1 ||
	       agree(a, AUDIT_MEMFD, g, pte_has_frame(e), a->in_memfd[i]);
}

/* Are the policy's lists right about the frame, of which @g is a page? */
static bool check_policy(struct auditor *a, gfn_t g, enum pte_kind kind,
			 frame_t f)
{
	const struct stage2 *s = a->s;
	bool known = (kind == PTE_LEAF || kind == PTE_UNMAPPED) &&
		     !frame_set_has(&s->watched, f);

	return g.v != gfn_of_frame(s, f).v || /* once a frame */
	       agree(a, AUDIT_POLICY, g, known,
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

	for (uint64_t at = 0; at < pages && !r; at += CHUNK)
		r = check_chunk(a, at,
				pages - at < CHUNK ? (unsigned)(pages - at)
						   : CHUNK);
	return r;
}

static int by_slot(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return x->slot.v < y->slot.v ? -1 : x->slot.v > y->slot.v;
}

/* A slot's number is used once: one that two pages name, though at different
 * moments, is shared. */
static int check_names(struct auditor *a)
{
	bool same = true;

	if (a->names)
		qsort(a->name, a->names, sizeof(a->name[0]), by_slot);
	pthread_mutex_lock(&a->s->lock);
	for (size_t i = 1; i < a->names && same; i++) {
		const struct name *n = &a->name[i];
		bool twice = n[-1].slot.v == n->slot.v;

		same = agree(a, AUDIT_SLOT_TWICE, n->gfn,
			     twice ? n[-1].gfn.v : n->gfn.v, n->gfn.v);
	}
	pthread_mutex_unlock(&a->s->lock);
	return same ? 0 : -EBADMSG;
}

/* One recursion, with the level as a value. */
static void recount(const struct pte *table, unsigned level,
		    uint64_t pages[PTE_KINDS])
{
	for (unsigned i = 0; i < LEVEL_ENTRIES; i++) {
		enum pte_kind kind = pte_kind(table[i]);

		if (kind == PTE_TABLE)
			recount(pte_child(table[i]), level - 1, pages);
		else
			pages[kind] += level_pages(level);
	}
}

static bool check_counters(struct auditor *a)
{
	const struct ept *t = &a->s->ept;
	uint64_t pages[PTE_KINDS] = { 0 };
	bool same = true;

	recount(t->root, 4, pages);
	for (unsigned k = 0; k < PTE_KINDS && same; k++) {
		same = agree(a, AUDIT_COUNTERS, (gfn_t){ 0 }, t->pages[k],
			     pages[k]);
		a->r->kind = k;
	}
	return same;
}

/* A page that arrives from swap names its slot nowhere meanwhile; and up to
 * @unnamed others may be in use. */
static bool check_used(struct auditor *a, uint64_t unnamed)
{
	const struct stage2 *s = a->s;
	uint64_t named = s->ept.pages[PTE_STORED];
	uint64_t used = swap_slots_used(s->config.swap);
	uint64_t most;
	slot_t copy;

	for (uint64_t at = 0; at < s->pages; at++)
		named += copy_of(s, at, &copy);
	most = named + s->ept.pages[PTE_ARRIVING] + unnamed;
	return agree(a, AUDIT_SWAP_USED, (gfn_t){ 0 },
		     used > most    ? most
		     : named > used ? named
				    : used,
		     used);
}

/* Who is under watch is unmapped, and in the queue. */
static int check_watch(struct auditor *a)
{
	const struct stage2 *s = a->s;
	const struct watch *w = &s->watch;
	bool *queued = calloc(s->backing.frames, sizeof(*queued));
	bool same = true;

	if (!queued)
		return -ENOMEM;
	for (uint64_t i = 0; i < w->n; i++)
		queued[watch_at(w, i).v] = true;
	for (uint64_t f = 0; f < s->backing.frames && same; f++) {
		gfn_t g = gfn_of_frame(s, (frame_t){ f });

		if (frame_set_has(&s->watched, (frame_t){ f }))
			same = agree(a, AUDIT_WATCH, g, true,
				     queued[f] &&
					     pte_kind(ept_lookup(&s->ept, g)) ==
						     PTE_UNMAPPED);
	}
	free(queued);
	return same ? 0 : -EBADMSG;
}

/* Wait for a moment between two evictions, but not long: under pressure one
 * follows the other, and its tier may not answer. */
static bool hold_evictions(struct stage2 *s)
{
	const struct timespec pause = { .tv_nsec = 100 * 1000 };

	for (unsigned i = 0; i < 100; i++) {
		if (!pthread_mutex_trylock(&s->evicting))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static int check_whole(struct auditor *a)
{
	bool held = hold_evictions(a->s);
	int r;

	pthread_mutex_lock(&a->s->lock);
	r = check_counters(a) && check_used(a, held ? 0 : TIER_BATCH)
		    ? check_watch(a)
		    : -EBADMSG;
	pthread_mutex_unlock(&a->s->lock);
	if (held)
		pthread_mutex_unlock(&a->s->evicting);
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
		r = check_names(&a);
	if (!r)
		r = check_whole(&a);
	if (a.pagemap >= 0)
		close(a.pagemap);
	free(a.name);
	return report->diverged ? 0 : r;
}
