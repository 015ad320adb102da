/* SPDX-License-Identifier: MIT */
/*
 * Kernel memory that a program holds (SYS_OBJECT), so that it can exercise the
 * kernel's allocators. It counts as promised memory, so no program can take
 * what another was promised.
 */
#include "guest/lib/errno.h"
#include "guest/mm/frame.h"
#include "guest/mm/slab.h"
#include "guest/proc/process.h"
#include "guest/proc/syscall.h"

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

/* kmalloc takes up to a power of two, or a frame of small objects. */
static int64_t add(struct object **list, struct sys_object *want)
{
	uint64_t pages = 2 * (page_up(want->bytes) >> PAGE_SHIFT);
	struct object *o;

	if (!want->bytes || want->bytes > VMALLOC_BYTES ||
	    want->kind > OBJECT_VMALLOC)
		return -EINVAL;
	o = kmalloc(sizeof(*o));
	if (!o || !frame_promise(pages)) {
		kfree(o);
		return -ENOMEM;
	}
	*o = (struct object){ *list, allocate(want), pages };
	*list = o;
	if (!o->at) {
		drop(list);
		return -ENOMEM;
	}
	want->address = (uintptr_t)o->at;
	return 0;
}

static int64_t obey(struct object **list, struct sys_object *want)
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

int64_t sys_object(const struct trap_frame *f)
{
	struct sys_object want;
	int64_t error;

	if (user_read(current()->space, &want, f->rdi, sizeof(want)))
		return -EFAULT;
	error = obey(&current()->objects, &want);
	return error ? error
		     : user_write(current()->space, f->rdi, &want,
				  sizeof(want));
}

void objects_free(struct object **list)
{
	while (*list)
		drop(list);
}
