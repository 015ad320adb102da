/* SPDX-License-Identifier: MIT */
/* Addresses as people write them, entries in words, and `twofold explain`
 * against the API of a VM that only knows what the test told it. */
#include "tests/unit/api_each.h"
#include "tests/unit/capture.h"

#include <errno.h>
#include <jansson.h>

#include "vmm/page_text.h"

#define MHZ UINT64_C(1000000)

static void addresses_are_parsed(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool ok, virtual;
		uint64_t at;
	} cases[] = {
		{ "gpa:0x1000", true, false, 0x1000 },
		{ "gva:0x1000", true, true, 0x1000 },
		{ "gpa:0xffffffffffffffff", true, false, UINT64_MAX },
		{ "0x1000", true, false, 0x1000 },
		{ "4096", true, false, 4096 },
		{ "0x10000000", true, true, 0x10000000 }, /* no RAM there */
		{ "", false, false, 0 },
		{ "gpa:", false, false, 0 },
		{ "gpa:x", false, false, 0 },
		{ "gpa: 1", false, false, 0 },
		{ "gpa:-1", false, false, 0 },
		{ "+1", false, false, 0 },
		{ "0x1000/", false, false, 0 },
		{ "gpa:gva:1", false, false, 0 },
		{ "0x10000000000000000", false, false, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct complaint why = { "" };
		struct explain e;
		bool ok = explain_parse(cases[i].text, fake_is_ram, NULL, &e,
					&why);

		if (ok != cases[i].ok)
			fail_msg("'%s': %d %s", cases[i].text, ok, why.text);
		if (!ok)
			continue;
		assert_int_equal(e.virtual, cases[i].virtual);
		assert_int_equal(e.has_gpa, !cases[i].virtual);
		assert_int_equal(e.virtual ? e.gva.v : e.gpa.v, cases[i].at);
	}
}

