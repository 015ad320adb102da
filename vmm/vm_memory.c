/* SPDX-License-Identifier: MIT */
/* A VM's memory: swap's tiers, the trace, stage 2, and what happens when a
 * page cannot be had. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ept/inject.h"
#include "vmm/audit.h"
#include "vmm/events.h"
#include "vmm/huge_pages.h"
#include "vmm/nbd_helper.h"
#include "vmm/vm.h"

static void say(const char *what, const char *text)
{
	fprintf(stderr, "twofold: %s: %s\n", what, text);
}

/* What --on-swap-error says. A kernel that cannot poison the page, and what is
 * no page at all, pause the VM. */
static void answer_failure(struct vm *vm, const struct stage2_failure *f,
			   const char *text)
{
	events_tell(vm->events, "page_lost", text);
	if (vm->options->on_swap_error == SWAP_ERROR_KILL) {
		say("killed", text);
		vm_end(vm, VM_FAILED, 125);
	} else if (f->poisoned) {
		say("poisoned", text);
	} else {
		say("paused", text);
		vm_pause(vm, text);
	}
}

/* Stage 2 met something it cannot mend: DESIGN's --on-swap-error. */
static void on_failure(void *ctx, const struct stage2_failure *f)
{
	struct vm *vm = ctx;
	char text[160];

	if (f->what == FAILURE_FULL)
		snprintf(text, sizeof(text),
			 "no page can leave, swap is full or failing (%s)",
			 f->error ? strerror(-f->error) : "all are in use");
	else if (f->stored)
		snprintf(text, sizeof(text),
			 "gfn %#llx: slot %llu of tier %s: %s",
			 (unsigned long long)f->gfn.v,
			 (unsigned long long)f->slot.v, f->source,
			 f->error == -EBADMSG ? "the stored page is damaged"
					      : strerror(-f->error));
	else
		snprintf(text, sizeof(text), "gfn %#llx: pager %s: %s",
			 (unsigned long long)f->gfn.v, f->source,
			 strerror(-f->error));
	answer_failure(vm, f, text);
}

/* A test build audits while the guest works: AUDIT_EVERY in the Makefile. */
static void on_audited(void *ctx, const struct audit_report *r)
{
	struct vm *vm = ctx;
	char text[160];

	atomic_fetch_add(&vm->audits, 1);
	if (!r->diverged)
		return;
	audit_tell(r, text, sizeof(text));
	say("audit", text);
	vm_end(vm, VM_FAILED, 125);
}

void vm_tell_audits(const struct vm *vm)
{
	if (vm->audits)
		fprintf(stderr, "twofold: audits: %u\n", vm->audits);
}

/* Not the end of anything yet: other tiers may take the pages, and this one is
 * tried again. */
static void on_tier_news(void *ctx, const char *tier, int error)
{
	const struct vm *vm = ctx;
	char text[160];

	snprintf(text, sizeof(text), "tier %s: %s", tier,
		 error ? strerror(-error) : "stores pages again");
	events_tell(vm->events, error ? "tier_failing" : "tier_mended", text);
}

static bool make_nbd_tier(struct tier **out, const struct swap_option *o,
			  struct complaint *why)
{
	struct nbd_link link;
	int r;

	if (!nbd_helper_start(&link, o, o->size, why))
		return false;
	r = tier_nbd_create(out, &link, o->size);
	if (r)
		link.close(&link);
	return !r || complaint_set(why, "%s", strerror(-r));
}

/* One tier of swap as the options say. */
static bool make_medium(struct tier **out, const struct swap_option *o,
			struct complaint *why)
{
	int r;

	if (o->nbd)
		return make_nbd_tier(out, o, why);
	r = o->ram ? tier_ram_create(out, o->size, o->codec)
		   : tier_file_create(out, o->path, o->size);
	return !r || complaint_set(why, "%s",
				   r == -ENOSPC ? "no room for it there"
						: strerror(-r));
}

/* With one before it that can be told to fail. */
static bool make_tier(struct tier **out, const struct swap_option *o,
		      struct complaint *why)
{
	struct tier *medium;

