/* SPDX-License-Identifier: MIT */
/*
 * The machine: which devices there are, where, in which order. (Virtio
 * devices, which share their transport: virtio_slots.c.) The device tree
 * (vmm/devtree.c) says the same to the guest.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/kvm.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "devices/devices.h"
#include "devices/dma.h"
#include "devices/lab.h"
#include "devices/power.h"
#include "devices/testdev.h"
#include "devices/virtio_console.h"
#include "vmm/events.h"
#include "vmm/vm.h"

/*
 * The terminal is the flow control: while it does not take the bytes, the vCPU
 * or device that sends them waits, and only it, and no longer than the VM lives.
 */
void machine_output(void *ctx, const uint8_t *bytes, size_t len)
{
	while (len && !vm_ended(ctx)) {
		struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
		ssize_t n;

		if (poll(&out, 1, 100) <= 0)
			continue;
		n = write(STDOUT_FILENO, bytes,
			  len < PIPE_BUF ? len : PIPE_BUF);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return; /* nobody listens any more */
		bytes += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

static void unknown_access(void *ctx, const struct bus *b, uint64_t at,
			   uint64_t count)
{
	char text[96];

	snprintf(text, sizeof(text),
		 "%s %#" PRIx64 ": no device there; such accesses so far: "
		 "%" PRIu64,
		 b->name, at, count);
	events_tell(((struct vm *)ctx)->events, "unknown_access", text);
}

static void set_line(struct vm *vm, uint32_t number, int level)
{
	struct kvm_irq_level irq = { .irq = number, .level = (uint32_t)level };

	ioctl(vm->fd, KVM_IRQ_LINE, &irq);
}

static void uart_irq(void *ctx, int level)
{
	set_line(ctx, ABI_UART_IRQ, level);
}

static void dma_irq(void *ctx, int level)
{
	set_line(ctx, ABI_DMA_IRQ, level);
}

void machine_room(void *ctx)
{
	uint64_t one = 1;

	if (write(((struct vm *)ctx)->room, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is readable anyway */
}

static struct device *make_uart(struct vm *vm)
{
	struct uart_output out = { .write = machine_output, .ctx = vm };
	struct irq_line irq = { .set = uart_irq, .ctx = vm };

	vm->uart = uart_create(out, irq);
	if (vm->uart)
		uart_on_room(vm->uart, machine_room, vm);
	return vm->uart;
}

size_t machine_input(struct vm *vm, const uint8_t *bytes, size_t len)
{
	return vm->options->console == CONSOLE_VIRTIO
		       ? virtio_console_input(vm->console, bytes, len)
		       : uart_input(vm->uart, bytes, len);
}

/* A status beyond what an exit status can say is told apart from success. */
static void guest_exit(void *ctx, uint32_t status)
{
	vm_end(ctx, VM_EXIT, status > 123 ? 123 : (int)status);
}

static struct device *make_exit(struct vm *vm)
{
	return exit_create(guest_exit, vm);
}

static struct timespec wall_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t;
}

static struct device *make_rtc(struct vm *vm)
{
	vm->rtc = rtc_create(wall_clock);
	return vm->rtc;
}

static void power_event(void *ctx, enum power_event event)
{
	switch (event) {
	case POWER_EVENT_OFF:
		vm_end(ctx, VM_POWEROFF, 0);
		break;
	case POWER_EVENT_RESET:
		vm_end(ctx, VM_REBOOT, 0);
		break;
	case POWER_EVENT_RAM:
		vm_suspend(ctx);
		break;
	}
}

static struct device *make_sleep(struct vm *vm)
{
	return power_create_sleep(power_event, vm);
}

static struct device *make_reset(struct vm *vm)
{
	return power_create_reset(power_event, vm);
}

static struct device *make_lab(struct vm *vm)
{
	struct lab_host host;

	vm_lab_host(vm, &host);
	vm->lab = lab_create(vm->stage2, &host);
	return vm->lab;
}

static struct device *make_dma(struct vm *vm)
{
	struct irq_line irq = { .set = dma_irq, .ctx = vm };

	iommu_add_endpoint(vm->iommu, ABI_DMA_ENDPOINT);
	vm->dma = dma_create(vm->stage2, vm->iommu, irq);
	return vm->dma;
}

static void test_flush(void *ctx, uint64_t gpa)
{
	stage2_unmap(((struct vm *)ctx)->stage2, gfn_of((gpa_t){ gpa }));
}

static void test_line(void *ctx, unsigned number, int level)
{
	set_line(ctx, number, level);
}

static struct device *make_latch(struct vm *vm)
{
	(void)vm;
	return testdev_create_bytes(TESTDEV_LATCH_PORTS);
}

static struct device *make_test_ram(struct vm *vm)
{
	(void)vm;
	return testdev_create_bytes(TESTDEV_RAM_BYTES);
}

static struct device *make_flush(struct vm *vm)
{
	return testdev_create_flush(
		&(struct testdev_host){ .flush = test_flush, .ctx = vm });
}

static struct device *make_lines(struct vm *vm)
{
	return testdev_create_lines(
		&(struct testdev_host){ .line = test_line, .ctx = vm });
}

static bool always(const struct vm *vm)
{
	(void)vm;
	return true;
}

static bool wants_lab(const struct vm *vm)
{
	return vm->wants_lab;
}

static bool wants_kut(const struct vm *vm)
{
	return vm->options->kut;
}

static const struct wiring {
	struct device *(*make)(struct vm *vm);
	bool (*wanted)(const struct vm *vm);
	bool port; /* else MMIO */
	uint64_t base, size;
} wiring[] = {
	{ make_uart, always, true, ABI_UART_PORT, ABI_UART_PORTS },
	{ make_rtc, always, true, ABI_RTC_PORT, ABI_RTC_PORTS },
	{ make_exit, always, true, ABI_EXIT_PORT, ABI_EXIT_PORTS },
	{ make_sleep, always, true, POWER_SLEEP_PORT, POWER_SLEEP_PORTS },
	{ make_reset, always, true, POWER_RESET_PORT, POWER_RESET_PORTS },
	{ make_lab, wants_lab, false, ABI_LAB_BASE, ABI_LAB_SIZE },
	{ make_latch, wants_kut, true, TESTDEV_LATCH_PORT,
	  TESTDEV_LATCH_PORTS },
	{ make_flush, wants_kut, true, TESTDEV_FLUSH_PORT,
	  TESTDEV_FLUSH_PORTS },
	{ make_lines, wants_kut, true, TESTDEV_LINE_PORT, TESTDEV_LINE_PORTS },
	{ make_test_ram, wants_kut, false, TESTDEV_RAM, TESTDEV_RAM_BYTES },
}, behind_iommu[] = {
	{ make_dma, always, false, ABI_DMA_BASE, ABI_DMA_SIZE },
};

/* Device @w of a list, on its bus. */
static bool wire(struct vm *vm, const struct wiring *w, struct complaint *why)
{
	struct device *d = w->make(vm);
	int r;

	if (!d)
		return complaint_set(why, "no memory for a device");
	r = bus_add(w->port ? &vm->ports : &vm->mmio, d, w->base, w->size);
	if (!r)
		return true;
	complaint_set(why, "device %s: %s", d->ops->name, strerror(-r));
	d->ops->destroy(d);
	return false;
}

static bool wire_all(struct vm *vm, const struct wiring *w, size_t n,
		     struct complaint *why)
{
	for (size_t i = 0; i < n; i++)
		if (w[i].wanted(vm) && !wire(vm, &w[i], why))
			return false;
	return true;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The IOMMU is a virtio device; who is behind it goes before it does. */
bool machine_wire(struct vm *vm, struct complaint *why)
{
	vm->ports.unknown_at = vm->mmio.unknown_at = unknown_access;
	vm->ports.ctx = vm->mmio.ctx = vm;
	return wire_all(vm, wiring, COUNT(wiring), why) &&
	       virtio_wire(vm, why) &&
	       wire_all(vm, behind_iommu, COUNT(behind_iommu), why);
}
