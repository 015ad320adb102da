/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm/net.h"

/* An interface that was deleted says so by EBADFD. One that is down loses what
 * is sent, as a cable does. */
static int gone(int error)
{
	return error == EBADFD || error == ENODEV ? -ENODEV : -error;
}

static ssize_t tap_receive(struct net_link *l, void *to, size_t room)
{
	ssize_t n;

	do
		n = read(l->fd, to, room);
	while (n < 0 && errno == EINTR);
	return n < 0 ? gone(errno) : n;
}

static int tap_send(struct net_link *l, const void *packet, size_t len)
{
	return write(l->fd, packet, len) < 0 ? gone(errno) : 0;
}

static int tap_offload(struct net_link *l, uint64_t accepted)
{
	unsigned flags = 0;

	if (accepted & NET_F_GUEST_CSUM)
		flags |= TUN_F_CSUM;
	if (accepted & NET_F_GUEST_TSO4)
		flags |= TUN_F_TSO4;
	if (accepted & NET_F_GUEST_TSO6)
		flags |= TUN_F_TSO6;
	return ioctl(l->fd, TUNSETOFFLOAD, (unsigned long)flags) ? -errno : 0;
}

static void tap_close(struct net_link *l)
{
	close(l->fd);
}

static const struct net_link_ops tap_ops = {
	.receive = tap_receive,
	.send = tap_send,
	.offload = tap_offload,
	.close = tap_close,
};

/* Have @fd be the interface's: with struct net_header before each frame. */
static bool attach(int fd, const char *name, struct complaint *why)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int header = sizeof(struct net_header);

	strcpy(r.ifr_name, name);
	if (ioctl(fd, TUNSETIFF, &r))
		return complaint_set(why, "tap %s: %s", name,
				     errno == EBUSY ? "another program is "
						      "using it"
				     : errno == EINVAL
					     ? "it is no tap with one queue"
					     : strerror(errno));
	return !ioctl(fd, TUNSETVNETHDRSZ, &header) ||
	       complaint_set(why, "tap %s: %s", name, strerror(errno));
}

/* Attaching would make an interface that is not there. */
bool net_open_tap(struct net_link *l, const struct net_option *o,
		  struct complaint *why)
{
	int fd;

	if (strlen(o->tap) >= IFNAMSIZ || !if_nametoindex(o->tap))
		return complaint_set(why,
				     "tap %.60s: there is none; ip tuntap add "
				     "dev NAME mode tap user USER makes one",
				     o->tap);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return complaint_set(why, "/dev/net/tun: %s", strerror(errno));
	*l = (struct net_link){ .ops = &tap_ops,
				.fd = fd,
				.offloads = NET_OFFLOADS };
	if (attach(fd, o->tap, why))
		return true;
	close(fd);
	return false;
}
