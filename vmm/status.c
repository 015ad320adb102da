/* SPDX-License-Identifier: MIT */
/*
 * The --stats report, one function an object. The keys up to wall_us and their
 * order are a promise to those who parse it; new ones go to the end.
 */
#include "vmm/status.h"

#include "vmm/safe_json.h"

static json_t *guest_json(const struct status *st)
{
	return json_pack("{s:i, s:o, s:I, s:I}", "exit_code",
			 st->guest.exit_code, "exit_reason",
			 safe_text(st->guest.exit_reason), "page_faults",
			 safe_count(st->guest.page_faults), "progress",
			 safe_count(st->guest.progress));
}

static json_t *memory_json(const struct status *st)
{
	return json_pack(
		"{s:I, s:I, s:I, s:I, s:I}", "size_bytes",
		safe_count(st->memory.size_bytes), "resident_limit_bytes",
		safe_count(st->memory.resident_limit_bytes), "resident_bytes",
		safe_count(st->memory.resident_bytes), "resident_peak_bytes",
		safe_count(st->memory.resident_peak_bytes), "counted_bytes",
		safe_count(st->memory.counted_bytes));
}

static json_t *faults_json(const struct status *st)
{
	return json_pack("{s:I, s:I, s:{s:f, s:f, s:f}}", "missing",
			 safe_count(st->faults.missing), "minor",
			 safe_count(st->faults.minor), "latency_us", "p50",
			 safe_real(st->faults.latency_us.p50), "p99",
			 safe_real(st->faults.latency_us.p99), "max",
			 safe_real(st->faults.latency_us.max));
}

static json_t *pages_json(const struct status *st)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "zero_filled",
			 safe_count(st->pages.zero_filled), "file_filled",
			 safe_count(st->pages.file_filled), "swapped_in",
			 safe_count(st->pages.swapped_in), "swapped_out",
			 safe_count(st->pages.swapped_out), "clean_dropped",
			 safe_count(st->pages.clean_dropped), "zero_elided",
			 safe_count(st->pages.zero_elided), "mapped_ahead",
			 safe_count(st->pages.mapped_ahead));
}

static json_t *tier_json(const char *name, const struct tier_stats *t)
{
	return json_pack("{s:o, s:I, s:I, s:I}", "name", safe_text(name),
			 "pages", safe_count(t->pages), "raw_bytes",
			 safe_count(t->raw_bytes), "stored_bytes",
			 safe_count(t->stored_bytes));
}

static json_t *swap_json(const struct status *st)
{
	json_t *tiers = json_array();

	for (unsigned i = 0; i < st->tiers; i++)
		if (json_array_append_new(
			    tiers,
			    tier_json(st->tier[i].name, &st->tier[i].stats))) {
			json_decref(tiers);
			return NULL;
		}
	return json_pack("{s:o}", "tiers", tiers);
}

static json_t *placement_json(const struct status *st)
{
	return json_pack("{s:o, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I}",
			 "choice", safe_text(st->placement.choice),
			 "same_cpu_us", safe_real(st->placement.same_cpu_us),
			 "spin_us", safe_real(st->placement.spin_us),
			 "blocked_us", safe_real(st->placement.blocked_us),
			 "awake_us", safe_real(st->placement.awake_us),
			 "poll_most_us", safe_real(st->placement.poll_most_us),
			 "poll_now_us", safe_real(st->placement.poll_now_us),
			 "waits_polled", safe_count(st->placement.polled),
			 "waits_blocked", safe_count(st->placement.blocked));
}

static json_t *stall_json(const struct pressure_line *p)
{
	return json_pack("{s:f, s:f, s:f, s:I}", "avg10", safe_real(p->avg10),
			 "avg60", safe_real(p->avg60), "avg300",
			 safe_real(p->avg300), "total_us",
			 safe_count(p->total_us));
}

static json_t *pressure_json(const struct status *st)
{
	return json_pack("{s:o, s:o}", "some", stall_json(&st->pressure.some),
			 "full", stall_json(&st->pressure.full));
}

