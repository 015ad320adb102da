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
static bool guest_leaf(uint64_t entry, unsigned level)
{
	return level == 1 || (level <= 3 && (entry & pt_x86_64.leaf));
}

/* Where a leaf's page, or the table that it names, lies. */
static unsigned long long guest_target(uint64_t entry, unsigned level)
{
	struct walk w = { .level = level, .entry = entry };

	if (!guest_leaf(entry, level))
		return entry & pt_x86_64.address;
	return walk_target(&pt_x86_64, w, 0) << PAGE_SHIFT;
}

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
	if (guest_leaf(entry, level))
		fprintf(f, "-> %s page at %#llx", page_size(level),
			guest_target(entry, level));
	else
		fprintf(f, "-> table at %#llx", guest_target(entry, level));
	fclose(f);
}

void guest_entry_answer(uint64_t entry, unsigned level, char *to, size_t bytes)
{
	if (entry & pt_x86_64.present)
		snprintf(to, bytes, "%s %#llx",
			 guest_leaf(entry, level) ? "page" : "table",
			 guest_target(entry, level));
	else
		snprintf(to, bytes, "page fault");
}

static const char *rights_text(unsigned rights)
{
	static const char *const text[] = { "---", "R--", "-W-", "RW-",
					    "--X", "R-X", "-WX", "RWX" };

	return text[rights & PTE_RWX];
}

/* Who brings in the page of an absent entry. */
static const char *pager_text(struct pte e)
{
	static const char *const name[] = { [PAGER_ZERO] = "zero",
					    [PAGER_FILE] = "file",
					    [PAGER_SHARE] = "share" };
	uint64_t pager = pte_payload(e);

	return name[pager < PAGER_SHARE ? pager : PAGER_SHARE];
}

void stage2_entry_text(struct pte e, unsigned level, const char *tier, char *to,
		       size_t bytes)
{
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
			 pager_text(e));
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

void stage2_entry_answer(struct pte e, const char *tier, char *to, size_t bytes)
{
	switch (pte_kind(e)) {
	case PTE_TABLE:
		snprintf(to, bytes, "table");
		break;
	case PTE_LEAF:
		snprintf(to, bytes, "frame %#llx",
			 (unsigned long long)pte_frame(e).v);
		break;
	case PTE_STORED:
		snprintf(to, bytes, "fault: swap %s", tier);
		break;
	case PTE_ABSENT:
		snprintf(to, bytes, "fault: %s", pager_text(e));
		break;
	default:
		snprintf(to, bytes, "fault: %s", page_state(pte_kind(e)));
	}
}
