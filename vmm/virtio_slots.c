/* SPDX-License-Identifier: MIT */
/*
 * The virtio devices, in one visible list: each takes the next slot of
 * guest/abi.h, and with it an address and an interrupt line.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "devices/virtio_balloon.h"
#include "devices/virtio_blk.h"
#include "devices/virtio_console.h"
#include "devices/virtio_iommu.h"
#include "devices/virtio_net.h"
#include "devices/virtio_rng.h"
#include "vmm/disk.h"
#include "vmm/net.h"
#include "vmm/vm.h"

static uint64_t base_of(const struct virtio_slot *s)
{
	return ABI_VIRTIO_BASE + (uint64_t)s->number * ABI_VIRTIO_SIZE;
}

/*
 * A call, not an irqfd: of an IOAPIC's line KVM leaves an eventfd to a worker
 * thread (only messages are delivered where it is written), and a level line
 * needs another one to hear of its end. This is delivered when it returns.
 */
static void set_line(void *ctx, int level)
{
	struct virtio_slot *s = ctx;
	struct kvm_irq_level irq = { .irq = ABI_VIRTIO_IRQ + s->number,
				     .level = (uint32_t)level };

	ioctl(s->vm->fd, KVM_IRQ_LINE, &irq);
}

/* Any queue's number: one thread serves all of a device. */
static void direct_kicks(void *ctx, int kick)
{
	struct virtio_slot *s = ctx;
	struct kvm_ioeventfd e = { .addr = base_of(s) + VIRTIO_QUEUE_NOTIFY,
				   .len = 4,
				   .fd = kick };

	ioctl(s->vm->fd, KVM_IOEVENTFD, &e);
}

/* With --on-swap-error stop, a page that is lost has paused the VM: who
 * repairs the storage and resumes it has spared the guest an error. */
static bool wait_resumed(void *ctx)
{
	struct vm *vm = ((struct virtio_slot *)ctx)->vm;
	bool waited, go;

	pthread_mutex_lock(&vm->lock);
	waited = vm->paused;
	while (vm->paused && vm->end == VM_RUNNING)
		pthread_cond_wait(&vm->changed, &vm->lock);
	go = waited && vm->end == VM_RUNNING;
	pthread_mutex_unlock(&vm->lock);
	return go;
}

static unsigned disks(const struct vm *vm)
{
	return vm->options->disks;
}

static int make_image(void *option, int *fd)
{
	return disk_make(option, fd);
}

static bool make_disk(struct vm *vm, unsigned i, struct virtio_slot *s,
		      const struct virtio_host *host, struct complaint *why)
{
	const struct disk_option *o = &vm->options->disk[i];
	struct blk_image image = {
		.readonly = o->readonly,
		.queues = vm->options->cpus < BLK_QUEUES_MAX ? vm->options->cpus
							     : BLK_QUEUES_MAX,
		/* Not now: a guest may never use it. */
		.make = make_image,
		.ctx = (void *)o,
	};
	struct disk d;
	int r;

	if (!disk_open(&d, o, why))
		return false;
	image.fd = d.fd;
	image.bytes = d.bytes;
	snprintf(image.serial, sizeof(image.serial), "twofold-disk%u", i);
	r = virtio_blk_create(&s->device, &image, host);
	if (!r)
		return true;
	if (d.fd >= 0)
		close(d.fd);
	return complaint_set(why, "disk %u: %s", i, strerror(-r));
}

static unsigned nets(const struct vm *vm)
{
	return vm->options->nets;
}

static bool make_net(struct vm *vm, unsigned i, struct virtio_slot *s,
		     const struct virtio_host *host, struct complaint *why)
{
	const struct net_option *o = &vm->options->net[i];
	uint8_t mac[NET_MAC];
	struct net_link link;
	int r;

	if (!net_open(&link, o, why))
		return false;
	net_mac(o, mac);
	r = virtio_net_create(&s->device, &link, mac, host);
	if (!r)
		return true;
	link.ops->close(&link);
	return complaint_set(why, "network %u: %s", i, strerror(-r));
}

