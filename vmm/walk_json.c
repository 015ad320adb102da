/* SPDX-License-Identifier: MIT */
#include "vmm/walk_json.h"

#include "ept/walk.h"
#include "vmm/page_text.h"
#include "vmm/safe_json.h"

const char *tier_or_none(const char *tier)
{
	return tier ? tier : "none";
}

/* What makes a reference one of a stage. */
struct reading {
	char decoded[160], answer[64];
	json_t *table, *entry;
	unsigned index;
};

static struct reading read_stage1(const struct twostage_ref *r)
{
	struct reading t = {
		.table = safe_hex(r->gpa.v & ~PAGE_MASK),
		.entry = safe_hex(r->entry),
		.index = (r->gpa.v & PAGE_MASK) / sizeof(r->entry),
	};

	guest_entry_text(r->entry, r->level, t.decoded, sizeof(t.decoded));
	guest_entry_answer(r->entry, r->level, t.answer, sizeof(t.answer));
	return t;
}

static struct reading read_stage2(const struct twostage_ref *r,
				  const char *tier)
{
	struct pte e = { r->entry };
	struct reading t = {
		.table = json_null(),
		.entry = pte_kind(e) == PTE_TABLE ? json_null()
						  : safe_hex(r->entry),
		.index = level_index(gfn_of(r->gpa).v, r->level),
	};

	stage2_entry_text(e, r->level, tier_or_none(tier), t.decoded,
			  sizeof(t.decoded));
	stage2_entry_answer(e, tier_or_none(tier), t.answer, sizeof(t.answer));
	return t;
}

static json_t *ref_json(const struct twostage_ref *r, const char *tier)
{
	struct reading t =
		r->stage == 1 ? read_stage1(r) : read_stage2(r, tier);

	return json_pack("{s:i, s:i, s:o, s:o, s:i, s:o, s:s, s:s}", "stage",
			 (int)r->stage, "level", (int)r->level, "gpa",
			 safe_hex(r->gpa.v), "table", t.table, "index",
			 (int)t.index, "entry", t.entry, "decoded", t.decoded,
			 "answer", t.answer);
}

json_t *walk_json(const struct explain *e)
{
	json_t *walk = json_array();

	for (unsigned i = 0; i < e->refs; i++)
		json_array_append_new(walk, ref_json(&e->ref[i], e->tier[i]));
	return walk;
}
