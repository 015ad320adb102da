/* SPDX-License-Identifier: MIT */
/* The value of --net: user or tap=NAME, then what both have. */
#include <stdlib.h>
#include <string.h>

#include "vmm/options_part.h"

#define NET_FORM "want user[,mac=MAC] or tap=NAME[,mac=MAC]"

static bool net_kind(struct net_option *n, const struct item *item,
		     struct complaint *why)
{
	n->kind = item->value ? NET_TAP : NET_USER;
	if (!strcmp(item->key, "user") && !item->value)
		return true;
	if (!item_is(item, "tap") || !*item->value)
		return complaint_set(why, NET_FORM);
	n->tap = strdup(item->value);
	return n->tap || complaint_set(why, "no memory");
}

/* Six bytes; the lowest bit of the first says that it is a group's. */
static bool net_mac_value(struct net_option *n, const char *text,
			  struct complaint *why)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *s = text;

	for (unsigned i = 0; i < 6; i++, s += 3) {
		if (strspn(s, digits) != 2 || s[2] != (i < 5 ? ':' : 0))
			return complaint_set(why, "mac is six bytes in "
						  "hexadecimal, with ':' "
						  "between");
		n->mac[i] = (uint8_t)strtoul(s, NULL, 16);
	}
	n->mac_given = true;
	return !(n->mac[0] & 1) ||
	       complaint_set(why, "mac is a group's address: its first byte "
				  "is odd");
}

static bool net_item(void *to, const struct item *item, struct complaint *why)
{
	struct net_option *n = to;

	if (item->first)
		return net_kind(n, item, why);
	if (item_is(item, "mac"))
		return net_mac_value(n, item->value, why);
	return complaint_set(why, NET_FORM);
}

bool options_net(struct run_options *o, const char *value,
		 struct complaint *why)
{
	struct net_option n = { .tap = NULL };

	if (o->nets == MAX_NETS)
		return complaint_set(why, "at most %d networks", MAX_NETS);
	if (list_read(value, net_item, &n, why)) {
		o->net[o->nets++] = n;
		return true;
	}
	free(n.tap);
	return false;
}
