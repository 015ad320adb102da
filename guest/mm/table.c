/* SPDX-License-Identifier: MIT */
#include "guest/mm/table.h"

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
 * half alone are open to ring 3.
 */
static bool make_table(uint64_t *at, uintptr_t va)
{
	struct frame *f = frame_alloc(FRAME_TABLE);

	if (!f)
		return false;
	*at = frame_pa(f).v | PTE_P | PTE_W | (va < USER_END ? PTE_U : 0);
	return true;
}

uint64_t *table_slot(pa_t root, uintptr_t va, int level)
{
	uint64_t *table = direct(root);

	for (int l = TABLE_TOP; l > level; l--) {
		uint64_t *at = table + level_index(va, l);

		if (!(*at & PTE_P) && !make_table(at, va))
			return NULL;
		if (*at & PTE_PS)
			return NULL;
		table = direct(pte_pa(*at));
	}
	return table + level_index(va, level);
}

static void free_below(pa_t table, int level)
{
	const uint64_t *entry = direct(table);
	unsigned entries =
		level == TABLE_TOP ? TABLE_ENTRIES / 2 : TABLE_ENTRIES;

	for (unsigned i = 0; level > 1 && i < entries; i++)
		if (entry[i] & PTE_P && !(entry[i] & PTE_PS))
			free_below(pte_pa(entry[i]), level - 1);
	frame_put(frame_at(table));
}

void table_free(pa_t root)
{
	free_below(root, TABLE_TOP);
}
