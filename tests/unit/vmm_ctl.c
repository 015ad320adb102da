/* SPDX-License-Identifier: MIT */
/* `twofold ctl` against the API of a VM that only takes notes. */
#include "tests/unit/api_each.h"
#include "tests/unit/capture.h"

#include <jansson.h>

#include "vmm/ctl.h"

/* `ctl VM` and up to two words more. */
static struct capture ctl(const char *vm, const char *verb, const char *word)
{
	return capture_run(cmd_ctl,
			   (const char *const[]){ vm, verb, word, NULL });
}

static void assert_ctl(const char *verb, const char *word, int status,
		       const char *err)
{
	struct capture c = ctl(f.path, verb, word);

	if (c.status != status)
		fail_msg("%s %s: %d", verb, word ? word : "", c.status);
	assert_string_equal(c.out, "");
	if (!strstr(c.err, err))
		fail_msg("%s: does not say %s", c.err, err);
	if (status)
		assert_ptr_equal(strchr(c.err, '\n'),
				 c.err + strlen(c.err) - 1);
	capture_free(&c);
}

static void status_is_for_people(void **state)
{
	(void)state;
	static const char want[] =
		"name       fake\n"
		"state      paused: a test\n"
		"accel      kvm, ept\n"
		"policy     clock\n"
		"memory     256.0 MiB, resident 63.0, limit 64.0, peak 64.0\n"
		"faults     1000 missing, 200 minor; 7 in the guest\n"
		"latency    p50 1.2 us, p99 50.0 us, max 900.0 us\n"
		"placement  spin; a fault took, us: 9.2 same_cpu, 2.5 spin, "
		"11.0 blocked, 6.1 awake\n"
		"waits      70 polled for, 30 blocked; polls up to 4.2 us now, "
		"8.5 at most\n"
		"pages in   1 zero, 2 file, 3 swap; 8 ahead\n"
		"pages out  4 swap, 5 clean, 6 zero\n"
		"swap ram   25600 pages, 100.0 MiB in 33.0 MiB\n"
		"pressure   some avg10=1.50 avg60=0.75 avg300=0.25 "
		"total=123456\n"
		"pressure   full avg10=0.50 avg60=0.25 avg300=0.12 "
		"total=45678\n"
		"reclaimed  compressed: 4 pages, 0.0 MiB in 1.5 ms\n"
		"mem-slo    some avg10 up to 0.50, cap 48.0 MiB, lowered 9 "
		"times, raised 2\n"
		"virtio 0   blk: 12 requests, 3.0 MiB, 1 errors, 0 times in "
		"need of a reset\n"
		"dma        0 descriptors, 0.0 MiB, 0 errors\n"
		"iommu      0 TLB hits, 0 walks, 0 faults\n";
	struct capture c = ctl(f.path, "status", NULL);

	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, want);
	assert_string_equal(c.err, "");
	capture_free(&c);
}

static void json_status_is_raw(void **state)
{
	(void)state;
	struct fake_vm other = { 0 };
	struct status st;
	struct capture c = ctl(f.path, "status", "--json");

	fake_status(&other, &st);
	char *want = status_json(&st, false);
	assert_int_equal(c.status, 0);
	assert_int_equal(strncmp(c.out, want, strlen(want)), 0);
	assert_string_equal(c.out + strlen(want), "\n");
	free(want);
	capture_free(&c);
}

