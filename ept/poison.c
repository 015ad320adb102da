/* SPDX-License-Identifier: MIT */
#include "ept/poison.h"
#include "ept/uffd.h"

/* In the host, without our lock. */
static bool install(struct stage2 *s, gfn_t g)
{
	void *at = stage2_host(s, g);
	int r;

	pthread_mutex_unlock(&s->lock);
	r = uffd_poison(s->faults.uffd, at);
	pthread_mutex_lock(&s->lock);
	return !r;
}

bool poison_page(struct stage2 *s, gfn_t g, int error)
{
	struct pte e = ept_lookup(&s->ept, g);

	if (!s->config.poison || s->frame_pages > 1 ||
	    (pte_kind(e) != PTE_STORED && pte_kind(e) != PTE_ABSENT))
		return false;
	/* The table says so before the thread that waits can wake. */
	set_page(s, g, pte_away(PTE_POISONED, 0, pte_rights(e)));
	if (!install(s, g)) {
		set_page(s, g, e);
		return false;
	}
	tell_owner(s, g, e, error);
	if (pte_kind(e) == PTE_STORED)
		swap_release(s->config.swap, pte_slot(e));
	return true;
}

bool poison_again(struct stage2 *s, gfn_t g)
{
	return install(s, g);
}