static unsigned balloons(const struct vm *vm)
{
	return vm->wants_lab || vm->options->balloon.given;
}

static bool make_balloon(struct vm *vm, unsigned i, struct virtio_slot *s,
			 const struct virtio_host *host, struct complaint *why)
{
	const struct balloon_option *o = &vm->options->balloon;
	const struct balloon_setup setup = {
		.target_pages = (uint32_t)(o->bytes >> PAGE_SHIFT),
		.ram_pages = vm->options->memory_bytes >> PAGE_SHIFT,
		.deflate_on_oom = o->deflate_on_oom,
		.reporting = o->reporting,
	};
	int r = virtio_balloon_create(&s->device, &setup, host);

	(void)i;
	if (r)
		return complaint_set(why, "balloon: %s", strerror(-r));
	vm->balloon = s->device;
	return true;
}

static unsigned one(const struct vm *vm)
{
	(void)vm;
	return 1;
}

static bool make_iommu(struct vm *vm, unsigned i, struct virtio_slot *s,
		       const struct virtio_host *host, struct complaint *why)
{
	int r = virtio_iommu_create(&s->device, &vm->iommu, host);

	(void)i;
	return !r || complaint_set(why, "IOMMU: %s", strerror(-r));
}

static bool make_rng(struct vm *vm, unsigned i, struct virtio_slot *s,
		     const struct virtio_host *host, struct complaint *why)
{
	int r = virtio_rng_create(&s->device, host);

	(void)vm, (void)i;
	return !r || complaint_set(why, "rng: %s", strerror(-r));
}

static bool make_console(struct vm *vm, unsigned i, struct virtio_slot *s,
			 const struct virtio_host *host, struct complaint *why)
{
	const struct console_host to = { machine_output, machine_room, vm };
	int r = virtio_console_create(&s->device, &to, host);

	(void)i;
	vm->console = r ? NULL : s->device;
	vm->console_slot = s->number;
	return !r || complaint_set(why, "console: %s", strerror(-r));
}

static const struct {
	const char *name;
	unsigned (*count)(const struct vm *vm);
	bool (*make)(struct vm *vm, unsigned i, struct virtio_slot *s,
		     const struct virtio_host *host, struct complaint *why);
} wiring[] = {
	{ "blk", disks, make_disk },	  { "rng", one, make_rng },
	{ "console", one, make_console }, { "balloon", balloons, make_balloon },
	{ "iommu", one, make_iommu },	  { "net", nets, make_net },
};

/* The @i-th device of the list's @k-th kind, in the next slot. */
static bool wire(struct vm *vm, size_t k, unsigned i, struct complaint *why)
{
	struct virtio_slot *s = &vm->slot[vm->slots];
	struct virtio_host host = {
		.memory = vm->stage2,
		.irq = { .set = set_line, .ctx = s },
		.again = wait_resumed,
		.direct_kicks = direct_kicks,
		.ctx = s,
	};
	int r;

	if (vm->slots == ABI_VIRTIO_SLOTS)
		return complaint_set(why, "at most %d virtio devices",
				     ABI_VIRTIO_SLOTS);
	*s = (struct virtio_slot){ .vm = vm,
				   .number = vm->slots,
				   .name = wiring[k].name };
	if (!wiring[k].make(vm, i, s, &host, why))
		return false;
	r = bus_add(&vm->mmio, &s->device->device, base_of(s), ABI_VIRTIO_SIZE);
	if (!r) {
		vm->slots++;
		return true;
	}
	s->device->device.ops->destroy(&s->device->device);
	return complaint_set(why, "virtio %s: %s", wiring[k].name,
			     strerror(-r));
}

bool virtio_wire(struct vm *vm, struct complaint *why)
{
	for (size_t k = 0; k < sizeof(wiring) / sizeof(wiring[0]); k++)
		for (unsigned i = 0; i < wiring[k].count(vm); i++)
			if (!wire(vm, k, i, why))
				return false;
	return true;
}
