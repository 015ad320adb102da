/* SPDX-License-Identifier: MIT */
/* The command line: what good lines mean. Bad ones: vmm_options_bad.c. */
#include "tests/unit/options_fixture.h"
#include "vmm/command.h"

static void expect_good(const char *line)
{
	if (!parse(line))
		fail_msg("'%s' was refused: %s", line, why.text);
}

static void defaults(void **state)
{
	(void)state;
	expect_good("");
	assert_false(o.help);
	assert_null(o.kernel);
	assert_string_equal(o.cmdline, "");
	assert_int_equal(o.memory_bytes, 512 * MIB);
	assert_int_equal(o.resident_bytes, 512 * MIB);
	assert_int_equal(o.cpus, 1);
	assert_ptr_equal(o.policy, policies[0]);
	assert_int_equal(o.swaps, 1); /* what is to leave needs a place */
	assert_true(o.swap[0].ram);
	assert_int_equal(o.swap[0].size, 0);
	assert_int_equal(o.swap[0].codec, CODEC_LZ4);
	assert_int_equal(o.on_swap_error, SWAP_ERROR_STOP);
	assert_int_equal(o.accel, ACCEL_AUTO);
	assert_null(o.trace);
	assert_null(o.stats);
	assert_null(o.name);
	assert_null(o.api_socket);
	assert_int_equal(o.timeout_s, 0);
	assert_int_equal(o.flip_nth, 0);
	assert_true(o.slo_stall == 0);
	assert_true(o.paging);
	options_free(&o);
}

static void every_option_is_taken(void **state)
{
	(void)state;
	expect_good(
		"-m 1G --cpus=3 --kernel a.elf -p quiet --resident 64M "
		"--policy clock --swap ram=1G,codec=zstd --swap "
		"file=/tmp,size=2G --on-swap-error kill --trace t.tft "
		"--stats=s.json --name a.B-9_ --api-socket /run/x.sock "
		"--share path=/a/b --share path=c,address=0x1000 "
		"--mem-slo stall=0.5% --timeout 30 --accel capsule --paging on --inject flip=7 "
		"-- verify --size 1M");
	assert_string_equal(o.kernel, "a.elf");
	assert_string_equal(o.cmdline, "quiet -- verify --size 1M");
	assert_int_equal(o.memory_bytes, GIB);
	assert_int_equal(o.resident_bytes, 64 * MIB);
	assert_int_equal(o.cpus, 3);
	assert_string_equal(o.policy->name, "clock");
	assert_int_equal(o.shares, 2);
	assert_string_equal(o.share[0].path, "/a/b");
	assert_false(o.share[0].placed);
	assert_string_equal(o.share[1].path, "c");
	assert_true(o.share[1].placed);
	assert_int_equal(o.share[1].address, 4096);
	assert_int_equal(o.swaps, 2);
	assert_true(o.swap[0].ram);
	assert_null(o.swap[0].path);
	assert_int_equal(o.swap[0].size, GIB);
	assert_int_equal(o.swap[0].codec, CODEC_ZSTD);
	assert_false(o.swap[1].ram);
	assert_string_equal(o.swap[1].path, "/tmp");
	assert_int_equal(o.swap[1].size, 2 * GIB);
	assert_int_equal(o.on_swap_error, SWAP_ERROR_KILL);
	assert_string_equal(o.trace, "t.tft");
	assert_string_equal(o.stats, "s.json");
	assert_string_equal(o.name, "a.B-9_");
	assert_string_equal(o.api_socket, "/run/x.sock");
	assert_int_equal(o.timeout_s, 30);
	assert_int_equal(o.accel, ACCEL_CAPSULE);
	assert_true(o.paging);
	assert_int_equal(o.flip_nth, 7);
	assert_true(o.slo_stall == 0.5);
	options_free(&o);
}

static void every_swap_error_has_a_name(void **state)
{
	static const enum on_swap_error order[] = { SWAP_ERROR_STOP,
						    SWAP_ERROR_KILL,
						    SWAP_ERROR_POISON };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		char line[64];

		snprintf(line, sizeof(line), "--on-swap-error %s",
			 on_swap_error_name[order[i]]);
		expect_good(line);
		assert_int_equal(o.on_swap_error, order[i]);
		options_free(&o);
	}
	assert_null(on_swap_error_name[3]);
}

