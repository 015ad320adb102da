/* SPDX-License-Identifier: MIT */
/*
 * The format: https://prometheus.io/docs/instrumenting/exposition_formats/ A
 * family is its HELP and TYPE lines, then its samples; base units (seconds,
 * bytes, ratios) are in the names, and what only grows ends in _total.
 */
#include "vmm/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void family(FILE *f, const char *name, const char *type,
		   const char *help)
{
	fprintf(f, "# HELP twofold_%s %s\n# TYPE twofold_%s %s\n", name, help,
		name, type);
}

static void one(FILE *f, const char *name, const char *type, const char *help,
		uint64_t value)
{
	family(f, name, type, help);
	fprintf(f, "twofold_%s %" PRIu64 "\n", name, value);
}

static void labelled(FILE *f, const char *name, const char *label,
		     const char *is, uint64_t value)
{
	fprintf(f, "twofold_%s{%s=\"%s\"} %" PRIu64 "\n", name, label, is,
		value);
}

static void seconds(FILE *f, const char *name, const char *label,
		    const char *is, uint64_t us)
{
	fprintf(f, "twofold_%s{%s=\"%s\"} %" PRIu64 ".%06" PRIu64 "\n", name,
		label, is, us / 1000000, us % 1000000);
}

/* A label's value: a name may be any text. */
static void quoted(FILE *f, const char *label, const char *text)
{
	fprintf(f, "%s=\"", label);
	for (; text && *text; text++) {
		if (*text == '\n')
			fputs("\\n", f);
		else if (*text == '"' || *text == '\\')
			fprintf(f, "\\%c", *text);
		else
			fputc(*text, f);
	}
	fputc('"', f);
}

static void write_vm(const struct status *st, FILE *f)
{
	family(f, "vm_info", "gauge", "What runs here, and how; always 1.");
	fputs("twofold_vm_info{", f);
	quoted(f, "name", st->name);
	fputc(',', f);
	quoted(f, "accel", st->accel);
	fputc(',', f);
	quoted(f, "stage2", st->stage2);
	fputc(',', f);
	quoted(f, "policy", st->policy);
	fputs("} 1\n", f);
	one(f, "vm_paused", "gauge", "1 while the VM is paused.",
	    !strcmp(st->state, "paused"));
	family(f, "vm_uptime_seconds", "gauge", "Time since the VM's start.");
	fprintf(f, "twofold_vm_uptime_seconds %" PRIu64 ".%06" PRIu64 "\n",
		st->wall_us / 1000000, st->wall_us % 1000000);
}

static void write_memory(const struct status *st, FILE *f)
{
	one(f, "memory_size_bytes", "gauge", "Guest RAM.",
	    st->memory.size_bytes);
	one(f, "memory_resident_limit_bytes", "gauge",
	    "Hard cap on host memory behind guest RAM.",
	    st->memory.resident_limit_bytes);
	one(f, "memory_resident_bytes", "gauge",
	    "Host memory behind guest RAM, as the kernel counts it.",
	    st->memory.resident_bytes);
	one(f, "memory_resident_peak_bytes", "gauge",
	    "The most that it has been.", st->memory.resident_peak_bytes);
}

static void write_latency(const struct status *st, FILE *f)
{
	uint64_t count = 0;

	family(f, "fault_service_seconds", "histogram",
	       "Time from reading a stage-2 fault to its page's arrival.");
	for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
		count += st->faults.bucket[i];
		fprintf(f,
			"twofold_fault_service_seconds_bucket{le=\"%.6f\"} "
			"%" PRIu64 "\n",
			(double)(UINT64_C(1) << i) / 1e6, count);
	}
	fprintf(f,
		"twofold_fault_service_seconds_bucket{le=\"+Inf\"} %" PRIu64
		"\n"
		"twofold_fault_service_seconds_sum %.6f\n"
		"twofold_fault_service_seconds_count %" PRIu64 "\n",
		st->faults.served, st->faults.sum_us / 1e6, st->faults.served);
}

static void write_faults(const struct status *st, FILE *f)
{
	family(f, "faults_total", "counter", "Stage-2 faults resolved.");
	labelled(f, "faults_total", "kind", "missing", st->faults.missing);
	labelled(f, "faults_total", "kind", "minor", st->faults.minor);
	one(f, "guest_page_faults_total", "counter",
	    "Stage-1 faults, as the guest's kernel reports them.",
	    st->guest.page_faults);
	write_latency(st, f);
}

