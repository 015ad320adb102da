/* SPDX-License-Identifier: MIT */
/* The host's side of --net: the links that devices/virtio_net.h asks for. */
#ifndef VMM_NET_H
#define VMM_NET_H

#include "devices/virtio_net.h"
#include "vmm/options.h"

/* A kind of link: opens the one that @o names. False: one line in *why. */
typedef bool net_open_fn(struct net_link *l, const struct net_option *o,
			 struct complaint *why);

/* net_tap.c: an interface of the host's, by /dev/net/tun. */
net_open_fn net_open_tap;
/* net_user.c: a network of the guest's own, with ours as its gateway to what
 * this user can reach: twofold-net (vmm/net/), and so libslirp. */
net_open_fn net_open_user;

/* The one of o->kind. */
net_open_fn net_open;

/* The address that the guest's side has: the given one, else one that is the
 * same whenever it has the same tap. */
void net_mac(const struct net_option *o, uint8_t mac[NET_MAC]);

#endif
