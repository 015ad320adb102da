/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ept/table.h"
#include "vmm/share.h"

#define TOP   (EPT_PAGES << PAGE_SHIFT)
#define ALIGN (UINT64_C(2) << 20) /* of a place that nobody asked for */

static bool overlap(gpa_t at, uint64_t bytes, gpa_t base, uint64_t len)
{
	return at.v < base.v + len && base.v < at.v + bytes;
}

/* Is anything of [@at, @at + @bytes) taken? */
static bool is_taken(const struct shares *s, const struct ram *ram, gpa_t at,
		     uint64_t bytes)
{
	for (unsigned i = 0; i < ram->ranges; i++)
		if (overlap(at, bytes, ram->range[i].base, ram->range[i].bytes))
			return true;
	for (unsigned i = 0; i < s->n; i++)
		if (overlap(at, bytes, s->file[i].base, s->file[i].bytes))
			return true;
	return overlap(at, bytes, (gpa_t){ ABI_MMIO_BASE },
		       ABI_MMIO_END - ABI_MMIO_BASE);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static gpa_t place_above_all(const struct shares *s, const struct ram *ram)
{
	const struct ram_range *last = &ram->range[ram->ranges - 1];
	uint64_t at = larger(ABI_MMIO_END, last->base.v + last->bytes);

	for (unsigned i = 0; i < s->n; i++)
		at = larger(at, s->file[i].base.v + s->file[i].bytes);
	return (gpa_t){ (at + ALIGN - 1) & ~(ALIGN - 1) };
}

static const char *reason(int error)
{
	switch (error) {
	case -ENODATA:
		return "is empty";
	case -EINVAL:
		return "is no regular file";
	default:
		return strerror(-error);
	}
}

/* The next file of @s, which is open. */
static bool place(struct shares *s, const struct share_option *o,
		  const struct ram *ram, struct complaint *why)
{
	struct shared_file *f = &s->file[s->n];

	f->base.v = o->address;
	if (!o->placed)
		f->base = place_above_all(s, ram);
	if (!range_within(f->base.v, f->bytes, TOP))
		return complaint_set(why, "share %s: beyond 256T", o->path);
	if (is_taken(s, ram, f->base, f->bytes))
		return complaint_set(
			why,
			"share %s: [%#llx, %#llx) has memory or "
			"devices already",
			o->path, (unsigned long long)f->base.v,
			(unsigned long long)(f->base.v + f->bytes));
	return true;
}

static bool open_one(struct shares *s, const struct share_option *o,
		     const struct ram *ram, struct complaint *why)
{
	struct shared_file *f = &s->file[s->n];
	int r = share_open(&f->share, o->path);

	if (r)
		return complaint_set(why, "share %s: %s", o->path, reason(r));
	f->path = o->path;
	f->bytes = f->share->pages << PAGE_SHIFT;
	if (!place(s, o, ram, why)) {
		share_close(f->share);
		return false;
	}
	f->share->first = gfn_of(f->base);
	if (f->share->object.alone)
		fprintf(stderr,
			"twofold: share %s: not shared with other VMs: "
			"/dev/shm: %s\n",
			o->path, strerror(-f->share->object.alone));
	s->n++;
	return true;
}

bool shares_open(struct shares *s, const struct run_options *o,
		 const struct ram *ram, struct complaint *why)
{
	for (unsigned i = 0; i < o->shares; i++)
		if (!open_one(s, &o->share[i], ram, why)) {
			shares_close(s);
			return false;
		}
	return true;
}

void shares_close(struct shares *s)
{
	while (s->n)
		share_close(s->file[--s->n].share);
}

const struct shared_file *shares_find(const struct shares *s, gpa_t at,
				      uint64_t len)
{
	for (unsigned i = 0; i < s->n; i++)
		if (at.v >= s->file[i].base.v &&
		    range_within(at.v - s->file[i].base.v, len,
				 s->file[i].bytes))
			return &s->file[i];
	return NULL;
}