static void write_pages(const struct status *st, FILE *f)
{
	family(f, "pages_in_total", "counter",
	       "Pages of 4 KiB brought in, by where they came from.");
	labelled(f, "pages_in_total", "source", "zero", st->pages.zero_filled);
	labelled(f, "pages_in_total", "source", "file", st->pages.file_filled);
	labelled(f, "pages_in_total", "source", "swap", st->pages.swapped_in);
	family(f, "pages_out_total", "counter",
	       "Pages of 4 KiB evicted, by what became of them.");
	labelled(f, "pages_out_total", "to", "swap", st->pages.swapped_out);
	labelled(f, "pages_out_total", "to", "clean", st->pages.clean_dropped);
	labelled(f, "pages_out_total", "to", "zero", st->pages.zero_elided);
	one(f, "pages_mapped_ahead_total", "counter",
	    "Pages mapped before anyone touched them.", st->pages.mapped_ahead);
}

static void write_swap(const struct status *st, FILE *f)
{
	family(f, "swap_pages", "gauge", "Pages of 4 KiB in a tier.");
	for (unsigned i = 0; i < st->tiers; i++)
		fprintf(f,
			"twofold_swap_pages{tier=\"%u\",kind=\"%s\"} %" PRIu64
			"\n",
			i, st->tier[i].name, st->tier[i].stats.pages);
	family(f, "swap_stored_bytes", "gauge", "What they take there.");
	for (unsigned i = 0; i < st->tiers; i++)
		fprintf(f,
			"twofold_swap_stored_bytes{tier=\"%u\",kind=\"%s\"} "
			"%" PRIu64 "\n",
			i, st->tier[i].name, st->tier[i].stats.stored_bytes);
}

static void write_averages(const struct pressure_line *p, const char *kind,
			   FILE *f)
{
	const double average[] = { p->avg10, p->avg60, p->avg300 };
	static const char *const window[] = { "10s", "60s", "300s" };

	for (unsigned i = 0; i < 3; i++)
		fprintf(f,
			"twofold_stall_ratio{kind=\"%s\",window=\"%s\"} %.6f\n",
			kind, window[i], average[i] / 100);
}

static void write_pressure(const struct status *st, FILE *f)
{
	family(f, "stall_seconds_total", "counter",
	       "Time in which some, or all, vCPUs waited for a page.");
	seconds(f, "stall_seconds_total", "kind", "some",
		st->pressure.some.total_us);
	seconds(f, "stall_seconds_total", "kind", "full",
		st->pressure.full.total_us);
	family(f, "stall_ratio", "gauge",
	       "The share of time that was, as averages.");
	write_averages(&st->pressure.some, "some", f);
	write_averages(&st->pressure.full, "full", f);
}

static void write_ladder(const struct status *st, FILE *f)
{
	family(f, "reclaimed_pages_total", "counter",
	       "Frames that each way of freeing one has given back.");
	for (unsigned i = 0; i < RUNGS; i++)
		labelled(f, "reclaimed_pages_total", "rung", rung_name[i],
			 st->ladder[i].pages);
	family(f, "reclaim_seconds_total", "counter", "Time that it took.");
	for (unsigned i = 0; i < RUNGS; i++)
		seconds(f, "reclaim_seconds_total", "rung", rung_name[i],
			st->ladder[i].us);
}

static void write_device(const struct status *st, const char *name,
			 const char *help,
			 uint64_t (*value)(const struct status_device *),
			 FILE *f)
{
	family(f, name, "counter", help);
	for (unsigned i = 0; i < st->devices; i++)
		fprintf(f,
			"twofold_%s{slot=\"%u\",device=\"%s\"} %" PRIu64 "\n",
			name, i, st->device[i].name, value(&st->device[i]));
}

static uint64_t requests(const struct status_device *d)
{
	return d->requests;
}

static uint64_t bytes(const struct status_device *d)
{
	return d->bytes;
}

static uint64_t errors(const struct status_device *d)
{
	return d->errors;
}

static void write_devices(const struct status *st, FILE *f)
{
	write_device(st, "virtio_requests_total", "Requests served.", requests,
		     f);
	write_device(st, "virtio_bytes_total", "Bytes moved by them.", bytes,
		     f);
	write_device(st, "virtio_errors_total", "Requests that failed.", errors,
		     f);
	one(f, "dma_bytes_total", "counter", "Bytes that the engine moved.",
	    st->dma.bytes);
	one(f, "iommu_faults_total", "counter", "Accesses it refused.",
	    st->iommu.faults);
}

char *metrics_text(const struct status *st)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	write_vm(st, f);
	write_memory(st, f);
	write_faults(st, f);
	write_pages(st, f);
	write_swap(st, f);
	write_pressure(st, f);
	write_ladder(st, f);
	write_devices(st, f);
	if (!fclose(f))
		return text;
	free(text);
	return NULL;
}