/* Every rung, in the order in which reclaim prefers them. */
static json_t *ladder_json(const struct status *st)
{
	json_t *ladder = json_array();

	for (unsigned i = 0; i < RUNGS; i++)
		if (json_array_append_new(
			    ladder,
			    json_pack("{s:s, s:I, s:I, s:I}", "name",
				      rung_name[i], "pages",
				      safe_count(st->ladder[i].pages), "bytes",
				      safe_count(st->ladder[i].bytes),
				      "time_us",
				      safe_count(st->ladder[i].us)))) {
			json_decref(ladder);
			return NULL;
		}
	return ladder;
}

static json_t *device_json(const struct status *st, unsigned i)
{
	json_t *device =
		json_pack("{s:i, s:o, s:I, s:I, s:I, s:I}", "slot", (int)i,
			  "name", safe_text(st->device[i].name), "requests",
			  safe_count(st->device[i].requests), "bytes",
			  safe_count(st->device[i].bytes), "errors",
			  safe_count(st->device[i].errors), "needs_reset",
			  safe_count(st->device[i].needs_reset));

	if (device && st->device[i].net)
		json_object_set_new(
			device, "foreign_frames",
			json_integer(safe_count(st->device[i].foreign_frames)));
	return device;
}

static json_t *devices_json(const struct status *st)
{
	json_t *devices = json_array();

	for (unsigned i = 0; i < st->devices; i++)
		if (json_array_append_new(devices, device_json(st, i))) {
			json_decref(devices);
			return NULL;
		}
	return devices;
}

static json_t *dma_json(const struct status *st)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "descriptors",
			 safe_count(st->dma.descriptors), "bytes",
			 safe_count(st->dma.bytes), "errors",
			 safe_count(st->dma.errors), "interrupts",
			 safe_count(st->dma.interrupts));
}

static json_t *iommu_json(const struct status *st)
{
	const struct iommu_counters *c = &st->iommu;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "tlb_hits",
			 safe_count(c->hits), "walks", safe_count(c->walks),
			 "faults", safe_count(c->faults), "faults_lost",
			 safe_count(c->lost), "mapped", safe_count(c->mapped),
			 "table_pages", safe_count(c->tables));
}

static json_t *slo_json(const struct status *st)
{
	if (st->slo.stall_percent <= 0)
		return json_null();
	return json_pack("{s:f, s:I, s:I, s:I}", "stall_percent",
			 safe_real(st->slo.stall_percent), "cap_bytes",
			 safe_count(st->slo.cap_bytes), "lowered",
			 safe_count(st->slo.lowered), "raised",
			 safe_count(st->slo.raised));
}

static json_t *share_json(const struct status *st)
{
	if (!st->share.size_bytes)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "size_bytes",
			 safe_count(st->share.size_bytes), "copy_bytes",
			 safe_count(st->share.copy_bytes), "pages_read",
			 safe_count(st->share.pages_read), "pages_found",
			 safe_count(st->share.pages_found), "writes_ignored",
			 safe_count(st->share.writes_ignored));
}

static json_t *report_json(const struct status *st)
{
	return json_pack(
		"{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I,"
		" s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o,"
		" s:o, s:o}",
		"version", 1, "accel", safe_text(st->accel), "stage2",
		safe_text(st->stage2), "guest", guest_json(st), "memory",
		memory_json(st), "faults", faults_json(st), "pages",
		pages_json(st), "swap", swap_json(st), "wall_us",
		safe_count(st->wall_us), "name", safe_text(st->name), "state",
		safe_text(st->state), "reason", safe_text(st->reason), "policy",
		safe_text(st->policy), "placement", placement_json(st),
		"first_exit_us", safe_count(st->first_exit_us), "pressure",
		pressure_json(st), "ladder", ladder_json(st), "mem_slo",
		slo_json(st), "devices", devices_json(st), "share",
		share_json(st), "dma", dma_json(st), "iommu", iommu_json(st));
}

/* @text with a newline behind it, as a file wants it. */
static char *add_newline(char *text)
{
	char *line = NULL;

	if (text && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	free(text);
	return line;
}

char *status_json(const struct status *st, bool pretty)
{
	/* Nine digits: microseconds without the noise of a double's tail. */
	size_t flags = JSON_REAL_PRECISION(9);
	json_t *report = report_json(st);
	char *text;

	if (pretty)
		text = add_newline(json_dumps(report, flags | JSON_INDENT(2)));
	else
		text = json_dumps(report, flags | JSON_COMPACT);
	json_decref(report);
	return text;
}
