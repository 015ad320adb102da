/* SPDX-License-Identifier: MIT */
/* The command line: the exact words about bad lines. */
#include "tests/unit/options_fixture.h"

#define BALLOON_FORM                                     \
	"want auto or size=SIZE[,deflate_on_oom=on|off]" \
	"[,free_page_reporting=on|off]"
#define NET_FORM  "want user[,mac=MAC] or tap=NAME[,mac=MAC]"
#define NET_MACS  "mac is six bytes in hexadecimal, with ':' between"
#define DISK_FORM "want path=FILE[,readonly=on]"
#define SWAP_FORMS                                     \
	"want ram[=SIZE][,codec=lz4|zstd], "           \
	"file=PATH[,size=SIZE] or nbd=URI[,size=SIZE]" \
	"[,timeout=SECONDS]"

static void expect_bad(const char *line, const char *message)
{
	if (parse(line))
		fail_msg("'%s' was taken", line);
	if (strcmp(why.text, message))
		fail_msg("'%s': got \"%s\", want \"%s\"", line, why.text,
			 message);
	/* Nothing is left to free, and freeing it again does no harm. */
	assert_null(o.kernel);
	assert_null(o.cmdline);
	options_free(&o);
}

static void bad_lines_say_why(void **state)
{
	static const struct {
		const char *line, *message;
	} bad[] = {
		{ "--frob",
		  "unknown option '--frob'; twofold run --help lists them" },
		{ "--memoryx 1G",
		  "unknown option '--memoryx'; twofold run --help lists them" },
		{ "--mem 1G",
		  "unknown option '--mem'; twofold run --help lists them" },
		{ "-x", "unknown option '-x'; twofold run --help lists them" },
		{ "-", "unknown option '-'; twofold run --help lists them" },
		{ "-m", "--memory needs a value: --memory SIZE" },
		{ "-c 2 --swap", "--swap needs a value: --swap TIER" },
		{ "a.elf verify", "unexpected 'verify': there is one GUEST, "
				  "and its own words follow --" },
		{ "-k a.elf verify",
		  "'verify' and --kernel 'a.elf': one guest is possible; its "
		  "own words follow --" },
		{ "--kernel=", "--kernel '': must not be empty" },
		{ "-m 0", "--memory '0': memory is from 4M to 8T" },
		{ "-m 3M", "--memory '3M': memory is from 4M to 8T" },
		{ "-m 1024T", "--memory '1024T': memory is from 4M to 8T" },
		{ "-m 8796093022209B",
		  "--memory '8796093022209B': memory is from 4M to 8T" },
		{ "-m 1P", "--memory '1P': not a size (512M, 2G; a bare number "
			   "is MiB)" },
		{ "-m 16E", "--memory '16E': not a size (512M, 2G; a bare "
			    "number is MiB)" },
		{ "-m 18446744073709551615",
		  "--memory '18446744073709551615': not a size (512M, 2G; a "
		  "bare number is MiB)" },
		{ "-m 18446744073709551616B",
		  "--memory '18446744073709551616B': not a size (512M, 2G; a "
		  "bare number is MiB)" },
		{ "-m -1", "--memory '-1': not a size (512M, 2G; a bare number "
			   "is MiB)" },
		{ "-m=64M", "--memory '=64M': want SIZE or "
			    "size=SIZE[,page_size=4K|2M][,prefault=off]" },
		{ "-m 64M,", "--memory '64M,': want SIZE or "
			     "size=SIZE[,page_size=4K|2M][,prefault=off]" },
		{ "-m 64M,128M", "--memory '64M,128M': want SIZE or "
				 "size=SIZE[,page_size=4K|2M][,prefault=off]" },
		{ "-m page_size=1G",
		  "--memory 'page_size=1G': page_size is 4K or 2M" },
		{ "-m prefault=on",
		  "--memory 'prefault=on': prefault must be off" },
		{ "-c 0", "--cpus '0': want 1 to 8" },
		{ "-c 9", "--cpus '9': want 1 to 8" },
		{ "-c 1x", "--cpus '1x': want 1 to 8" },
		{ "-c -1", "--cpus '-1': want 1 to 8" },
		{ "-c 4294967297", "--cpus '4294967297': want 1 to 8" },
		{ "--resident 64", "--resident '64': not a size (64M, 2G)" },
		{ "--resident 3145727B",
		  "--resident is below 3M, which 1 vCPU needs to run" },
		{ "--resident 9M -c 8",
		  "--resident is below 10M, which 8 vCPUs need to run" },
		{ "--resident 0B -m 4M",
		  "--resident is below 3M, which 1 vCPU needs to run" },
		{ "--resident 64M --paging off",
		  "--resident needs --paging on" },
		{ "--swap disk", "--swap 'disk': " SWAP_FORMS },
		{ "--swap file", "--swap 'file': " SWAP_FORMS },
		{ "--swap file=", "--swap 'file=': " SWAP_FORMS },
		{ "--swap nbd", "--swap 'nbd': " SWAP_FORMS },
		{ "--swap nbd=/dev/sda",
		  "--swap 'nbd=/dev/sda': want "
		  "nbd=nbd://HOST[:PORT]/[EXPORT] or "
		  "nbd=nbd+unix:///[EXPORT]?socket=PATH" },
		{ "--swap=", "--swap '': " SWAP_FORMS },
		{ "--swap nbd=nbd://x,codec=lz4",
		  "--swap 'nbd=nbd://x,codec=lz4': want "
		  "nbd=URI[,size=SIZE][,timeout=SECONDS]" },
		{ "--swap nbd=nbd://x,timeout=0",
		  "--swap 'nbd=nbd://x,timeout=0': timeout is 1 to 86400 seconds" },
		{ "--swap nbd=nbd://x,timeout=86401",
		  "--swap 'nbd=nbd://x,timeout=86401': timeout is 1 to 86400 "
		  "seconds" },
		{ "--swap file=/a,timeout=9",
		  "--swap 'file=/a,timeout=9': want file=PATH[,size=SIZE]" },
		{ "--swap ram=64", "--swap 'ram=64': not a size (64M, 2G)" },
		{ "--swap ram=0K",
		  "--swap 'ram=0K': a swap tier holds a page at least" },
		{ "--swap ram,codec=lzo",
		  "--swap 'ram,codec=lzo': the codecs are lz4 and zstd" },
		{ "--swap ram,size=1G",
		  "--swap 'ram,size=1G': want ram[=SIZE][,codec=lz4|zstd]" },
		{ "--swap file=/a,codec=lz4",
		  "--swap 'file=/a,codec=lz4': want file=PATH[,size=SIZE]" },
		{ "--swap file=/a,size",
		  "--swap 'file=/a,size': want file=PATH[,size=SIZE]" },
		{ "--swap ram --swap ram --swap ram --swap ram --swap file=/a "
		  "--swap ram --swap ram --swap ram --swap ram",
		  "--swap 'ram': at most 8 tiers" },
		{ "--console tty", "--console 'tty': want uart or virtio" },
		{ "--disk /a", "--disk '/a': " DISK_FORM },
		{ "--disk readonly=on", "--disk 'readonly=on': " DISK_FORM },
		{ "--disk path=", "--disk 'path=': one path is wanted" },
		{ "--disk path=/a,path=/b",
		  "--disk 'path=/a,path=/b': one path is wanted" },
		{ "--disk path=/a,readonly=yes",
		  "--disk 'path=/a,readonly=yes': readonly is on or off" },
		{ "--disk path=/a,cache=off",
		  "--disk 'path=/a,cache=off': " DISK_FORM },
		{ "--net",
		  "--net needs a value: --net user|tap=NAME[,mac=MAC]" },
		{ "--net none", "--net 'none': " NET_FORM },
		{ "--net user=me", "--net 'user=me': " NET_FORM },
		{ "--net tap", "--net 'tap': " NET_FORM },
		{ "--net tap=", "--net 'tap=': " NET_FORM },
		{ "--net mac=2:2:2:2:2:2",
		  "--net 'mac=2:2:2:2:2:2': " NET_FORM },
		{ "--net user,mtu=9000", "--net 'user,mtu=9000': " NET_FORM },
		{ "--net user,mac", "--net 'user,mac': " NET_FORM },
		{ "--net user,mac=02:00:00:00:00",
		  "--net 'user,mac=02:00:00:00:00': " NET_MACS },
		{ "--net user,mac=02:00:00:00:00:1",
		  "--net 'user,mac=02:00:00:00:00:1': " NET_MACS },
		{ "--net user,mac=02:00:00:00:00:11:",
		  "--net 'user,mac=02:00:00:00:00:11:': " NET_MACS },
		{ "--net user,mac=0x:00:00:00:00:11",
		  "--net 'user,mac=0x:00:00:00:00:11': " NET_MACS },
		{ "--net user,mac=03:00:00:00:00:11",
		  "--net 'user,mac=03:00:00:00:00:11': mac is a group's "
		  "address: its first byte is odd" },
		{ "--net user --net user --net user --net user --net tap=a",
		  "--net 'tap=a': at most 4 networks" },
		{ "--balloon 64M", "--balloon '64M': " BALLOON_FORM },
		{ "--balloon size=64", "--balloon 'size=64': not a size "
				       "(0, 64M, 2G)" },
		{ "--balloon deflate_on_oom=1",
		  "--balloon 'deflate_on_oom=1': deflate_on_oom is on or off" },
		{ "-m 64M --balloon size=64M",
		  "--balloon would take all of memory" },
		{ "--disk path=a --disk path=b --disk path=c --disk path=d "
		  "--disk path=e --disk path=f --disk path=g --disk path=h "
		  "--disk path=i",
		  "--disk 'path=i': at most 8 disks" },
		{ "--share", "--share needs a value: --share "
			     "path=FILE[,address=GPA]" },
		{ "--share data",
		  "--share 'data': want path=FILE[,address=GPA]" },
		{ "--share path=", "--share 'path=': want path=FILE"
				   "[,address=GPA]" },
		{ "--share path=a,path=b",
		  "--share 'path=a,path=b': want path=FILE[,address=GPA]" },
		{ "--share address=4G",
		  "--share 'address=4G': want path=FILE[,address=GPA]" },
		{ "--share path=a,address=4",
		  "--share 'path=a,address=4': not an address (0x100000000, "
		  "4G)" },
		{ "--share path=a,address=0x10g",
		  "--share 'path=a,address=0x10g': not an address "
		  "(0x100000000, 4G)" },
		{ "--share path=a,address=0x10000000000000000",
		  "--share 'path=a,address=0x10000000000000000': not an "
		  "address (0x100000000, 4G)" },
		{ "--share path=a,address=0x1001",
		  "--share 'path=a,address=0x1001': the address is no "
		  "multiple of 4K" },
		{ "--share path=a --share path=b --share path=c "
		  "--share path=d --share path=e",
		  "--share 'path=e': at most 4 files" },
		{ "--share path=a -m 64M,page_size=2M",
		  "--share needs page_size=4K" },
		{ "--share path=a --paging off", "--share needs --paging on" },
		{ "--on-swap-error ignore",
		  "--on-swap-error 'ignore': want stop, poison or kill" },
		{ "--name .x", "--name '.x': a name is up to 64 letters, "
			       "digits, '_', '-' and '.', and starts with no "
			       "'.'" },
		{ "--name a/b", "--name 'a/b': a name is up to 64 letters, "
				"digits, '_', '-' and '.', and starts with no "
				"'.'" },
		{ "--name=", "--name '': must not be empty" },
		{ "--timeout 1s",
		  "--timeout '1s': want whole seconds, 0 for none" },
		{ "--timeout 1000000001",
		  "--timeout '1000000001': want whole seconds, 0 for none" },
		{ "--accel tcg", "--accel 'tcg': want auto, kvm or capsule" },
		{ "--mem-slo stall",
		  "--mem-slo 'stall': want stall=PERCENT, above 0 and up to 100, as in stall=0.5" },
		{ "--mem-slo stall=",
		  "--mem-slo 'stall=': want stall=PERCENT, above 0 and up to 100, as in stall=0.5" },
		{ "--mem-slo stall=0",
		  "--mem-slo 'stall=0': want stall=PERCENT, above 0 and up to 100, as in stall=0.5" },
		{ "--mem-slo stall=0.0%",
		  "--mem-slo 'stall=0.0%': want stall=PERCENT, above 0 and up to 100, as in stall=0.5" },
		{ "--mem-slo stall=100.1",
		  "--mem-slo 'stall=100.1': want stall=PERCENT, above 0 and up to 100, as in stall=0.5" },
		{ "--mem-slo stall=-1",
		  "--mem-slo 'stall=-1': want stall=PERCENT, above 0 and up to 100, as in stall=0.5" },
		{ "--mem-slo stall=+1",
		  "--mem-slo 'stall=+1': want stall=PERCENT, above 0 and up to 100, as in stall=0.5" },
		{ "--mem-slo stall=1e1",
		  "--mem-slo 'stall=1e1': want stall=PERCENT, above 0 and up to 100, as in stall=0.5" },
		{ "--mem-slo stall=0x1",
		  "--mem-slo 'stall=0x1': want stall=PERCENT, above 0 and up to 100, as in stall=0.5" },
		{ "--mem-slo stall=inf",
		  "--mem-slo 'stall=inf': want stall=PERCENT, above 0 and up to 100, as in stall=0.5" },
		{ "--mem-slo stall=1%%",
		  "--mem-slo 'stall=1%%': want stall=PERCENT, above 0 and up to 100, as in stall=0.5" },
		{ "--mem-slo stall=1.2.3",
		  "--mem-slo 'stall=1.2.3': want stall=PERCENT, above 0 and up to 100, as in stall=0.5" },
		{ "--mem-slo stall=.5",
		  "--mem-slo 'stall=.5': want stall=PERCENT, above 0 and up to 100, as in stall=0.5" },
		{ "--mem-slo stall=%",
		  "--mem-slo 'stall=%': want stall=PERCENT, above 0 and up to 100, as in stall=0.5" },
		{ "--mem-slo wait=1",
		  "--mem-slo 'wait=1': want stall=PERCENT, above 0 and up to 100, as in stall=0.5" },
		{ "--mem-slo stall=1 --paging off",
		  "--mem-slo needs --paging on" },
		{ "--paging yes", "--paging 'yes': want on or off" },
		{ "--inject flip=0", "--inject 'flip=0': want flip=N, N from "
				     "1" },
		{ "--inject drop=1", "--inject 'drop=1': want flip=N, N from "
				     "1" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_bad(bad[i].line, bad[i].message);
}

static void name_has_an_end(void **state)
{
	char line[] = "--name "
		      "0123456789abcdef0123456789abcdef"
		      "0123456789abcdef0123456789abcdef0";

	(void)state;
	assert_false(parse(line));
	assert_non_null(strstr(why.text, "a name is up to 64 letters"));
	line[sizeof(line) - 2] = '\0';
	assert_true(parse(line));
	assert_int_equal(strlen(o.name), 64);
	options_free(&o);
}

static void unknown_policy_lists_the_known(void **state)
{
	char message[256] = "--policy '?': the policies are";

	(void)state;
	for (unsigned i = 0; policies[i]; i++) {
		strcat(message, " ");
		strcat(message, policies[i]->name);
	}
	expect_bad("--policy ?", message);
}

static void complaint_is_one_line(void **state)
{
	const char *hostile[] = { "--a\nb\033[2J" };
	char word[600] = "--";
	const char *long_one[] = { word };

	(void)state;
	assert_false(parse_words(1, hostile));
	assert_string_equal(why.text, "unknown option '--a?b?[2J'; twofold run "
				      "--help lists them");
	memset(word + 2, 'x', sizeof(word) - 3);
	assert_false(parse_words(1, long_one));
	assert_non_null(strstr(why.text, "twofold run --help lists them"));
}

/* A15: one byte below, at and above what fits. */
static void guest_command_line_has_an_end(void **state)
{
	char text[BOOT_CMDLINE + 1], message[128];
	const char *word[] = { "-p", text, "--", "x" };

	(void)state;
	memset(text, 'a', sizeof(text));
	text[BOOT_CMDLINE - 1] = '\0';
	assert_true(parse_words(2, word));
	assert_int_equal(strlen(o.cmdline), BOOT_CMDLINE - 1);
	options_free(&o);

	text[BOOT_CMDLINE - 1] = 'a';
	text[BOOT_CMDLINE] = '\0';
	assert_false(parse_words(2, word));
	snprintf(message, sizeof(message),
		 "the guest's command line has %u bytes; at most %u are "
		 "possible",
		 BOOT_CMDLINE, BOOT_CMDLINE - 1);
	assert_string_equal(why.text, message);

	/* " -- x" counts too */
	text[BOOT_CMDLINE - 1 - 5] = '\0';
	assert_true(parse_words(4, word));
	assert_int_equal(strlen(o.cmdline), BOOT_CMDLINE - 1);
	options_free(&o);
	text[BOOT_CMDLINE - 1 - 5] = 'a';
	text[BOOT_CMDLINE - 5] = '\0';
	assert_false(parse_words(4, word));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_lines_say_why),
		cmocka_unit_test(name_has_an_end),
		cmocka_unit_test(unknown_policy_lists_the_known),
		cmocka_unit_test(complaint_is_one_line),
		cmocka_unit_test(guest_command_line_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