static void audit_tells_what_it_found(void **state)
{
	(void)state;
	struct audit_report r = { .checked = { 1, 2, 3, 4, 5, 6, 7, 8 },
				  .pages = 100,
				  .passed_over = 7 };
	fake_tell_audit(&f.vm, r);
	struct capture c = ctl(f.path, "audit", NULL);
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "sound      100 pages, 7 of them in motion\n"
				   "checked    memfd 1\n"
				   "checked    pagemap 2\n"
				   "checked    slot 3\n"
				   "checked    slot_twice 4\n"
				   "checked    policy 5\n"
				   "checked    watch 6\n"
				   "checked    counters 7\n"
				   "checked    swap_used 8\n");
	capture_free(&c);

	r.diverged = true;
	r.check = AUDIT_MEMFD;
	r.gfn.v = 0x123;
	r.kind = PTE_STORED;
	r.got = 1;
	fake_tell_audit(&f.vm, r);
	c = ctl(f.path, "audit", NULL);
	assert_int_equal(c.status, 1);
	assert_non_null(strstr(c.out,
			       "diverged   gfn 0x123: the table says "
			       "stored, but the memfd has bytes of it\n"));
	assert_string_equal(c.err, "");
	capture_free(&c);
	c = ctl(f.path, "audit", "--json");
	assert_non_null(strstr(c.out, "\"sound\":false"));
	assert_non_null(strstr(c.out, "\"check\":\"memfd\""));
	capture_free(&c);
}

static void the_balloon_is_sized_and_shown(void **state)
{
	(void)state;
	struct capture c = ctl(f.path, "balloon", "5M");

	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "");
	capture_free(&c);
	assert_int_equal(f.vm.balloon, 5 * 256);
	c = ctl(f.path, "balloon", NULL);
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, "target_mib           5\n"));
	assert_non_null(strstr(c.out, "free_memory          4096\n"));
	capture_free(&c);
	c = ctl(f.path, "balloon", "0");
	assert_int_equal(c.status, 0);
	capture_free(&c);
	assert_int_equal(f.vm.balloon, 0);
	c = ctl(f.path, "balloon", "5");
	assert_int_equal(c.status, 2);
	capture_free(&c);
}

/* Each kind of divergence has its own words. */
static void every_divergence_has_words(void **state)
{
	(void)state;
	static const struct {
		struct audit_report r;
		const char *text;
	} cases[] = {
		{ { .check = AUDIT_MEMFD, .kind = PTE_LEAF, .want = 1 },
		  "mapped, but the memfd has no bytes of it" },
		{ { .check = AUDIT_PAGEMAP, .kind = PTE_LEAF, .want = 1 },
		  "mapped, but the guest mapping lacks it" },
		{ { .check = AUDIT_PAGEMAP, .kind = PTE_ABSENT, .got = 1 },
		  "absent, but it is in the guest mapping" },
		{ { .check = AUDIT_SLOT, .kind = PTE_STORED, .want = 1 },
		  "stored, but swap does not know its slot" },
		{ { .check = AUDIT_POLICY, .kind = PTE_LEAF, .want = 1 },
		  "mapped, but the policy does not hold it" },
		{ { .check = AUDIT_POLICY, .kind = PTE_STORED, .got = 1 },
		  "stored, but the policy holds it" },
		{ { .check = AUDIT_WATCH, .kind = PTE_LEAF, .want = 1 },
		  "mapped, but it is under watch and not in the queue" },
		{ { .check = AUDIT_SLOT_TWICE, .want = 0x10, .got = 0x20 },
		  "gfn 0x10 and gfn 0x20 name one slot" },
		{ { .check = AUDIT_COUNTERS,
		    .kind = PTE_UNMAPPED,
		    .want = 4,
		    .got = 3 },
		  "the counter of unmapped pages says 4, a recount 3" },
		{ { .check = AUDIT_SWAP_USED, .want = 8, .got = 9 },
		  "pages name 8 slots, swap has 9 in use" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct audit_report r = cases[i].r;

		r.diverged = true;
		fake_tell_audit(&f.vm, r);
		struct capture c = ctl(f.path, "audit", NULL);
		if (!strstr(c.out, cases[i].text))
			fail_msg("%s: does not say %s", c.out, cases[i].text);
		capture_free(&c);
	}
}

static void verbs_reach_the_vm(void **state)
{
	(void)state;
	assert_ctl("resident", "32M", 0, "");
	assert_int_equal(f.vm.resident, 32 << 20);
	assert_ctl("policy", "fifo", 0, "");
	assert_string_equal(f.vm.policy, "fifo");
	assert_ctl("pause", NULL, 0, "");
	assert_int_equal(f.vm.pauses, 1);
	assert_ctl("resume", NULL, 0, "");
	assert_int_equal(f.vm.resumes, 1);
	assert_ctl("stop", NULL, 0, "");
	assert_int_equal(f.vm.stops, 1);
	assert_int_equal(fake_deeds(&f.vm), 4);
}

static void policies_are_listed(void **state)
{
	(void)state;
	struct capture c = ctl(f.path, "policy", NULL);

	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, "* clock\n"));
	assert_non_null(strstr(c.out, "  fifo\n"));
	capture_free(&c);
	c = ctl(f.path, "policy", "--json");
	assert_non_null(strstr(c.out, "\"policy\":\"clock\""));
	capture_free(&c);
	assert_ctl("policy", "best", 1, "no policy best");
	assert_ctl("policy", "\xff", 2, "not a policy");
}

