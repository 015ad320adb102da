/* SPDX-License-Identifier: MIT */
/* What the capsule is started with: the words of QEMU, and of the run inside. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "vmm/capsule_args.h"
#include "vmm/capsule_vm.h"

#define MIB (UINT64_C(1) << 20)

/* Parse @argv (ended by NULL) as the words behind "run". */
static void parse(struct run_options *o, const char *const *argv)
{
	struct complaint why = { "" };
	int argc = 0;

	while (argv[argc])
		argc++;
	if (!options_parse(o, argc, (char **)argv, &why))
		fail_msg("refused: %s", why.text);
}

static bool has_pair(const struct words *w, const char *option,
		     const char *value)
{
	for (unsigned i = 0; i + 1 < w->n; i++)
		if (!strcmp(w->word[i], option) &&
		    !strcmp(w->word[i + 1], value))
			return true;
	return false;
}

static bool has_word(const struct words *w, const char *word)
{
	for (unsigned i = 0; i < w->n; i++)
		if (!strcmp(w->word[i], word))
			return true;
	return false;
}

/* The inner run, parsing its arguments, gets what the outer one was given. */
static void inner_run_means_the_same(void **state)
{
	const char *argv[] = { "-m",
			       "300M",
			       "-c",
			       "2",
			       "--resident",
			       "80M",
			       "--policy",
			       "fifo",
			       "--swap",
			       "ram=64M,codec=zstd",
			       "--swap",
			       "ram",
			       "--on-swap-error",
			       "poison",
			       "--inject",
			       "flip=7",
			       "--trace-refs",
			       "20",
			       "--mem-slo",
			       "stall=12.5",
			       "--console",
			       "virtio",
			       "--disk",
			       "path=/d.img",
			       "--disk",
			       "path=/e.img,readonly=on",
			       "--balloon",
			       "size=4M,free_page_reporting=off",
			       "--net",
			       "user",
			       "--net",
			       "tap=mine,mac=02:00:00:00:00:07",
			       "--timeout",
			       "9",
			       "-p",
			       "a 'b' $c",
			       "--",
			       "verify",
			       "--size",
			       "1M",
			       NULL };
	struct run_options a, b;
	struct words w = { 0 };

	(void)state;
	parse(&a, argv);
	capsule_args(&w, &a, "vm");
	assert_string_equal(w.word[0], "run");
	parse(&b, (const char *const *)w.word + 1);

	assert_int_equal(b.accel, ACCEL_KVM);
	assert_string_equal(b.kernel, CAPSULE_GUEST);
	assert_string_equal(b.name, "vm");
	assert_string_equal(b.cmdline, a.cmdline);
	assert_int_equal(b.memory_bytes, 300 * MIB);
	assert_int_equal(b.resident_bytes, 80 * MIB);
	assert_int_equal(b.cpus, 2);
	assert_ptr_equal(b.policy, a.policy);
	assert_int_equal(b.swaps, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(b.swap[i].ram);
		assert_int_equal(b.swap[i].size, a.swap[i].size);
		assert_int_equal(b.swap[i].codec, a.swap[i].codec);
	}
	assert_int_equal(b.console, CONSOLE_VIRTIO);
	assert_int_equal(b.disks, 2);
	assert_string_equal(b.disk[1].path, "/dev/capsule/disk1");
	assert_false(b.disk[0].readonly);
	assert_true(b.disk[1].readonly);
	assert_true(b.balloon.given && b.balloon.deflate_on_oom);
	assert_false(b.balloon.reporting);
	assert_int_equal(b.balloon.bytes, 4 * MIB);
	assert_int_equal(b.nets, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(b.net[i].kind, NET_TAP); /* of the capsule */
		assert_true(b.net[i].mac_given);
	}
	assert_string_equal(b.net[0].tap, "tap0");
	assert_memory_equal(b.net[1].mac, a.net[1].mac, sizeof(a.net[1].mac));
	assert_int_equal(b.on_swap_error, SWAP_ERROR_POISON);
	assert_true(b.paging);
	assert_int_equal(b.flip_nth, 7);
	assert_int_equal(b.trace_refs_ms, 20);
	assert_true(b.slo_stall == 12.5);
	assert_int_equal(b.timeout_s, 9);
	assert_null(b.stats);
	assert_null(b.trace);
	words_free(&w);
	options_free(&a);
	options_free(&b);
}

/* What excludes other options is not joined by these. */
static void without_paging_there_is_no_cap(void **state)
{
	const char *argv[] = { "--paging", "off", NULL };
	struct run_options a, b;
	struct words w = { 0 };

	(void)state;
	parse(&a, argv);
	capsule_args(&w, &a, "vm");
	parse(&b, (const char *const *)w.word + 1);
	assert_false(b.paging);
	assert_int_equal(b.resident_bytes, b.memory_bytes);
	words_free(&w);
	options_free(&a);
	options_free(&b);
}