	if (!make_medium(&medium, o, why))
		return false;
	if (!tier_inject_create(out, medium))
		return true;
	medium->ops->destroy(medium);
	return complaint_set(why, "%s", strerror(ENOMEM));
}

static void destroy_tiers(const struct swap_config *c)
{
	for (unsigned i = 0; i < c->tiers; i++)
		c->tier[i]->ops->destroy(c->tier[i]);
}

/* A tier that needs a size and has none can hold all of RAM. */
static bool make_tiers(struct swap_config *c, const struct run_options *o,
		       struct complaint *why)
{
	for (; c->tiers < o->swaps; c->tiers++) {
		struct swap_option s = o->swap[c->tiers];
		struct complaint because;

		if (!s.ram && !s.size)
			s.size = o->memory_bytes;
		if (!make_tier(&c->tier[c->tiers], &s, &because))
			return complaint_set(why, "swap %s: %s",
					     s.ram ? "ram" : s.path,
					     because.text);
	}
	return true;
}

static bool make_swap(struct vm *vm, struct complaint *why)
{
	struct swap_config c = {
		.pages = vm->options->memory_bytes >> PAGE_SHIFT,
		.flip_nth = vm->options->flip_nth,
		.told = on_tier_news,
		.ctx = vm,
	};
	int r;

	if (make_tiers(&c, vm->options, why)) {
		memcpy(vm->tier, c.tier, sizeof(vm->tier));
		r = swap_create(&vm->swap, &c);
		if (!r)
			return true;
		complaint_set(why, "swap: %s", strerror(-r));
	}
	destroy_tiers(&c);
	return false;
}

void vm_inject_nothing(struct vm *vm)
{
	static const struct injection nothing;

	for (unsigned i = 0; i < swap_tiers(vm->swap); i++)
		tier_inject(vm->tier[i], &nothing);
}

static bool make_stage2(struct vm *vm, const struct image *im,
			struct complaint *why)
{
	const struct run_options *o = vm->options;
	struct file_extent extent[sizeof(im->segment) / sizeof(im->segment[0])];
	struct ram_range range;
	struct stage2_config c = {
		.large_pages = o->large_pages,
		.limit = o->resident_bytes >> PAGE_SHIFT,
		.policy = o->policy,
		.swap = vm->swap,
		.trace = vm->trace.file,
		.witness = witness_of(vm),
		.extent = extent,
		.extents = im->segments,
		.paging = o->paging,
		.refs_ms = o->trace_refs_ms,
		.vcpus = o->cpus,
		.poison = o->on_swap_error == SWAP_ERROR_POISON,
		.failed = on_failure,
		.audit_every = AUDIT_EVERY,
		.audited = on_audited,
		.ctx = vm,
	};
	int r;

	if (o->large_pages && !huge_pages_ready(o->resident_bytes, why))
		return false;
	for (unsigned i = 0; i < im->segments; i++)
		extent[i] = (struct file_extent){
			.at = im->segment[i].at,
			.bytes = im->segment[i].file_bytes,
			.fd = im->segment[i].fd,
			.offset = im->segment[i].file_offset,
		};
	for (; vm_range(vm, c.regions, &range); c.regions++)
		c.region[c.regions] = (struct stage2_region){
			.first = gfn_of(range.base),
			.pages = range.bytes >> PAGE_SHIFT,
		};
	for (unsigned i = 0; i < vm->shares.n; i++)
		c.share[vm->ram.ranges + i] = vm->shares.file[i].share;
	r = stage2_create(&vm->stage2, &c);
	if (r == -EPERM || r == -EACCES)
		return complaint_set(why,
				     "userfaultfd is forbidden: give yourself "
				     "/dev/userfaultfd (setfacl -m u:$USER:rw "
				     "/dev/userfaultfd) or set the sysctl "
				     "vm.unprivileged_userfaultfd=1");
	return !r || complaint_set(why, "guest memory: %s", strerror(-r));
}

bool vm_make_memory(struct vm *vm, const struct image *im,
		    struct complaint *why)
{
	return vm_trace_open(vm, why) && make_swap(vm, why) &&
	       shares_open(&vm->shares, vm->options, &vm->ram, why) &&
	       make_stage2(vm, im, why);
}
