/* SPDX-License-Identifier: MIT */
/* --balloon auto: what the guest says and the host has in, a target out. */
#include "devices/virtio_balloon.h"
#include "vmm/balloon_auto.h"
#include "vmm/vm.h"

/* Tags of virtio 1.2, 5.5.6.4. */
enum { SWAP_IN = 0, MAJOR_FAULTS = 2, AVAILABLE = 6 };

#define BIT(tag)    (1u << (tag))
#define NEEDED_TAGS (BIT(SWAP_IN) | BIT(MAJOR_FAULTS) | BIT(AVAILABLE))

/* False: the guest has not said how it feels, or the host does not say. */
static bool look_around(struct vm *vm, struct balloon_second *t)
{
	struct balloon_report r;
	uint64_t back;

	balloon_report(vm->balloon, &r);
	balloon_refresh(vm->balloon, 0); /* for the next step */
	if ((r.known & NEEDED_TAGS) != NEEDED_TAGS)
		return false;
	back = r.value[SWAP_IN] / PAGE_SIZE + r.value[MAJOR_FAULTS];
	*t = (struct balloon_second){
		.ram = vm->options->memory_bytes,
		.given = (uint64_t)r.actual_pages << PAGE_SHIFT,
		.available = r.value[AVAILABLE],
		.pages_back = back - vm->balloon_back,
	};
	vm->balloon_back = back;
	return host_memory_read("", &t->host);
}

void vm_balloon_step(struct vm *vm)
{
	struct balloon_second t;

	if (look_around(vm, &t))
		balloon_set_target(
			vm->balloon,
			(uint32_t)(balloon_auto_step(&t) >> PAGE_SHIFT));
}
