/* SPDX-License-Identifier: MIT */
/* A status report for people. */
#include "vmm/ctl_status.h"

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

static double mib(json_int_t bytes)
{
	return (double)bytes / (1 << 20);
}

static bool print_state(json_t *st)
{
	const char *name, *state, *reason, *accel, *stage2, *policy;

	if (json_unpack(st, "{s:s, s:s, s:s, s:s, s:s, s:s}", "name", &name,
			"state", &state, "reason", &reason, "accel", &accel,
			"stage2", &stage2, "policy", &policy))
		return false;
	printf("name       %s\n", name);
	printf("state      %s%s%s\n", state, *reason ? ": " : "", reason);
	printf("accel      %s, %s\n", accel, stage2);
	printf("policy     %s\n", policy);
	return true;
}

static bool print_memory(json_t *st)
{
	json_int_t size, limit, now, peak;

	if (json_unpack(st, "{s:{s:I, s:I, s:I, s:I}}", "memory", "size_bytes",
			&size, "resident_limit_bytes", &limit, "resident_bytes",
			&now, "resident_peak_bytes", &peak))
		return false;
	printf("memory     %.1f MiB, resident %.1f, limit %.1f, peak %.1f\n",
	       mib(size), mib(now), mib(limit), mib(peak));
	return true;
}

static bool print_faults(json_t *st)
{
	json_int_t missing, minor, guest;
	double p50, p99, max;

	if (json_unpack(st, "{s:{s:I, s:I, s:{s:F, s:F, s:F}}, s:{s:I}}",
			"faults", "missing", &missing, "minor", &minor,
			"latency_us", "p50", &p50, "p99", &p99, "max", &max,
			"guest", "page_faults", &guest))
		return false;
	printf("faults     %lld missing, %lld minor; %lld in the guest\n",
	       missing, minor, guest);
	printf("latency    p50 %.1f us, p99 %.1f us, max %.1f us\n", p50, p99,
	       max);
	return true;
}

/* Where faults are served, what they took there and elsewhere (0: not to be
 * had), and how their server waits. */
static bool print_placement(json_t *st)
{
	double same, spin, blocked, awake, now, most;
	json_int_t polls, blocks;
	const char *choice;

	if (json_unpack(st, "{s:{s:s, s:F, s:F, s:F, s:F, s:F, s:F, s:I, s:I}}",
			"placement", "choice", &choice, "same_cpu_us", &same,
			"spin_us", &spin, "blocked_us", &blocked, "awake_us",
			&awake, "poll_now_us", &now, "poll_most_us", &most,
			"waits_polled", &polls, "waits_blocked", &blocks))
		return false;
	printf("placement  %s; a fault took, us: %.1f same_cpu, %.1f spin, "
	       "%.1f blocked, %.1f awake\n"
	       "waits      %lld polled for, %lld blocked; polls up to %.1f us "
	       "now, %.1f at most\n",
	       choice, same, spin, blocked, awake, polls, blocks, now, most);
	return true;
}

static bool print_pages(json_t *st)
{
	json_int_t zero, file, in, out, clean, elided, ahead;

	if (json_unpack(st, "{s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I}}", "pages",
			"zero_filled", &zero, "file_filled", &file,
			"swapped_in", &in, "swapped_out", &out, "clean_dropped",
			&clean, "zero_elided", &elided, "mapped_ahead", &ahead))
		return false;
	printf("pages in   %lld zero, %lld file, %lld swap; %lld ahead\n", zero,
	       file, in, ahead);
	printf("pages out  %lld swap, %lld clean, %lld zero\n", out, clean,
	       elided);
	return true;
}

static bool print_tiers(json_t *st)
{
	json_t *tiers, *tier;
	size_t i;

	if (json_unpack(st, "{s:{s:o}}", "swap", "tiers", &tiers))
		return false;
	json_array_foreach(tiers, i, tier)
	{
		const char *name;
		json_int_t pages, raw, stored;

		if (json_unpack(tier, "{s:s, s:I, s:I, s:I}", "name", &name,
				"pages", &pages, "raw_bytes", &raw,
				"stored_bytes", &stored))
			return false;
		printf("swap %-5s %lld pages, %.1f MiB in %.1f MiB\n", name,
		       pages, mib(raw), mib(stored));
	}
	return true;
}