static void guest_entries_are_decoded(void **state)
{
	(void)state;
	static const struct {
		uint64_t entry;
		unsigned level;
		const char *text;
	} cases[] = {
		{ 0, 4, "not present" },
		{ 0x1234567890abc000, 1, "not present" },
		{ 0x18a027, 4, "P RW US A -> table at 0x18a000" },
		{ 0x20c425, 1, "P US A -> 4 KiB page at 0x20c000" },
		{ 0x800000000020c163, 1,
		  "P RW A D G NX -> 4 KiB page at 0x20c000" },
		{ 0x20c099, 1, "P PWT PCD PAT -> 4 KiB page at 0x20c000" },
		{ 0x4000e1, 2, "P A D PS -> 2 MiB page at 0x400000" },
		{ 0x401081, 2, "P PS -> 2 MiB page at 0x400000" }, /* PAT */
		{ 0x40000083, 3, "P RW PS -> 1 GiB page at 0x40000000" },
		{ 0x1081, 4, "P PS -> table at 0x1000" }, /* reserved there */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[160];

		guest_entry_text(cases[i].entry, cases[i].level, text,
				 sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static void stage2_entries_are_decoded(void **state)
{
	(void)state;
	static struct pte table[LEVEL_ENTRIES] __attribute__((aligned(4096)));
	const struct {
		struct pte e;
		unsigned level;
		const char *text;
	} cases[] = {
		{ pte_hole(), 3, "hole: no memory here" },
		{ pte_table(table), 2, "RWX -> table" },
		{ pte_leaf((frame_t){ 0x55 }, PTE_R | PTE_X), 1,
		  "R-X mapped: frame 0x55, 4 KiB page" },
		{ pte_leaf((frame_t){ 0x200 }, PTE_RWX), 2,
		  "RWX mapped: frame 0x200, 2 MiB page" },
		{ pte_away(PTE_ABSENT, PAGER_ZERO, PTE_RWX), 1,
		  "RWX absent: pager zero" },
		{ pte_away(PTE_ABSENT, PAGER_FILE, PTE_RWX), 1,
		  "RWX absent: pager file" },
		{ pte_away(PTE_ABSENT, PAGER_SHARE + 2, PTE_R | PTE_X), 1,
		  "R-X absent: pager share" },
		{ pte_away(PTE_UNMAPPED, 7, PTE_R), 1,
		  "R-- unmapped: frame 0x7, 4 KiB page" },
		{ pte_away(PTE_ARRIVING, 7, PTE_RWX), 1,
		  "RWX arriving: frame 0x7, 4 KiB page" },
		{ pte_away(PTE_LEAVING, 7, PTE_RWX), 1,
		  "RWX leaving: frame 0x7, 4 KiB page" },
		{ pte_away(PTE_STORED, 812, PTE_RWX), 1,
		  "RWX stored: tier ram slot 812" },
		{ pte_away(PTE_POISONED, 0, 0), 1,
		  "poisoned: its bytes are lost" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[160];

		stage2_entry_text(cases[i].e, cases[i].level, "ram", text,
				  sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

/* A page that was evicted 3.2 s ago to slot 812 of the first tier. */
static const struct explain stored = {
	.refs = 2,
	.ref = { { 2, 4, { 0x2a1000 }, 0x7fff000 | PTE_RWX },
		 { 2,
		   1,
		   { 0x2a1000 },
		   UINT64_C(812) << PTE_PAYLOAD_SHIFT |
			   PTE_STORED << PTE_KIND_SHIFT | PTE_KEEP } },
	.tier = { NULL, "ram" },
	.ram = true,
	.page = { .entry = { UINT64_C(812) << PTE_PAYLOAD_SHIFT |
			     PTE_STORED << PTE_KIND_SHIFT | PTE_KEEP },
		  .events = 3,
		  .event = { { .what = HISTORY_EVICT,
			       .tsc = 6800 * MHZ,
			       .source = TRACE_SOURCE_SWAP,
			       .slot = 812,
			       .ticks = 6000 },
			     { .what = HISTORY_AGE,
			       .tsc = 6000 * MHZ,
			       .tier = HISTORY_NO_TIER },
			     { .what = HISTORY_MISSING,
			       .tsc = 5000 * MHZ,
			       .source = TRACE_SOURCE_ZERO,
			       .tier = HISTORY_NO_TIER,
			       .ticks = 41000 } },
		  .lost = 9,
		  .now = 10000 * MHZ },
	.copy = { "ram", "lz4", 1423, 0 },
	.event_tier = { "ram" },
	.tsc_hz = 1000 * MHZ,
};

static struct capture explain(const char *address, const char *word)
{
	return capture_run(cmd_explain, (const char *const[]){ f.path, address,
							       word, NULL });
}

static void a_stored_page_is_explained(void **state)
{
	(void)state;
	static const char want[] =
		"gpa     0x2a1000\n"
		"    stage 2 level 4, for gpa 0x2a1000: RWX -> table\n"
		"    stage 2 level 1, for gpa 0x2a1000: RWX stored: tier ram "
		"slot 812 [0x32c3b8]\n"
		"page    gfn 0x2a1: stored in ram slot 812, lz4 1423 bytes, "
		"checksum ok\n"
		"why     evicted 3.2 s ago by clock to ram slot 812, lz4 1423 "
		"bytes, checksum ok; last fault 41.0 us, 5.0 s ago\n"
		"     3.200 s ago  evict by clock to swap ram slot 812, "
		"6.0 us\n"
		"     4.000 s ago  age by clock\n"
		"     5.000 s ago  missing from zero, 41.0 us\n"
		"  (9 older events, of all pages, are forgotten)\n";

	fake_tell_explain(&f.vm, stored);
	struct capture c = explain("0x2a1000", NULL);
	assert_string_equal(c.err, "");
	assert_string_equal(c.out, want);
	assert_int_equal(c.status, 0);
	capture_free(&c);
}

/* What a server holds is not asked for. */
static void a_remote_copy_is_only_named(void **state)
{
	(void)state;
	struct explain e = stored;

	e.copy = (struct swap_description){ .tier = "nbd" };
	e.event_tier[0] = "nbd";
	e.remote = true;
	fake_tell_explain(&f.vm, e);
	struct capture c = explain("0x2a1000", NULL);
	assert_non_null(strstr(c.out, "stored in nbd slot 812\n"));
	assert_non_null(strstr(c.out, "clock to nbd slot 812; last fault"));
	capture_free(&c);
}

static void a_gva_is_explained_through_both_stages(void **state)
{
	(void)state;
	struct explain e = {
		.cr3 = 0x189000,
		.refs = 2,
		.ref = { { 2, 1, { 0x189000 }, 0x1890b7 },
			 { 1, 4, { 0x189800 }, 0 } },
	};
	fake_tell_explain(&f.vm, e);
	struct capture c = explain("gva:0xffff800000000000", NULL);
	assert_string_equal(
		c.out,
		"gva     0xffff800000000000, by the tables at cr3 0x189000\n"
		"gpa     none: stage 1 ends\n"
		"    stage 2 level 1, for gpa 0x189000: RWX mapped: frame "
		"0x189, 4 KiB page [0x1890b7]\n"
		"stage 1 level 4, entry at gpa 0x189800: not present [0]\n"
		"page    none: no RAM there\n");
	capture_free(&c);
}

/* The host's addresses stay the host's. */
static void json_says_no_host_address(void **state)
{
	(void)state;
	json_t *report, *walk;

	fake_tell_explain(&f.vm, stored);
	struct capture c = explain("gpa:0x2a1000", "--json");
	assert_int_equal(c.status, 0);
	assert_null(strstr(c.out, "7fff000"));
	report = json_loads(c.out, 0, NULL);
	walk = json_object_get(report, "walk");
	assert_int_equal(json_array_size(walk), 2);
	assert_true(json_is_null(
		json_object_get(json_array_get(walk, 0), "entry")));
	json_decref(report);
	capture_free(&c);
}

static void a_page_without_a_story(void **state)
{
	(void)state;
	struct explain e = {
		.ram = true,
		.page = { .entry = { 0x50b7 },
			  .has_copy = true,
			  .copy = { 4 } },
		.copy = { "file", "none", 4096, -EBADMSG },
	};
	fake_tell_explain(&f.vm, e);
	struct capture c = explain("0x5000", NULL);
	assert_string_equal(c.out,
			    "gpa     0x5000\n"
			    "page    gfn 0x5: mapped, a copy in file slot 4, "
			    "none 4096 bytes, checksum wrong\n"
			    "why     never faulted\n");
	capture_free(&c);
	e.page.events = 1;
	e.page.event[0] = (struct history_event){
		.what = HISTORY_AHEAD,
		.source = TRACE_SOURCE_ZERO,
		.tier = HISTORY_NO_TIER,
	};
	fake_tell_explain(&f.vm, e);
	c = explain("0x5000", NULL);
	assert_non_null(strstr(c.out, "why     mapped ahead of its first touch "
				      "0.0 s ago\n"));
	capture_free(&c);
	e.page.events = 0;
	e.page.lost = 1;
	fake_tell_explain(&f.vm, e);
	c = explain("0x5000", NULL);
	assert_non_null(strstr(c.out, "why     no fault remembered\n"));
	capture_free(&c);
}

static void what_cannot_be_explained_is_told(void **state)
{
	(void)state;
	static const struct {
		const char *address, *word;
		int status;
		const char *err;
	} bad[] = {
		{ NULL, NULL, 2, "want VM ADDRESS" },
		{ "0x1000", "--yaml", 2, "want VM ADDRESS" },
		{ "lots", NULL, 2, "not an address: lots" },
		{ "0x1 HTTP/1.1", NULL, 2, "not an address" },
		{ "gpa:gpa:1", NULL, 1, "want an address as in 0x1000" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct capture c = explain(bad[i].address, bad[i].word);

		assert_int_equal(c.status, bad[i].status);
		assert_string_equal(c.out, "");
		if (!strstr(c.err, bad[i].err))
			fail_msg("%s: does not say %s", c.err, bad[i].err);
		capture_free(&c);
	}
	f.vm.refusal = "vCPU 0 sleeps";
	struct capture c = explain("gva:1", NULL);
	assert_int_equal(c.status, 1);
	assert_non_null(strstr(c.err, "vCPU 0 sleeps"));
	capture_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_parsed),
		cmocka_unit_test(guest_entries_are_decoded),
		cmocka_unit_test(stage2_entries_are_decoded),
		TEST(a_stored_page_is_explained),
		TEST(a_remote_copy_is_only_named),
		TEST(a_gva_is_explained_through_both_stages),
		TEST(json_says_no_host_address),
		TEST(a_page_without_a_story),
		TEST(what_cannot_be_explained_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