static void memory_is_whole_pages(void **state)
{
	static const struct {
		const char *line;
		uint64_t bytes;
	} good[] = {
		{ "-m 4", 4 * MIB },
		{ "-m 512", 512 * MIB },
		{ "-m512", 512 * MIB },
		{ "-m 512M", 512 * MIB },
		{ "-m 512MiB", 512 * MIB },
		{ "-m 512mib", 512 * MIB },
		{ "-m 2g", 2 * GIB },
		{ "-m 8T", 8 * TIB },
		{ "-m 8388608K", 8 * GIB },
		{ "-m 4194304B", 4 * MIB },
		{ "-m 4194305B", 4 * MIB + 4 * KIB }, /* rounded up */
		{ "--memory 64M", 64 * MIB },
		{ "--memory=64M", 64 * MIB },
		{ "--memory=size=64M", 64 * MIB },
		{ "-m size=64", 64 * MIB },
		{ "-m 64M,page_size=4K", 64 * MIB },
		{ "-m page_size=4K,prefault=off,size=64M", 64 * MIB },
		{ "-m prefault=off", 512 * MIB },
		{ "-m 64M -m 128M", 128 * MIB }, /* the last counts */
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		expect_good(good[i].line);
		if (o.memory_bytes != good[i].bytes)
			fail_msg("'%s': got %lu, want %lu", good[i].line,
				 o.memory_bytes, good[i].bytes);
		options_free(&o);
	}
}

static void resident_is_within_memory(void **state)
{
	(void)state;
	expect_good("-m 256M --resident 64M");
	assert_int_equal(o.resident_bytes, 64 * MIB);
	options_free(&o);

	expect_good("--resident 1G -m 256M");
	assert_int_equal(o.resident_bytes, 256 * MIB);
	options_free(&o);

	expect_good("--resident 3M"); /* the floor of one vCPU */
	assert_int_equal(o.resident_bytes, 3 * MIB);
	options_free(&o);

	expect_good("--resident 10M -c 8");
	options_free(&o);

	expect_good("--resident 4198399B"); /* a hard cap: rounded down */
	assert_int_equal(o.resident_bytes, 4 * MIB);
	options_free(&o);

	expect_good("--resident 64M --swap file=/a");
	assert_int_equal(o.swaps, 1);
	assert_string_equal(o.swap[0].path, "/a");
	assert_int_equal(o.swap[0].size, 0);
	options_free(&o);

	expect_good("--paging off --resident 512M"); /* no cap at all */
	assert_false(o.paging);
	options_free(&o);
}

static void swap_tiers_add_up(void **state)
{
	(void)state;
	expect_good("--swap ram --swap ram=64M --swap ram,codec=lz4 --swap "
		    "file=/a=b,size=1G --swap nbd=nbd://h:1/e --swap "
		    "nbd=nbd+unix:///?socket=/s,timeout=7,size=2M --swap ram "
		    "--swap ram=4K,codec=zstd");
	assert_int_equal(o.swaps, MAX_SWAPS);
	assert_int_equal(o.swap[1].size, 64 * MIB);
	assert_string_equal(o.swap[3].path, "/a=b");
	assert_false(o.swap[3].nbd);
	assert_true(o.swap[4].nbd);
	assert_int_equal(o.swap[4].timeout_s, NBD_TIMEOUT_S);
	assert_string_equal(o.swap[5].path, "nbd+unix:///?socket=/s");
	assert_int_equal(o.swap[5].timeout_s, 7);
	assert_int_equal(o.swap[5].size, 2 * MIB);
	assert_int_equal(o.swap[7].size, 4 * KIB);
	assert_int_equal(o.swap[7].codec, CODEC_ZSTD);
	options_free(&o);
}

static void balloon_has_defaults(void **state)
{
	(void)state;
	expect_good("-m 64M");
	assert_false(o.balloon.given);
	assert_true(o.balloon.deflate_on_oom && o.balloon.reporting);
	options_free(&o);
	expect_good("-m 64M --balloon size=16M,deflate_on_oom=off");
	assert_true(o.balloon.given && o.balloon.reporting);
	assert_false(o.balloon.deflate_on_oom);
	assert_int_equal(o.balloon.bytes, 16 * MIB);
	options_free(&o);
	expect_good("--balloon size=0,free_page_reporting=off");
	assert_false(o.balloon.reporting);
	options_free(&o);
}

static void disks_add_up(void **state)
{
	(void)state;
	expect_good("--disk path=/a=b --disk readonly=on,path=/c "
		    "--disk path=/d,readonly=off");
	assert_int_equal(o.disks, 3);
	assert_string_equal(o.disk[0].path, "/a=b");
	assert_false(o.disk[0].readonly);
	assert_true(o.disk[1].readonly);
	assert_string_equal(o.disk[2].path, "/d");
	assert_false(o.disk[2].readonly || o.disk[2].copy);
	options_free(&o);
	expect_good("");
	assert_int_equal(o.console, CONSOLE_UART);
	options_free(&o);
	expect_good("--console virtio");
	assert_int_equal(o.console, CONSOLE_VIRTIO);
	options_free(&o);
}

