/* SPDX-License-Identifier: MIT */
#include "vmm/balloon.h"

#include <inttypes.h>
#include <stdio.h>

#include "vmm/safe_json.h"

#define PAGES_MIB 256 /* pages of 4 KiB to a MiB */

/* The text of @object, which this frees. */
static char *text_of(json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);

	json_decref(object);
	return text;
}

char *balloon_json(const struct balloon_report *r)
{
	return text_of(json_pack("{s:I, s:b, s:i, s:b, s:b}", "amount_mib",
				 safe_count(r->target_pages / PAGES_MIB),
				 "deflate_on_oom", r->deflate_on_oom,
				 "stats_polling_interval_s", 0,
				 "free_page_hinting", true,
				 "free_page_reporting", r->reporting));
}

char *balloon_hinting_json(const struct balloon_report *r)
{
	return text_of(json_pack("{s:I, s:I}", "host_cmd",
				 safe_count(r->hint_host), "guest_cmd",
				 safe_count(r->hint_guest)));
}

char *balloon_statistics_json(const struct balloon_report *r)
{
	json_t *report = json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"target_pages", safe_count(r->target_pages), "actual_pages",
		safe_count(r->actual_pages), "target_mib",
		safe_count(r->target_pages / PAGES_MIB), "actual_mib",
		safe_count(r->actual_pages / PAGES_MIB), "inflated_pages",
		safe_count(r->inflated), "deflated_pages",
		safe_count(r->deflated), "reported_pages",
		safe_count(r->reported), "hinted_pages", safe_count(r->hinted),
		"discarded_pages", safe_count(r->discarded), "skipped",
		safe_count(r->skipped));

	if (r->updated_s)
		json_object_set_new(report, "last_update",
				    json_integer(r->updated_s));
	for (unsigned i = 0; i < BALLOON_TAGS; i++)
		if (r->known & (1u << i))
			json_object_set_new(
				report, balloon_tag_name[i],
				json_integer(safe_count(r->value[i])));
	return text_of(report);
}

int balloon_print(const char *text)
{
	json_t *report = json_loads(text, 0, NULL), *value;
	const char *name;

	if (!json_is_object(report)) {
		json_decref(report);
		return -1;
	}
	json_object_foreach(report, name, value)
	{
		printf("%-20s %" JSON_INTEGER_FORMAT "\n", name,
		       json_integer_value(value));
	}
	json_decref(report);
	return 0;
}