/* Files and sockets of the host are the capsule's own inside. */
static void outside_things_are_translated(void **state)
{
	const char *argv[] = { "--swap",       "ram",
			       "--swap",       "file=/var/tmp",
			       "--swap",       "nbd=nbd://h,size=2M",
			       "--share",      "path=/a/b",
			       "--share",      "path=c,address=3T",
			       "--stats",      "s.json",
			       "--trace",      "t.tft",
			       "--name",       "one",
			       "--api-socket", "/tmp/x.sock",
			       "guest.elf",    NULL };
	struct run_options o;
	struct words w = { 0 };

	(void)state;
	parse(&o, argv);
	capsule_args(&w, &o, "one");
	assert_true(has_pair(&w, "--kernel", "/guest"));
	assert_true(has_pair(&w, "--swap", "file=/dev/capsule/swap1"));
	assert_true(has_pair(&w, "--swap",
			     "file=/dev/capsule/swap2,size=2097152B"));
	assert_true(has_pair(&w, "--share", "path=/share0"));
	assert_true(
		has_pair(&w, "--share", "path=/share1,address=0x30000000000"));
	assert_true(has_pair(&w, "--stats", "/run/stats"));
	assert_true(has_pair(&w, "--trace", "/dev/capsule/trace"));
	assert_true(has_pair(&w, "--name", "one"));
	assert_true(has_pair(&w, "--api-socket", "/dev/capsule/ctl"));
	assert_false(has_word(&w, "--inject"));
	assert_false(has_word(&w, "--timeout"));
	words_free(&w);
	options_free(&o);
}

/* Every descriptor that QEMU is to use is named on its command line. */
static void qemu_is_told_of_everything(void **state)
{
	struct capsule_vm v = { .qemu = "/usr/bin/qemu",
				.kernel = "/k/vmlinuz",
				.memory_bytes = 700 * MIB + 1,
				.initrd = 50,
				.ctl = 60 };
	struct words w = { 0 };

	(void)state;
	for (int i = 0; i < PORTS; i++)
		v.port[i] = 70 + i;
	for (unsigned i = 0; i < MAX_SWAPS; i++)
		v.swap[i].fd = -1;
	for (unsigned i = 0; i < MAX_DISKS; i++)
		v.disk[i].fd = -1;
	v.nets = 2;
	v.tap[0] = -1;
	v.tap[1] = 95;
	v.disk[0].fd = 90;
	v.disk[1].fd = 91;
	v.disk[1].block = v.disk[1].readonly = true;
	v.swap[3].fd = 80;
	v.swap[4].fd = 81;
	v.swap[4].block = true;
	v.swap[5].uri = "nbd://h/a";
	v.swap[5].timeout_s = 60;
	capsule_vm_args(&w, &v);
	assert_string_equal(w.word[0], "/usr/bin/qemu");
	assert_null(w.word[w.n]);
	assert_true(has_pair(&w, "-m", "701M"));
	assert_true(has_pair(&w, "-kernel", "/k/vmlinuz"));
	assert_true(has_pair(&w, "-initrd", "/proc/self/fd/50"));
	assert_true(has_pair(&w, "-chardev", "socket,id=in,fd=70"));
	assert_true(has_pair(&w, "-chardev", "socket,id=exit,fd=75"));
	assert_true(has_pair(&w, "-chardev", "socket,id=ctl,fd=60"));
	assert_true(has_pair(&w, "-device",
			     "virtio-blk-pci,drive=swap3,serial=swap3,"
			     "werror=report"));
	assert_true(has_pair(&w, "-blockdev",
			     "driver=host_device,node-name=swap4,"
			     "filename=/proc/self/fd/81,locking=off,"
			     "cache.no-flush=on"));
	assert_true(has_pair(&w, "-drive",
			     "if=none,id=swap5,format=raw,"
			     "file.reconnect-delay=60,cache.no-flush=on,"
			     "file=nbd://h/a"));
	assert_true(has_pair(&w, "-device",
			     "virtio-blk-pci,drive=swap5,serial=swap5,"
			     "werror=report"));
	assert_true(has_pair(&w, "-blockdev",
			     "driver=file,node-name=disk0,"
			     "filename=/proc/self/fd/90,locking=off,"
			     "discard=unmap"));
	assert_true(has_pair(&w, "-blockdev",
			     "driver=host_device,node-name=disk1,"
			     "filename=/proc/self/fd/91,locking=off,"
			     "read-only=on"));
	assert_true(has_pair(&w, "-device",
			     "virtio-blk-pci,drive=disk1,serial=disk1,"
			     "werror=report"));
	assert_true(has_pair(&w, "-netdev", "user,id=net0"));
	assert_true(
		has_pair(&w, "-device", "virtio-net-pci,netdev=net0,romfile="));
	assert_true(has_pair(&w, "-netdev", "tap,id=net1,fd=95"));
	words_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inner_run_means_the_same),
		cmocka_unit_test(without_paging_there_is_no_cap),
		cmocka_unit_test(outside_things_are_translated),
		cmocka_unit_test(qemu_is_told_of_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
