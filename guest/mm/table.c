/* SPDX-License-Identifier: MIT */
/* The walk of page tables, and how they grow. */
#include "guest/mm/table.h"

#include "guest/lib/broken.h"
#include "guest/mm/frame.h"

struct slot table_walk(pa_t root, uintptr_t va)
{
	uint64_t *table = direct(root);

	for (int level = TABLE_TOP;; level--) {
		uint64_t *at = table + level_index(va, level);

		if (level == 1 || !(*at & PTE_P) || *at & PTE_PS)
			return (struct slot){ at, level };
		table = direct(pte_pa(*at));
	}
}

/*
 * Rights are the leaf's business: a table grants all, but tables of the lower
 * half alone are open to ring 3. All tables are in a list that begins at the
 * root's descriptor, which counts them: so they are found again without looking
 * at entries. The
 * kernel's tables are everybody's: another may make this one meanwhile. Broken,
 * it is in two entries: what an address's bits say is not where it is alone.
 */
static bool make_table(pa_t root, uint64_t *at, uintptr_t va)
{
	struct frame *f = frame_alloc(FRAME_TABLE);

	if (!f)
		return false;
	if (*at & PTE_P) {
		frame_put(f);
		return true;
	}
	f->next = frame_at(root)->next;
	frame_at(root)->next = (uint32_t)(f - frames);
	frame_at(root)->index++;
	*at = frame_pa(f).v | PTE_P | PTE_W | (va < USER_END ? PTE_U : 0);
	if (va < USER_END && broken("paging"))
		*(uint64_t *)((uintptr_t)at ^ sizeof(*at)) = *at;
	return true;
}

uint64_t *table_slot(pa_t root, uintptr_t va, int level)
{
	struct slot slot = table_walk(root, va);

	while (slot.level > level) {
		if (*slot.at & PTE_P || !make_table(root, slot.at, va))
			return NULL;
		slot = table_walk(root, va);
	}
	return slot.at;
}

void table_free(pa_t root)
{
	uint32_t next = frame_at(root)->next;

	frame_put(frame_at(root));
	while (next) {
		struct frame *f = frames + next;

		next = f->next;
		frame_put(f);
	}
}
