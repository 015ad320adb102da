/* SPDX-License-Identifier: MIT */
/* Leaves: what each of the five kinds (leaf.h) becomes. */
#include "guest/mm/leaf.h"

#include "guest/lib/broken.h"
#include "guest/mm/swap.h"

uint64_t leaf_others;

uint64_t leaf_bits(unsigned prot)
{
	uint64_t bits = PTE_U | PTE_A | (prot ? PTE_P : PTE_KEPT);

	if (prot & PROT_WRITE || broken("rights"))
		bits |= PTE_W;
	if (!(prot & PROT_EXEC) && !broken("pte-bits"))
		bits |= pte_nx;
	return bits;
}

void leaf_lock(const uint64_t *at)
{
	struct frame *f = leaf_frame(*at);

	if (!f || f->flags & FRAME_LOCKED || broken("mlock"))
		return;
	f->flags |= FRAME_LOCKED;
	counts.frames_locked++;
}

void leaf_unlocked(struct frame *f)
{
	if (!(f->flags & FRAME_LOCKED) || rmap_locked(f))
		return;
	f->flags &= ~FRAME_LOCKED;
	counts.frames_locked--;
}

uint64_t *leaf_next(struct space *s, uintptr_t *va, uintptr_t end)
{
	while (*va < end) {
		struct slot slot = { .level = 1 };

		if (s->table_base != (*va & ~(LARGE_SIZE - 1)))
			slot = table_walk(s->root, *va);
		if (slot.level == 1) {
			slot.at = leaf_at(s, *va);
			if (*slot.at)
				return slot.at;
		}
		*va = (*va | (level_bytes(slot.level) - 1)) + 1;
	}
	return NULL;
}

void leaf_left(struct space *s, struct frame *f)
{
	s->resident--;
	f->maps--;
	leaf_others -= f->use == FRAME_FILE || f->maps;
	leaf_unlocked(f);
	if (!broken("leak"))
		frame_put(f);
}

void leaf_drop(struct vma *v, uint64_t *at)
{
	uint64_t old = *at;
	struct frame *f = leaf_frame(old);

	*at = 0;
	if (pte_is_slot(old)) {
		v->space->swapped--;
		swap_put(pte_slot(old));
	}
	if (f)
		leaf_left(v->space, f);
}

/*
 * The right to write comes back by a fault where it may not be had at once:
 * the frame is borrowed, has other users, or counts its writers.
 */
void leaf_protect(struct vma *v, uint64_t *at)
{
	uint64_t old = *at, bits = v->bits & ~PTE_A;
	struct frame *f = leaf_frame(old);
	bool sole = f && f->use == FRAME_ANON && f->count == 1 && !f->slot;

	if (pte_is_slot(old))
		return;
	if (!(old & PTE_W) && !sole)
		bits &= ~PTE_W;
	*at = (old & (PTE_FRAME | PTE_A | PTE_D | PTE_BORROWED)) | bits;
}

/* Broken, the child writes what the parent has mapped: not its stack. */
static bool is_copied(const struct vma *child)
{
	if (child->flags & MAP_SHARED)
		return false;
	return !broken("cow") || child->start < MMAP_BASE ||
	       child->kind != VMA_ANON;
}

void leaf_share(struct vma *child, uint64_t *at, uint64_t *to)
{
	struct frame *f = leaf_frame(*at);

	if (pte_is_slot(*at)) {
		swap_get(pte_slot(*at));
		child->space->swapped++;
	} else if (is_copied(child)) {
		*at &= ~PTE_W;
	}
	*to = *at;
	if (!f)
		return;
	f->count++;
	f->maps++;
	leaf_others++;
	child->space->resident++;
}
