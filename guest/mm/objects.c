/* SPDX-License-Identifier: MIT */
#include "guest/mm/objects.h"

#include "guest/lib/errno.h"
#include "guest/mm/frame.h"
#include "guest/mm/slab.h"
#include "guest/mm/vmalloc.h"

#define KMALLOC_MOST (PAGE_SIZE << (ZONE_ORDERS - 1))

struct object {
	struct object *next;
	uint32_t handle;
	uint32_t kind; /* enum object_kind */
	uint64_t size; /* bytes; of frames the order */
	void *at;
};

static struct cache *cache;

void objects_init(void)
{
	cache = cache_create("object", sizeof(struct object));
}

static struct frame *frame_of(const struct object *o)
{
	return frame_at(direct_pa(o->at));
}

static bool is_sane(const struct sys_object *o)
{
	switch (o->kind) {
	case OBJECT_FRAMES:
	case OBJECT_DMA:
		return o->size < ZONE_ORDERS;
	case OBJECT_KMALLOC:
		return o->size <= KMALLOC_MOST;
	case OBJECT_VMALLOC:
		return o->size && o->size <= VMALLOC_BYTES;
	default:
		return false;
	}
}

/* The frames that an object takes, at most: of kmalloc a power of two. */
static uint64_t pages_of(const struct object *o)
{
	if (o->kind == OBJECT_FRAMES || o->kind == OBJECT_DMA)
		return 1ul << o->size;
	return 1 + (page_up(o->size) >> PAGE_SHIFT) *
			   (o->kind == OBJECT_KMALLOC ? 2 : 1);
}

static void *allocate(const struct object *o)
{
	struct frame *f;

	if (o->kind == OBJECT_KMALLOC)
		return kmalloc(o->size);
	if (o->kind == OBJECT_VMALLOC)
		return vmalloc(o->size);
	f = o->kind == OBJECT_DMA
		    ? frames_alloc((unsigned)o->size, ZONE_DMA, FRAME_DMA)
		    : frames_alloc((unsigned)o->size, ZONE_NORMAL,
				   FRAME_KERNEL);
	return f ? direct(frame_pa(f)) : NULL;
}

static void release(struct object *o)
{
	if (o->kind == OBJECT_KMALLOC)
		kfree(o->at);
	else if (o->kind == OBJECT_VMALLOC)
		vfree(o->at);
	else
		frames_free(frame_of(o), (unsigned)o->size);
	frame_unpromise(pages_of(o));
	cache_free(cache, o);
}

static void describe(const struct object *o, struct sys_object *to)
{
	pa_t pa = direct_pa(o->at);

	to->handle = o->handle;
	to->address = (uintptr_t)o->at;
	to->pieces = 1;
	if (o->kind == OBJECT_VMALLOC) {
		vmalloc_pa(o->at, &pa);
		to->pieces = vmalloc_pieces(o->at);
		to->guard = (uintptr_t)vmalloc_guard(o->at);
	}
	to->pa = pa.v;
}

/* Handles ascend: one more than the newest, which is the list's first. */
static int64_t add(struct object **list, struct sys_object *want)
{
	uint32_t handle = *list ? (*list)->handle + 1 : 1;
	struct object *o;

	if (!is_sane(want) || !handle)
		return -EINVAL;
	o = cache_alloc(cache);
	if (!o)
		return -ENOMEM;
	*o = (struct object){ *list, handle, want->kind, want->size, NULL };
	if (!frame_promise(pages_of(o)))
		goto no_promise;
	o->at = allocate(o);
	if (!o->at)
		goto no_memory;
	*list = o;
	describe(o, want);
	return 0;

no_memory:
	frame_unpromise(pages_of(o));
no_promise:
	cache_free(cache, o);
	return -ENOMEM;
}

/* Frames and areas are looked at, not harmed; kmalloc's objects are. */
static bool abuse_caught(const struct object *o, enum object_abuse abuse)
{
	struct frame *f;
	bool caught;
	pa_t pa;

	if (o->kind == OBJECT_KMALLOC)
		return kmalloc_abuse(o->size, abuse);
	if (o->kind == OBJECT_VMALLOC)
		return abuse == ABUSE_OVERFLOW &&
		       !vmalloc_pa(vmalloc_guard(o->at), &pa);
	if (abuse != ABUSE_DOUBLE_FREE)
		return false;
	f = frames_alloc((unsigned)o->size, ZONE_NORMAL, FRAME_KERNEL);
	if (!f)
		return false;
	caught = !frame_is_free(f);
	frames_free(f, (unsigned)o->size);
	return caught && frame_is_free(f);
}

int64_t objects_do(struct object **list, struct sys_object *want)
{
	struct object *o;

	if (want->command == OBJECT_ALLOC)
		return add(list, want);
	for (; (o = *list) && o->handle != want->handle; list = &o->next)
		;
	if (!o)
		return -ENOENT;
	if (want->command == OBJECT_FREE) {
		*list = o->next;
		release(o);
	} else if (want->command == OBJECT_ABUSE &&
		   want->abuse <= ABUSE_USE_AFTER_FREE) {
		want->caught = abuse_caught(o, want->abuse);
	} else {
		return -EINVAL;
	}
	return 0;
}

void objects_free(struct object **list)
{
	while (*list) {
		struct object *o = *list;

		*list = o->next;
		release(o);
	}
}
