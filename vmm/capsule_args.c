/* SPDX-License-Identifier: MIT */
#include "vmm/capsule_args.h"
#include "vmm/capsule_net.h"

#include <inttypes.h>

static const char *codec_name(enum codec codec)
{
	return codec == CODEC_ZSTD ? "zstd" : "lz4";
}

/* A file or NBD tier is the disk of its number: see capsule_disk.h. */
static void add_swap(struct words *w, const struct swap_option *s, unsigned i)
{
	words_add(w, "--swap");
	if (!s->ram && s->size)
		words_add(w, "file=" CAPSULE_PORTS "swap%u,size=%" PRIu64 "B",
			  i, s->size);
	else if (!s->ram)
		words_add(w, "file=" CAPSULE_PORTS "swap%u", i);
	else if (s->size)
		words_add(w, "ram=%" PRIu64 "B,codec=%s", s->size,
			  codec_name(s->codec));
	else
		words_add(w, "ram,codec=%s", codec_name(s->codec));
}

static void add_share(struct words *w, const struct share_option *s, unsigned i)
{
	words_add(w, "--share");
	if (s->placed)
		words_add(w, "path=" CAPSULE_SHARE ",address=0x%" PRIx64, i,
			  s->address);
	else
		words_add(w, "path=" CAPSULE_SHARE, i);
}

static void add_memory(struct words *w, const struct run_options *o)
{
	words_add(w, "--memory");
	words_add(w, "size=%" PRIu64 "B,page_size=%s", o->memory_bytes,
		  o->large_pages ? "2M" : "4K");
	if (o->resident_bytes < o->memory_bytes) {
		words_add(w, "--resident");
		words_add(w, "%" PRIu64 "B", o->resident_bytes);
	}
	if (o->slo_stall > 0) {
		words_add(w, "--mem-slo");
		words_add(w, "stall=%.9f", o->slo_stall);
	}
	words_add(w, "--policy");
	words_add(w, "%s", o->policy->name);
	for (unsigned i = 0; i < o->swaps; i++)
		add_swap(w, &o->swap[i], i);
	for (unsigned i = 0; i < o->shares; i++)
		add_share(w, &o->share[i], i);
	words_add(w, "--on-swap-error");
	words_add(w, "%s", on_swap_error_name[o->on_swap_error]);
	words_add(w, "--paging");
	words_add(w, o->paging ? "on" : "off");
	if (o->flip_nth) {
		words_add(w, "--inject");
		words_add(w, "flip=%" PRIu64, o->flip_nth);
	}
}

/* Copies were made outside. */
static void add_disks(struct words *w, const struct run_options *o)
{
	for (unsigned i = 0; i < o->disks; i++) {
		words_add(w, "--disk");
		words_add(w, "path=" CAPSULE_PORTS "disk%u,readonly=%s", i,
			  o->disk[i].readonly ? "on" : "off");
	}
}

static const char *on_off(bool on)
{
	return on ? "on" : "off";
}

static void add_balloon(struct words *w, const struct balloon_option *b)
{
	if (!b->given)
		return;
	words_add(w, "--balloon");
	words_add(w,
		  "size=%" PRIu64 "B,deflate_on_oom=%s,"
		  "free_page_reporting=%s%s",
		  b->bytes, on_off(b->deflate_on_oom), on_off(b->reporting),
		  b->automatic ? ",auto" : "");
}

static void add_outside(struct words *w, const struct run_options *o,
			const char *name)
{
	words_add(w, "--name");
	words_add(w, "%s", name);
	words_add(w, "--api-socket");
	words_add(w, CAPSULE_PORTS "ctl");
	if (o->stats) {
		words_add(w, "--stats");
		words_add(w, CAPSULE_STATS);
	}
	if (o->trace) {
		words_add(w, "--trace");
		words_add(w, CAPSULE_PORTS "trace");
	}
	if (o->trace_refs_ms) {
		words_add(w, "--trace-refs");
		words_add(w, "%u", o->trace_refs_ms);
	}
}

void capsule_args(struct words *w, const struct run_options *o,
		  const char *name)
{
	words_add(w, "run");
	words_add(w, "--accel");
	words_add(w, "kvm");
	words_add(w, "--kernel");
	words_add(w, CAPSULE_GUEST);
	if (o->initrd) {
		words_add(w, "--initrd");
		words_add(w, CAPSULE_INITRD);
	}
	words_add(w, "--cpus");
	words_add(w, "%u", o->cpus);
	add_memory(w, o);
	add_disks(w, o);
	add_balloon(w, &o->balloon);
	capsule_net_args(w, o);
	words_add(w, "--console");
	words_add(w, "%s", console_name[o->console]);
	add_outside(w, o, name);
	if (o->kut)
		words_add(w, "--kut");
	if (o->timeout_s) {
		words_add(w, "--timeout");
		words_add(w, "%" PRIu64, o->timeout_s);
	}
	if (o->cmdline && *o->cmdline) {
		words_add(w, "--cmdline");
		words_add(w, "%s", o->cmdline);
	}
}