static void mrc_is_a_table(void **state)
{
	(void)state;
	static const char begin[] = "references  6400, estimated from 100\n"
				    "resident MiB        misses miss ratio\n"
				    "         1.0          5760     0.9000\n"
				    "         2.0          5696     0.8900\n";
	static const char end[] = "        16.0          4800     0.7500\n"
				  "policy              misses miss ratio\n"
				  "fifo                  2560     0.4000\n"
				  "arc                   1600     0.2500\n";
	struct capture c = ctl(f.path, "mrc", NULL);

	assert_int_equal(c.status, 0);
	assert_int_equal(strncmp(c.out, begin, strlen(begin)), 0);
	assert_string_equal(c.out + strlen(c.out) - strlen(end), end);
	capture_free(&c);
	c = ctl(f.path, "mrc", "--json");
	assert_non_null(strstr(c.out, "\"first_references\":640"));
	capture_free(&c);
}

static void the_cap_is_told(void **state)
{
	(void)state;
	struct capture c = ctl(f.path, "resident", NULL);

	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "64.0 MiB, at least 3.0\n");
	capture_free(&c);
	c = ctl(f.path, "resident", "--json");
	assert_string_equal(c.out, "{\"resident_bytes\":67108864,"
				   "\"floor_bytes\":3145728}\n");
	capture_free(&c);
}

static void a_refusal_is_told(void **state)
{
	(void)state;
	f.vm.refusal = "below the floor of 3 MiB";
	assert_ctl("resident", "1M", 1, "below the floor of 3 MiB");
	assert_ctl("audit", NULL, 1, "below the floor of 3 MiB");
	assert_ctl("pause", NULL, 1, "below the floor of 3 MiB");
}

static void nonsense_is_a_usage_error(void **state)
{
	(void)state;
	assert_ctl("events", "--past", 2, "--past");
	assert_ctl("resident", "32", 2, "not a size");
	assert_ctl("resident", "lots", 2, "not a size");
	assert_ctl("resident", "-1M", 2, "not a size");
	assert_ctl("status", "--yaml", 2, "--yaml");
	assert_ctl("pause", "now", 2, "now");
	assert_ctl("explode", NULL, 2, "explode");
	assert_ctl(NULL, NULL, 2, "needed");
	assert_int_equal(fake_deeds(&f.vm), 0);
}

static void a_missing_vm_says_where_it_looked(void **state)
{
	(void)state;
	char want[256];

	setenv("XDG_RUNTIME_DIR", f.folder, 1);
	struct capture c = ctl("nobody", "status", NULL);
	snprintf(want, sizeof(want),
		 "no VM nobody: nothing listens at %s/twofold/nobody.sock\n",
		 f.folder);
	assert_int_equal(c.status, 1);
	assert_non_null(strstr(c.err, want));
	capture_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(status_is_for_people),
		TEST(json_status_is_raw),
		TEST(audit_tells_what_it_found),
		TEST(the_balloon_is_sized_and_shown),
		TEST(every_divergence_has_words),
		TEST(verbs_reach_the_vm),
		TEST(policies_are_listed),
		TEST(mrc_is_a_table),
		TEST(the_cap_is_told),
		TEST(a_refusal_is_told),
		TEST(nonsense_is_a_usage_error),
		TEST(a_missing_vm_says_where_it_looked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
