/* SPDX-License-Identifier: MIT */
#include "guest/mm/objects.h"

#include "guest/lib/errno.h"
#include "guest/mm/frame.h"
#include "guest/mm/slab.h"
#include "guest/mm/vmalloc.h"

struct object {
	struct object *next;
	void *at;
	uint64_t pages; /* promised */
};

static void *allocate(const struct sys_object *want)
{
	if (want->kind == OBJECT_KMALLOC)
		return kmalloc(want->bytes);
	if (want->kind == OBJECT_DMA)
		return kmalloc_dma(want->bytes);
	return vmalloc(want->bytes);
}

/* kmalloc takes up to a power of two, or a frame of small objects. */
static int64_t add(struct object **list, struct sys_object *want)
{
	struct object *o;

	if (!want->bytes || want->bytes > VMALLOC_BYTES ||
	    want->kind > OBJECT_VMALLOC)
		return -EINVAL;
	o = kmalloc(sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->pages = 2 * (page_up(want->bytes) >> PAGE_SHIFT);
	if (!frame_promise(o->pages))
		goto no_promise;
	o->at = allocate(want);
	if (!o->at)
		goto no_memory;
	o->next = *list;
	*list = o;
	want->address = (uintptr_t)o->at;
	return 0;

no_memory:
	frame_unpromise(o->pages);
no_promise:
	kfree(o);
	return -ENOMEM;
}

static void drop(struct object **list)
{
	struct object *o = *list;

	*list = o->next;
	if ((uintptr_t)o->at >= VMALLOC_BASE)
		vfree(o->at);
	else
		kfree(o->at);
	frame_unpromise(o->pages);
	kfree(o);
}

int64_t objects_do(struct object **list, struct sys_object *want)
{
	if (want->command == OBJECT_ALLOC)
		return add(list, want);
	if (want->command == OBJECT_ABUSE) {
		want->caught = kmalloc_abuse(want->bytes, want->abuse);
		return 0;
	}
	while (*list && (uintptr_t)(*list)->at != want->address)
		list = &(*list)->next;
	if (!*list)
		return -ENOENT;
	drop(list);
	return 0;
}

void objects_free(struct object **list)
{
	while (*list)
		drop(list);
}
