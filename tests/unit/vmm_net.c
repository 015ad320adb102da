/* SPDX-License-Identifier: MIT */
/* The host's side of --net, as far as it needs neither a tap nor libslirp. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "vmm/net.h"

static struct complaint why;

static void expect_refused(struct net_option o, const char *text)
{
	struct net_link l;

	assert_false(net_open(&l, &o, &why));
	if (!strstr(why.text, text))
		fail_msg("'%s' does not say '%s'", why.text, text);
}

static struct net_option tap(const char *name)
{
	return (struct net_option){ .kind = NET_TAP, .tap = (char *)name };
}

static void what_is_not_there_is_refused(void **state)
{
	(void)state;
	expect_refused(tap("nonesuch"),
		       "tap nonesuch: there is none; ip tuntap add");
	expect_refused(tap("sixteen-letters0"),
		       "tap sixteen-letters0: there is none");
	expect_refused((struct net_option){ .kind = NET_USER },
		       "no twofold-net beside this program");
}

/* Locally administered, one interface's, the same for the same tap. */
static void addresses_differ_by_tap(void **state)
{
	const struct net_option a = tap("tap0"), b = tap("tap1");
	const struct net_option given = { .mac_given = true,
					  .mac = { 2, 4, 6, 8, 10, 12 } };
	uint8_t of_a[NET_MAC], of_b[NET_MAC], again[NET_MAC];

	(void)state;
	net_mac(&a, of_a);
	net_mac(&b, of_b);
	net_mac(&a, again);
	assert_memory_equal(of_a, again, NET_MAC);
	assert_memory_not_equal(of_a, of_b, NET_MAC);
	assert_int_equal(of_a[0] & 3, 2);
	net_mac(&given, again);
	assert_memory_equal(again, given.mac, NET_MAC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_there_is_refused),
		cmocka_unit_test(addresses_differ_by_tap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
