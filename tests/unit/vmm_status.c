/* SPDX-License-Identifier: MIT */
/* The --stats report: its keys, their order and their values, to the byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "vmm/status.h"

/* Every number differs, so that none can stand in another's place. */
static const struct status sample = {
	.name = "vm1",
	.accel = "kvm",
	.stage2 = "ept",
	.state = "ended",
	.reason = "swap: slot 5",
	.policy = "clock",
	.guest = { .exit_code = 3,
		   .exit_reason = "exit",
		   .page_faults = 101,
		   .progress = 102 },
	.memory = { .size_bytes = 102,
		    .resident_limit_bytes = 103,
		    .resident_bytes = 104,
		    .resident_peak_bytes = 105,
		    .counted_bytes = 122 },
	.faults = { .missing = 106,
		    .minor = 107,
		    .latency_us = { .p50 = 1.5, .p99 = 20.1, .max = 300 } },
	.pages = { .zero_filled = 108,
		   .file_filled = 109,
		   .swapped_in = 110,
		   .swapped_out = 111,
		   .clean_dropped = 112,
		   .zero_elided = 113,
		   .mapped_ahead = 114 },
	.tier = { { "ram",
		    { .pages = 115, .raw_bytes = 116, .stored_bytes = 117 } },
		  { "file",
		    { .pages = 118, .raw_bytes = 119, .stored_bytes = 120 } } },
	.tiers = 2,
	.placement = { .choice = "same_cpu",
		       .same_cpu_us = 4.25,
		       .spin_us = 0.1,
		       .blocked_us = 1e6,
		       .awake_us = 0.5,
		       .poll_most_us = 8.5,
		       .poll_now_us = 2.25,
		       .polled = 160,
		       .blocked = 161 },
	.wall_us = 121,
	.first_exit_us = 123,
	.pressure = { .some = { 1.25, 2.5, 3.75, 124 },
		      .full = { 4.25, 5.5, 6.75, 125 } },
	.ladder = { [RUNG_REPORTED_FREE] = { 126, 127, 128 },
		    [RUNG_COMPRESSED] = { 129, 130, 131 },
		    [RUNG_REMOTE] = { 132, 133, 134 } },
	.slo = { 0.75, 135, 136, 137 },
	.device = { { .name = "blk",
		      .requests = 138,
		      .bytes = 139,
		      .errors = 140,
		      .needs_reset = 141 },
		    { .name = "net",
		      .requests = 142,
		      .bytes = 143,
		      .net = true,
		      .foreign_frames = 159 } },
	.devices = 2,
	.share = { 144, 145, 146, 147, 148 },
	.dma = { 149, 150, 151, 152 },
	.iommu = { 153, 154, 155, 156, 157, 158 },
};

