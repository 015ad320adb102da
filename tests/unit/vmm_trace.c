/* SPDX-License-Identifier: MIT */
/* `twofold trace print` over files made here, to the byte. */
#include "guest/abi.h"
#include "tests/unit/trace_fixture.h"

#define HZ   2000000000u /* 2 ticks a nanosecond */
#define USEC (HZ / 1000000)

static uint64_t at_us(uint64_t us)
{
	return START + us * USEC;
}

/* One of every kind, out of order, the times of two equal. */
static const struct trace_record sample[] = {
	{ .tsc = START + 20000 * USEC,
	  .kind = TRACE_STAGE2,
	  .fault = TRACE_MISSING,
	  .source = TRACE_SOURCE_SWAP,
	  .ticks = 82400,
	  .stage2 = { .gpa = 0x1a3f000,
		      .before = 0x32c,
		      .after = 0x1a3f037,
		      .slot = 812,
		      .thread = 1234,
		      .write = 1,
		      .tier = 0 } },
	{ .tsc = START + 10 * USEC + 1,
	  .kind = TRACE_STAGE1,
	  .ticks = 66000,
	  .stage1 = { .gva = 0x601000,
		      .rip = 0x400123,
		      .cr3 = 0x5000,
		      .error = 6,
		      .pid = 1,
		      .why = LAB_FAULT_DEMAND_ZERO } },
	{ .tsc = START + 20000 * USEC,
	  .kind = TRACE_AHEAD,
	  .source = TRACE_SOURCE_FILE,
	  .stage2 = { .gpa = 0x2000, .before = 1, .after = 2, .tier = 0xff } },
	{ .tsc = START + 3000000ull * USEC,
	  .kind = TRACE_AGE,
	  .stage2 = { .gpa = 0x3000, .before = 3, .after = 4, .tier = 0xff } },
	{ .tsc = START + 3000001ull * USEC,
	  .kind = TRACE_EVICT,
	  .source = TRACE_SOURCE_CLEAN,
	  .stage2 = { .gpa = 0x4000,
		      .before = 5,
		      .after = 6,
		      .slot = 9,
		      .tier = 1 } },
	{ .tsc = START + 3000002ull * USEC,
	  .kind = TRACE_STORE,
	  .ticks = 100,
	  .stage2 = { .gpa = 0x5000, .slot = 10, .tier = 0xff } },
	{ .tsc = START + 3000003ull * USEC,
	  .kind = TRACE_DISCARD,
	  .source = TRACE_SOURCE_BALLOON,
	  .stage2 = { .gpa = 0x6000, .before = 7, .after = 8, .tier = 0xff } },
	{ .tsc = START - 5 * USEC,
	  .kind = TRACE_STAGE2,
	  .fault = TRACE_MINOR,
	  .source = TRACE_SOURCE_MEMORY,
	  .ticks = UINT32_MAX,
	  .stage2 = { .gpa = 0xfffffffffffff000, .tier = 0xff } },
};

static const char sample_text[] =
	"     -0.000005 stage2 gpa=0xfffffffffffff000 kind=minor access=read"
	" source=memory latency=2147483.6us before=0x0000000000000000"
	" after=0x0000000000000000 thread=0\n"
	"      0.000010 stage1 gva=0x0000000000601000 rip=0x0000000000400123"
	" cr3=0x0000000000005000 pid=1 error=0x6(user,write,absent)"
	" why=demand_zero latency=33.0us\n"
	"      0.020000 stage2 gpa=0x0000000001a3f000 kind=missing access=write"
	" source=swap tier=0 slot=812 latency=41.2us"
	" before=0x000000000000032c after=0x0000000001a3f037 thread=1234\n"
	"      0.020000 ahead gpa=0x0000000000002000 source=file"
	" before=0x0000000000000001 after=0x0000000000000002\n"
	"      3.000000 age gpa=0x0000000000003000"
	" before=0x0000000000000003 after=0x0000000000000004\n"
	"      3.000001 evict gpa=0x0000000000004000 to=clean tier=1 slot=9"
	" before=0x0000000000000005 after=0x0000000000000006\n"
	"      3.000002 store gpa=0x0000000000005000 slot=10 latency=0.1us\n"
	"      3.000003 discard gpa=0x0000000000006000 by=balloon"
	" before=0x0000000000000007 after=0x0000000000000008\n";

