/* SPDX-License-Identifier: MIT */
#include "vmm/capsule_net.h"

#include "vmm/net.h"

/* QEMU has libslirp itself; a tap it gets from us, attached. */
bool capsule_net_open(struct capsule_vm *v, const struct run_options *o,
		      struct complaint *why)
{
	for (unsigned i = 0; i < o->nets; i++) {
		struct net_link link = { .fd = -1 };

		if (o->net[i].kind == NET_TAP &&
		    !net_open_tap(&link, &o->net[i], why))
			return false;
		v->tap[v->nets++] = link.fd;
	}
	return true;
}

/* The guest has the address that it would have without a capsule. */
void capsule_net_args(struct words *w, const struct run_options *o)
{
	for (unsigned i = 0; i < o->nets; i++) {
		uint8_t m[NET_MAC];

		net_mac(&o->net[i], m);
		words_add(w, "--net");
		words_add(w, "tap=tap%u,mac=%02x:%02x:%02x:%02x:%02x:%02x", i,
			  m[0], m[1], m[2], m[3], m[4], m[5]);
	}
}
