/* SPDX-License-Identifier: MIT */
#include "vmm/audit.h"

#include <stdio.h>

#include "vmm/page_text.h"
#include "vmm/safe_json.h"

void audit_tell(const struct audit_report *r, char *to, size_t bytes)
{
	static const char *const side[AUDIT_CHECKS][2] = {
		[AUDIT_MEMFD] = { "the memfd has no bytes of it",
				  "the memfd has bytes of it" },
		[AUDIT_PAGEMAP] = { "the guest mapping lacks it",
				    "it is in the guest mapping" },
		[AUDIT_SLOT] = { "swap does not know its slot", "" },
		[AUDIT_POLICY] = { "the policy does not hold it",
				   "the policy holds it" },
		[AUDIT_WATCH] = { "it is under watch and not in the queue",
				  "" },
	};
	const char *state = page_state(r->kind);
	unsigned long long gfn = r->gfn.v, want = r->want, got = r->got;

	switch (r->check) {
	case AUDIT_SLOT_TWICE:
		snprintf(to, bytes, "gfn %#llx and gfn %#llx name one slot",
			 want, got);
		break;
	case AUDIT_COUNTERS:
		snprintf(to, bytes,
			 "the counter of %s pages says %llu, a recount %llu",
			 state, want, got);
		break;
	case AUDIT_SWAP_USED:
		snprintf(to, bytes,
			 "pages name %llu slots, swap has %llu in use", want,
			 got);
		break;
	default:
		snprintf(to, bytes, "gfn %#llx: the table says %s, but %s", gfn,
			 state, side[r->check][r->got != 0]);
	}
}

static json_t *divergence_json(const struct audit_report *r)
{
	char text[160];

	if (!r->diverged)
		return json_null();
	audit_tell(r, text, sizeof(text));
	return json_pack("{s:s, s:s, s:I}", "check", audit_name[r->check],
			 "text", text, "gfn", safe_count(r->gfn.v));
}

char *audit_json(const struct audit_report *r)
{
	json_t *checked = json_object(), *report;
	char *text;

	for (unsigned i = 0; i < AUDIT_CHECKS; i++)
		json_object_set_new(checked, audit_name[i],
				    json_integer(safe_count(r->checked[i])));
	report = json_pack("{s:b, s:I, s:I, s:o, s:o}", "sound", !r->diverged,
			   "pages", safe_count(r->pages), "in_motion",
			   safe_count(r->passed_over), "checked", checked,
			   "divergence", divergence_json(r));
	text = json_dumps(report, JSON_COMPACT);
	json_decref(report);
	return text;
}

int audit_print(const char *text)
{
	json_t *report = json_loads(text, 0, NULL), *checked;
	json_int_t pages, in_motion;
	const char *what = NULL;
	int sound;

	if (json_unpack(report, "{s:b, s:I, s:I, s:o}", "sound", &sound,
			"pages", &pages, "in_motion", &in_motion, "checked",
			&checked) ||
	    (!sound &&
	     json_unpack(report, "{s:{s:s}}", "divergence", "text", &what))) {
		json_decref(report);
		return -1;
	}
	if (sound)
		printf("sound      %lld pages, %lld of them in motion\n", pages,
		       in_motion);
	else
		printf("diverged   %s\n", what);
	for (unsigned i = 0; i < AUDIT_CHECKS; i++)
		printf("checked    %s %lld\n", audit_name[i],
		       json_integer_value(
			       json_object_get(checked, audit_name[i])));
	json_decref(report);
	return !sound;
}