static void every_kind_has_its_line(void **state)
{
	(void)state;
	write_file(good_header(HZ), sample, sizeof(sample));
	assert_prints(sample_text, 0, "");
}

static void without_a_clock_there_are_ticks(void **state)
{
	(void)state;
	const struct trace_record store = { .tsc = START + 7,
					    .kind = TRACE_STORE,
					    .ticks = 100,
					    .stage2.tier = 2 };

	write_file(good_header(0), &store, sizeof(store));
	assert_prints("             7 store gpa=0x0000000000000000 tier=2"
		      " slot=0 latency=100ticks\n",
		      0, "");
}

/* A guest's fault, and nothing else, says stage1 or stage2. */
static void only_faults_name_a_stage(void **state)
{
	(void)state;
	struct trace_record r[256] = { 0 };

	for (unsigned i = 0; i < 256; i++)
		r[i] = (struct trace_record){ .tsc = START,
					      .kind = (uint16_t)(i / 32),
					      .fault = (uint8_t)i,
					      .source = (uint8_t)(i % 32) };
	write_file(good_header(HZ), r, sizeof(r));
	struct capture c = print();
	unsigned lines = 0, stages = 0;

	for (char *line = strtok(c.out, "\n"); line;
	     line = strtok(NULL, "\n")) {
		lines++;
		stages += strstr(line, "stage") != NULL;
	}
	assert_int_equal(lines, 256);
	assert_int_equal(stages, 64);
	capture_free(&c);
}

static void error_codes_are_spelled_out(void **state)
{
	(void)state;
	static const struct {
		uint32_t error, why;
		const char *text;
	} cases[] = {
		{ 0, LAB_FAULT_KERNEL,
		  " error=0x0(kernel,read,absent) why=kernel " },
		{ 3, LAB_FAULT_COW,
		  " error=0x3(kernel,write,protection) why=cow " },
		{ 0x14, LAB_FAULT_DEMAND_FILE,
		  " error=0x14(user,fetch,absent) why=demand_file " },
		{ 6, LAB_FAULT_STACK,
		  " error=0x6(user,write,absent) why=stack " },
		{ 5, LAB_FAULT_REFUSED,
		  " error=0x5(user,read,protection) why=refused " },
		{ 4, 99, " error=0x4(user,read,absent) why=unknown " },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct trace_record r = { .tsc = START,
						.kind = TRACE_STAGE1,
						.stage1 = {
							.error = cases[i].error,
							.why = cases[i].why } };

		write_file(good_header(HZ), &r, sizeof(r));
		struct capture c = print();
		if (!strstr(c.out, cases[i].text))
			fail_msg("%s: not %s", c.out, cases[i].text);
		capture_free(&c);
	}
}

static void unknown_kinds_get_a_line(void **state)
{
	(void)state;
	const struct trace_record r[] = {
		{ .tsc = at_us(1), .kind = 0 },
		{ .tsc = at_us(2), .kind = TRACE_KINDS },
		{ .tsc = at_us(3), .kind = 65535 },
	};
	char text[128];

	write_file(good_header(HZ), r, sizeof(r));
	snprintf(text, sizeof(text),
		 "      0.000001 unknown kind 0\n"
		 "      0.000002 unknown kind %d\n"
		 "      0.000003 unknown kind 65535\n",
		 TRACE_KINDS);
	assert_prints(text, 0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_kind_has_its_line),
		TEST(without_a_clock_there_are_ticks),
		TEST(only_faults_name_a_stage),
		TEST(error_codes_are_spelled_out),
		TEST(unknown_kinds_get_a_line),
	};

	return cmocka_run_group_tests_name("trace print", tests, NULL, NULL);
}
