/* SPDX-License-Identifier: MIT */
#include "vmm/ctl_order.h"

#include <inttypes.h>
#include <string.h>

static bool bad_size(const char *text, struct complaint *why)
{
	return complaint_set(why, "not a size, as in 64M: %.80s", text);
}

bool order_resident(struct order *o, const char *text, struct complaint *why)
{
	uint64_t bytes;

	if (!size_parse(text, 0, &bytes))
		return bad_size(text, why);
	*o = (struct order){ .method = "PUT", .target = "/memory/resident" };
	snprintf(o->json, sizeof(o->json), "{\"resident_bytes\": %" PRIu64 "}",
		 bytes);
	return true;
}

bool order_balloon(struct order *o, const char *text, struct complaint *why)
{
	uint64_t bytes = 0;

	if (strcmp(text, "0") && !size_parse(text, 0, &bytes))
		return bad_size(text, why);
	*o = (struct order){ .method = "PATCH", .target = "/balloon" };
	snprintf(o->json, sizeof(o->json), "{\"amount_mib\": %" PRIu64 "}",
		 bytes >> 20);
	return true;
}

/* Which policies there are is the VM's to say. */
bool order_policy(struct order *o, const char *text, struct complaint *why)
{
	if (!*text || strlen(text) > 64 ||
	    text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789")])
		return complaint_set(why, "not a policy: %.80s", text);
	*o = (struct order){ .method = "PUT", .target = "/policy" };
	snprintf(o->json, sizeof(o->json), "{\"policy\": \"%s\"}", text);
	return true;
}

struct order order_state(const char *state)
{
	struct order o = { .method = "PATCH", .target = "/vm" };

	snprintf(o.json, sizeof(o.json), "{\"state\": \"%s\"}", state);
	return o;
}