static void networks_add_up(void **state)
{
	static const uint8_t mac[] = { 2, 0, 0xaB, 0xcd, 0, 0xff };

	(void)state;
	expect_good("--net user --net tap=t0,mac=02:00:aB:cd:00:ff");
	assert_int_equal(o.nets, 2);
	assert_int_equal(o.net[0].kind, NET_USER);
	assert_null(o.net[0].tap);
	assert_false(o.net[0].mac_given);
	assert_int_equal(o.net[1].kind, NET_TAP);
	assert_string_equal(o.net[1].tap, "t0");
	assert_true(o.net[1].mac_given);
	assert_memory_equal(o.net[1].mac, mac, 6);
	options_free(&o);
}

static void guest_words_follow_the_text(void **state)
{
	static const struct {
		const char *line, *cmdline;
	} good[] = {
		{ "-p quiet", "quiet" },
		{ "--cmdline=quiet", "quiet" },
		{ "--cmdline= -- a", "a" },
		{ "--", "" },
		{ "-p quiet --", "quiet" },
		{ "-- verify --size 1M", "verify --size 1M" },
		{ "-- a -- b", "a -- b" },
		{ "-p quiet -- a b", "quiet -- a b" },
		{ "-p old -p new -- a", "new -- a" },
		{ "-p -- -- a", "-- -- a" }, /* -p takes what follows */
		{ "-- --help", "--help" },
	};
	const char *quoted[] = { "--", "it's", "a \"b\" c", "" };

	(void)state;
	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		expect_good(good[i].line);
		assert_string_equal(o.cmdline, good[i].cmdline);
		options_free(&o);
	}
	assert_true(parse_words(4, quoted));
	assert_string_equal(o.cmdline, "it's a \"b\" c ");
	options_free(&o);
}

static void guest_is_named_once(void **state)
{
	(void)state;
	expect_good("a.elf");
	assert_string_equal(o.kernel, "a.elf");
	options_free(&o);
	expect_good("-c 2 a.elf -m 64M -- b.elf");
	assert_string_equal(o.kernel, "a.elf");
	assert_string_equal(o.cmdline, "b.elf");
	assert_int_equal(o.memory_bytes, 64 * MIB);
	options_free(&o);
	expect_good("-k a.elf -k b.elf");
	assert_string_equal(o.kernel, "b.elf");
	options_free(&o);
}

static char *help_text(void)
{
	char *text;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	command_help(command_find("run"), to);
	fclose(to);
	return text;
}

static void help_names_every_option(void **state)
{
	static const char *const names[] = {
		"-m, --memory SIZE\n",
		"-c, --cpus N\n",
		"-k, --kernel FILE\n",
		"-p, --cmdline TEXT\n",
		"--resident SIZE\n",
		"--policy POLICY\n",
		"--swap TIER\n",
		"--on-swap-error stop|poison|kill\n",
		"--trace FILE\n",
		"--stats FILE\n",
		"--name NAME\n",
		"--api-socket PATH\n",
		"--timeout SECONDS\n",
		"--accel auto|kvm|capsule\n",
		"--paging on|off\n",
		"--inject flip=N\n",
		"--mem-slo stall=PERCENT\n",
		"--disk path=FILE[,readonly=on]\n",
		"--balloon [auto,]size=SIZE[,...]\n",
		"--net user|tap=NAME[,mac=MAC]\n",
		"--console uart|virtio\n",
	};
	char *text = help_text(), *rest = text, *line;

	(void)state;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strstr(text, names[i]))
			fail_msg("no %s in:\n%s", names[i], text);
	assert_non_null(strstr(text, "Policies, the default first: "));
	for (unsigned i = 0; policies[i]; i++)
		assert_non_null(strstr(text, policies[i]->name));
	while ((line = strsep(&rest, "\n")))
		assert_in_range(strlen(line), 0, 79);
	free(text);

	expect_good("--help --frob");
	assert_true(o.help);
	options_free(&o);
	expect_good("-m 64M -h");
	assert_true(o.help);
	options_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(every_option_is_taken),
		cmocka_unit_test(every_swap_error_has_a_name),
		cmocka_unit_test(memory_is_whole_pages),
		cmocka_unit_test(resident_is_within_memory),
		cmocka_unit_test(swap_tiers_add_up),
		cmocka_unit_test(disks_add_up),
		cmocka_unit_test(networks_add_up),
		cmocka_unit_test(balloon_has_defaults),
		cmocka_unit_test(guest_words_follow_the_text),
		cmocka_unit_test(guest_is_named_once),
		cmocka_unit_test(help_names_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
