/* SPDX-License-Identifier: MIT */
#include "vmm/page_text.h"

#include <stdio.h>

#include "ept/pager.h"
#include "ept/walk.h"

const char *page_state(enum pte_kind kind)
{
	static const char *const name[PTE_KINDS] = {
		[PTE_HOLE] = "hole",	     [PTE_TABLE] = "table",
		[PTE_LEAF] = "mapped",	     [PTE_ABSENT] = "absent",
		[PTE_ARRIVING] = "arriving", [PTE_UNMAPPED] = "unmapped",
		[PTE_LEAVING] = "leaving",   [PTE_STORED] = "stored",
		[PTE_POISONED] = "poisoned",
	};

	return kind < PTE_KINDS ? name[kind] : "unknown";
}

static const char *page_size(unsigned level)
{
	return level == 1 ? "4 KiB" : level == 2 ? "2 MiB" : "1 GiB";
}

/* Bit 7 is PS where a leaf may stand above level 1; at level 1 it is PAT. */
void guest_entry_text(uint64_t entry, unsigned level, char *to, size_t bytes)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{ 0, "P" },   { 1, "RW" },  { 2, "US" }, { 3, "PWT" },
		{ 4, "PCD" }, { 5, "A" },   { 6, "D" },	 { 7, "PS" },
		{ 8, "G" },   { 63, "NX" },
	};
	bool leaf = level == 1 || (level <= 3 && (entry & pt_x86_64.leaf));
	struct walk w = { .level = level, .entry = entry };
	FILE *f = fmemopen(to, bytes, "w");

	if (!f)
		return;
	if (!(entry & pt_x86_64.present)) {
		fprintf(f, "not present");
		fclose(f);
		return;
	}
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (entry >> names[i].bit & 1)
			fprintf(f, "%s ",
				names[i].bit == 7 && level == 1
					? "PAT"
					: names[i].name);
	if (leaf)
		fprintf(f, "-> %s page at %#llx", page_size(level),
			(unsigned long long)(walk_target(&pt_x86_64, w, 0)
					     << PAGE_SHIFT));
	else
		fprintf(f, "-> table at %#llx",
			(unsigned long long)(entry & pt_x86_64.address));
	fclose(f);
}

static const char *rights_text(unsigned rights)
{
	static const char *const text[] = { "---", "R--", "-W-", "RW-",
					    "--X", "R-X", "-WX", "RWX" };

	return text[rights & PTE_RWX];
}

void stage2_entry_text(struct pte e, unsigned level, const char *tier, char *to,
		       size_t bytes)
{
	static const char *const pager[] = { [PAGER_ZERO] = "zero",
					     [PAGER_FILE] = "file",
					     [PAGER_SHARE] = "share" };
	const char *rights = rights_text(pte_rights(e));
	enum pte_kind kind = pte_kind(e);

	switch (kind) {
	case PTE_HOLE:
		snprintf(to, bytes, "hole: no memory here");
		break;
	case PTE_TABLE: /* where is a host pointer, and nobody's business */
		snprintf(to, bytes, "%s -> table", rights);
		break;
	case PTE_STORED:
		snprintf(to, bytes, "%s stored: tier %s slot %llu", rights,
			 tier, (unsigned long long)pte_slot(e).v);
		break;
	case PTE_ABSENT:
		snprintf(to, bytes, "%s absent: pager %s", rights,
			 pager[pte_payload(e) < PAGER_SHARE ? pte_payload(e)
							    : PAGER_SHARE]);
		break;
	case PTE_POISONED:
		snprintf(to, bytes, "poisoned: its bytes are lost");
		break;
	default:
		snprintf(to, bytes, "%s %s: frame %#llx, %s page", rights,
			 page_state(kind), (unsigned long long)pte_frame(e).v,
			 page_size(level));
	}
}