static const char sample_text[] =
	"{\"version\":1,\"accel\":\"kvm\",\"stage2\":\"ept\","
	"\"guest\":{\"exit_code\":3,\"exit_reason\":\"exit\","
	"\"page_faults\":101,\"progress\":102},"
	"\"memory\":{\"size_bytes\":102,\"resident_limit_bytes\":103,"
	"\"resident_bytes\":104,\"resident_peak_bytes\":105,"
	"\"counted_bytes\":122},"
	"\"faults\":{\"missing\":106,\"minor\":107,"
	"\"latency_us\":{\"p50\":1.5,\"p99\":20.1,\"max\":300.0}},"
	"\"pages\":{\"zero_filled\":108,\"file_filled\":109,"
	"\"swapped_in\":110,\"swapped_out\":111,\"clean_dropped\":112,"
	"\"zero_elided\":113,\"mapped_ahead\":114},"
	"\"swap\":{\"tiers\":["
	"{\"name\":\"ram\",\"pages\":115,\"raw_bytes\":116,"
	"\"stored_bytes\":117},"
	"{\"name\":\"file\",\"pages\":118,\"raw_bytes\":119,"
	"\"stored_bytes\":120}]},"
	"\"wall_us\":121,"
	"\"name\":\"vm1\",\"state\":\"ended\",\"reason\":\"swap: slot 5\","
	"\"policy\":\"clock\","
	"\"placement\":{\"choice\":\"same_cpu\",\"same_cpu_us\":4.25,"
	"\"spin_us\":0.1,\"blocked_us\":1000000.0,"
	"\"awake_us\":0.5,\"poll_most_us\":8.5,\"poll_now_us\":2.25,"
	"\"waits_polled\":160,\"waits_blocked\":161},"
	"\"first_exit_us\":123,"
	"\"pressure\":{\"some\":{\"avg10\":1.25,\"avg60\":2.5,"
	"\"avg300\":3.75,\"total_us\":124},"
	"\"full\":{\"avg10\":4.25,\"avg60\":5.5,"
	"\"avg300\":6.75,\"total_us\":125}},"
	"\"ladder\":["
	"{\"name\":\"reported_free\",\"pages\":126,\"bytes\":127,"
	"\"time_us\":128},"
	"{\"name\":\"ballooned\",\"pages\":0,\"bytes\":0,"
	"\"time_us\":0},"
	"{\"name\":\"zero\",\"pages\":0,\"bytes\":0,"
	"\"time_us\":0},"
	"{\"name\":\"clean\",\"pages\":0,\"bytes\":0,"
	"\"time_us\":0},"
	"{\"name\":\"same_filled\",\"pages\":0,\"bytes\":0,"
	"\"time_us\":0},"
	"{\"name\":\"compressed\",\"pages\":129,\"bytes\":130,"
	"\"time_us\":131},"
	"{\"name\":\"file\",\"pages\":0,\"bytes\":0,"
	"\"time_us\":0},"
	"{\"name\":\"remote\",\"pages\":132,\"bytes\":133,"
	"\"time_us\":134}],"
	"\"mem_slo\":{\"stall_percent\":0.75,\"cap_bytes\":135,"
	"\"lowered\":136,\"raised\":137},"
	"\"devices\":["
	"{\"slot\":0,\"name\":\"blk\",\"requests\":138,\"bytes\":139,"
	"\"errors\":140,\"needs_reset\":141},"
	"{\"slot\":1,\"name\":\"net\",\"requests\":142,\"bytes\":143,"
	"\"errors\":0,\"needs_reset\":0,"
	"\"foreign_frames\":159}],"
	"\"share\":{\"size_bytes\":144,\"copy_bytes\":145,"
	"\"pages_read\":146,\"pages_found\":147,"
	"\"writes_ignored\":148},"
	"\"dma\":{\"descriptors\":149,\"bytes\":150,\"errors\":151,"
	"\"interrupts\":152},"
	"\"iommu\":{\"tlb_hits\":153,\"walks\":154,\"faults\":155,"
	"\"faults_lost\":156,\"mapped\":157,\"table_pages\":158}}";

static void compact_text_is_exact(void **state)
{
	(void)state;
	char *text = status_json(&sample, false);

	assert_non_null(text);
	assert_string_equal(text, sample_text);
	free(text);
}

static void pretty_text_says_the_same(void **state)
{
	(void)state;
	char *text = status_json(&sample, true);
	json_t *pretty = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	json_t *compact = json_loads(sample_text, 0, NULL);

	assert_non_null(pretty);
	assert_true(json_equal(pretty, compact));
	assert_string_equal(text + strlen(text) - 2, "}\n");
	assert_int_equal(strncmp(text, "{\n  \"version\": 1,\n", 18), 0);
	json_decref(pretty);
	json_decref(compact);
	free(text);
}

/* What JSON cannot say becomes something that it can. */
static void odd_values_stay_valid_json(void **state)
{
	(void)state;
	struct status st = { .name = "a\xff\"b\n",
			     .faults.missing = UINT64_MAX,
			     .faults.latency_us = { .p50 = __builtin_nan(""),
						    .p99 = __builtin_inf(),
						    .max = 1e300 } };
	char *text = status_json(&st, false);
	json_t *report = json_loads(text ? text : "", 0, NULL);
	const char *name, *accel;
	json_int_t missing;
	double p50, p99, max;
	json_t *tiers;

	assert_non_null(report);
	assert_int_equal(json_unpack(report,
				     "{s:s, s:s, s:{s:o}, s:{s:I, s:{s:F, s:F,"
				     " s:F}}}",
				     "name", &name, "accel", &accel, "swap",
				     "tiers", &tiers, "faults", "missing",
				     &missing, "latency_us", "p50", &p50, "p99",
				     &p99, "max", &max),
			 0);
	assert_string_equal(name, "a?\"b\n");
	assert_string_equal(accel, "");
	assert_int_equal(missing, INT64_MAX);
	assert_true(p50 == 0 && p99 == 0 && max == 1e300);
	assert_int_equal(json_array_size(tiers), 0);
	json_decref(report);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compact_text_is_exact),
		cmocka_unit_test(pretty_text_says_the_same),
		cmocka_unit_test(odd_values_stay_valid_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