static bool print_stall(json_t *pressure, const char *kind)
{
	double avg10, avg60, avg300;
	json_int_t total;

	if (json_unpack(pressure, "{s:{s:F, s:F, s:F, s:I}}", kind, "avg10",
			&avg10, "avg60", &avg60, "avg300", &avg300, "total_us",
			&total))
		return false;
	printf("pressure   %s avg10=%.2f avg60=%.2f avg300=%.2f total=%lld\n",
	       kind, avg10, avg60, avg300, total);
	return true;
}

/* As /proc/pressure/memory would say it: percent, and microseconds. */
static bool print_pressure(json_t *st)
{
	json_t *pressure = json_object_get(st, "pressure");

	return print_stall(pressure, "some") && print_stall(pressure, "full");
}

/* The rungs that have given something back. */
static bool print_ladder(json_t *st)
{
	json_t *ladder, *rung;
	size_t i;

	if (json_unpack(st, "{s:o}", "ladder", &ladder))
		return false;
	json_array_foreach(ladder, i, rung)
	{
		const char *name;
		json_int_t pages, bytes, us;

		if (json_unpack(rung, "{s:s, s:I, s:I, s:I}", "name", &name,
				"pages", &pages, "bytes", &bytes, "time_us",
				&us))
			return false;
		if (pages)
			printf("reclaimed  %s: %lld pages, %.1f MiB in %.1f "
			       "ms\n",
			       name, pages, mib(bytes), (double)us / 1000);
	}
	return true;
}

static bool print_slo(json_t *st)
{
	json_t *slo = json_object_get(st, "mem_slo");
	json_int_t cap, lowered, raised;
	double stall;

	if (json_is_null(slo))
		return true;
	if (json_unpack(slo, "{s:F, s:I, s:I, s:I}", "stall_percent", &stall,
			"cap_bytes", &cap, "lowered", &lowered, "raised",
			&raised))
		return false;
	printf("mem-slo    some avg10 up to %.2f, cap %.1f MiB, lowered %lld "
	       "times, raised %lld\n",
	       stall, mib(cap), lowered, raised);
	return true;
}

/* Those that the guest has used. */
static bool print_devices(json_t *st)
{
	json_t *devices, *device;
	size_t i;

	if (json_unpack(st, "{s:o}", "devices", &devices))
		return false;
	json_array_foreach(devices, i, device)
	{
		json_int_t slot, requests, bytes, errors, resets;
		const char *name;

		if (json_unpack(device, "{s:I, s:s, s:I, s:I, s:I, s:I}",
				"slot", &slot, "name", &name, "requests",
				&requests, "bytes", &bytes, "errors", &errors,
				"needs_reset", &resets))
			return false;
		if (requests || resets)
			printf("virtio %-3lld %s: %lld requests, %.1f MiB, %lld errors, "
			       "%lld times in need of a reset\n",
			       slot, name, requests, mib(bytes), errors,
			       resets);
	}
	return true;
}

static bool print_dma(json_t *st)
{
	json_int_t descriptors, bytes, errors, hits, walks, faults;

	if (json_unpack(st, "{s:{s:I, s:I, s:I}, s:{s:I, s:I, s:I}}", "dma",
			"descriptors", &descriptors, "bytes", &bytes, "errors",
			&errors, "iommu", "tlb_hits", &hits, "walks", &walks,
			"faults", &faults))
		return false;
	printf("dma        %lld descriptors, %.1f MiB, %lld errors\n"
	       "iommu      %lld TLB hits, %lld walks, %lld faults\n",
	       descriptors, mib(bytes), errors, hits, walks, faults);
	return true;
}

static bool print_share(json_t *st)
{
	json_t *share = json_object_get(st, "share");
	json_int_t size, copy, nread, found, writes;

	if (json_is_null(share))
		return true;
	if (json_unpack(share, "{s:I, s:I, s:I, s:I, s:I}", "size_bytes", &size,
			"copy_bytes", &copy, "pages_read", &nread,
			"pages_found", &found, "writes_ignored", &writes))
		return false;
	printf("shared     %.1f MiB, the one copy has %.1f; pages in: %lld "
	       "read, %lld found; %lld writes ignored\n",
	       mib(size), mib(copy), nread, found, writes);
	return true;
}

int ctl_print_status(const char *text)
{
	json_t *st = json_loads(text, 0, NULL);
	bool ok = print_state(st) && print_memory(st) && print_faults(st) &&
		  print_placement(st) && print_pages(st) && print_tiers(st) &&
		  print_pressure(st) && print_ladder(st) && print_slo(st) &&
		  print_devices(st) && print_share(st) && print_dma(st);

	json_decref(st);
	return ok ? 0 : -1;
}
