/* SPDX-License-Identifier: MIT */
/*
 * Two guests with automatic balloons on one host; and where a host says how
 * much memory it has left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/balloon_auto.h"

#define MIB (UINT64_C(1) << 20)
#define RAM (256 * MIB)

/* A guest that keeps all of its RAM but the balloon in the host's memory. */
struct guest {
	uint64_t used, given; /* bytes: by its programs; in the balloon */
};

static uint64_t left(const struct guest g[2], uint64_t total)
{
	uint64_t used = 2 * RAM - g[0].given - g[1].given;

	return used < total ? total - used : 0;
}

static void live(struct guest g[2], uint64_t total, unsigned seconds)
{
	while (seconds--)
		for (unsigned i = 0; i < 2; i++) {
			uint64_t all = g[i].used + g[i].given;
			struct balloon_second t = {
				.ram = RAM,
				.given = g[i].given,
				.available = all < RAM ? RAM - all : 0,
				.pages_back = all > RAM ? 100 : 0,
				.host = { total, left(g, total) },
			};

			g[i].given = balloon_auto_step(&t);
			assert_true(g[i].given < RAM);
		}
}

static void memory_moves_from_the_idle_to_the_busy(void **state)
{
	struct guest g[2] = { { .used = 32 * MIB }, { .used = 240 * MIB } };
	uint64_t before;

	(void)state;
	live(g, 480 * MIB, 120);
	assert_int_equal(g[1].given, 0);
	assert_true(g[0].given >= 64 * MIB);
	before = g[0].given;
	g[0].used = 240 * MIB; /* and the other way round */
	g[1].used = 32 * MIB;
	live(g, 480 * MIB, 120);
	assert_int_equal(g[0].given, 0);
	assert_true(g[1].given >= before / 2);
}

static void nobody_gives_what_he_needs(void **state)
{
	struct guest g[2] = { { .used = 250 * MIB }, { .used = 250 * MIB } };

	(void)state;
	live(g, 256 * MIB, 60);
	assert_int_equal(g[0].given, 0);
	assert_int_equal(g[1].given, 0);
}

static void it_comes_back_when_there_is_plenty(void **state)
{
	struct guest g[2] = { { .used = 32 * MIB }, { .used = 32 * MIB } };

	(void)state;
	live(g, 512 * MIB, 60);
	assert_true(g[0].given > 0 && g[1].given > 0);
	live(g, 4096 * MIB, 64);
	assert_int_equal(g[0].given, 0);
	assert_int_equal(g[1].given, 0);
}

static void it_rests_between(void **state)
{
	struct balloon_second t = {
		.ram = RAM,
		.given = 32 * MIB,
		.available = 128 * MIB,
		.host = { 1024 * MIB, 200 * MIB },
	};

	(void)state;
	assert_int_equal(balloon_auto_step(&t), 32 * MIB);
	t.pages_back = 16; /* a need of its own comes first */
	assert_int_equal(balloon_auto_step(&t), 16 * MIB);
}

/* A host made of files. */
struct tree {
	char root[32];
};

static void put(const struct tree *h, const char *path, const char *text)
{
	char whole[256];
	FILE *f;

	snprintf(whole, sizeof(whole), "%s/%s", h->root, path);
	for (char *c = whole + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		mkdir(whole, 0755);
		*c = '/';
	}
	f = fopen(whole, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static struct tree tree(const char *groups)
{
	struct tree h = { "/tmp/twofold-host-XXXXXX" };

	assert_non_null(mkdtemp(h.root));
	put(&h, "proc/meminfo",
	    "MemTotal:       1048576 kB\n"
	    "MemFree:             12 kB\n"
	    "MemAvailable:    786432 kB\n");
	put(&h, "proc/self/cgroup", groups);
	return h;
}

static void expect(const struct tree *h, uint64_t total, uint64_t left)
{
	struct host_memory m;
	char command[64];

	assert_true(host_memory_read(h->root, &m));
	assert_int_equal(m.total, total);
	assert_int_equal(m.left, left);
	snprintf(command, sizeof(command), "rm -r %s", h->root);
	assert_int_equal(system(command), 0);
}

static void a_host_without_limits_is_its_memory(void **state)
{
	struct tree h = tree("0::/user\n");

	(void)state;
	put(&h, "sys/fs/cgroup/user/memory.max", "max\n");
	put(&h, "sys/fs/cgroup/user/memory.current", "4096\n");
	expect(&h, 1024 * MIB, 768 * MIB);
}

static void the_tightest_group_above_counts(void **state)
{
	struct tree h = tree("0::/slice/vm\n");

	(void)state;
	put(&h, "sys/fs/cgroup/slice/memory.max", "268435456\n");
	put(&h, "sys/fs/cgroup/slice/memory.current", "201326592\n");
	put(&h, "sys/fs/cgroup/slice/memory.stat",
	    "anon 7\ninactive_file 33554432\n");
	put(&h, "sys/fs/cgroup/slice/vm/memory.max", "536870912\n");
	put(&h, "sys/fs/cgroup/slice/vm/memory.current", "0\n");
	expect(&h, 256 * MIB, 96 * MIB);
}

static void version_1_is_known(void **state)
{
	struct tree h = tree("4:memory:/a/b\n1:cpu:/\n0::/\n");

	(void)state;
	put(&h, "sys/fs/cgroup/memory/a/memory.limit_in_bytes", "134217728\n");
	put(&h, "sys/fs/cgroup/memory/a/memory.usage_in_bytes", "234217728\n");
	expect(&h, 128 * MIB, 0);
}

static void a_host_that_says_nothing_is_no_host(void **state)
{
	struct host_memory m;

	(void)state;
	assert_false(host_memory_read("/nonexistent", &m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_moves_from_the_idle_to_the_busy),
		cmocka_unit_test(nobody_gives_what_he_needs),
		cmocka_unit_test(it_comes_back_when_there_is_plenty),
		cmocka_unit_test(it_rests_between),
		cmocka_unit_test(a_host_without_limits_is_its_memory),
		cmocka_unit_test(the_tightest_group_above_counts),
		cmocka_unit_test(version_1_is_known),
		cmocka_unit_test(a_host_that_says_nothing_is_no_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
