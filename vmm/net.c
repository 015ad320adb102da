/* SPDX-License-Identifier: MIT */
#include "vmm/net.h"

#include <string.h>
#include <xxhash.h>

static net_open_fn *const kinds[] = {
	[NET_USER] = net_open_user,
	[NET_TAP] = net_open_tap,
};

bool net_open(struct net_link *l, const struct net_option *o,
	      struct complaint *why)
{
	return kinds[o->kind](l, o, why);
}

/* 02: locally administered, one interface. */
void net_mac(const struct net_option *o, uint8_t mac[NET_MAC])
{
	static const uint8_t ours[] = { 0x02, 't', 'f' };
	uint64_t hash = o->tap ? XXH64(o->tap, strlen(o->tap), 0) : 1;

	if (o->mac_given) {
		memcpy(mac, o->mac, NET_MAC);
		return;
	}
	memcpy(mac, ours, sizeof(ours));
	for (unsigned i = sizeof(ours); i < NET_MAC; i++, hash >>= 8)
		mac[i] = (uint8_t)hash;
}
