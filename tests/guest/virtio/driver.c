/* SPDX-License-Identifier: MIT */
#include "tests/guest/virtio/driver.h"

#define VECTOR 0x40u /* of slot 0; the others follow */
#define APIC   ((volatile uint32_t *)0xfee00000ul)
#define IOAPIC ((volatile uint32_t *)0xfec00000ul)

void interrupt_entry(void); /* start.S */
void on_interrupt(void);

static uint64_t idt[VECTOR + ABI_VIRTIO_SLOTS][2];
static struct driver *driver[ABI_VIRTIO_SLOTS]; /* that were started */

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint32_t reg(const struct driver *d, enum virtio_register r)
{
	return d->reg[r / 4];
}

static void set(struct driver *d, enum virtio_register r, uint32_t value)
{
	d->reg[r / 4] = value;
}

/* A line stays high until its device is told: without that, the interrupt
 * comes again at once. */
void on_interrupt(void)
{
	for (unsigned i = 0; i < ABI_VIRTIO_SLOTS; i++) {
		struct driver *d = driver[i];
		uint32_t isr = d ? reg(d, VIRTIO_INTERRUPT_STATUS) : 0;

		if (isr) {
			set(d, VIRTIO_INTERRUPT_ACK, isr);
			d->interrupts++;
		}
	}
	APIC[0xb0 / 4] = 0; /* EOI */
}

static void set_gate(unsigned vector)
{
	uint64_t at = (uintptr_t)interrupt_entry;

	idt[vector][0] =
		(at & 0xffff) | 8u << 16 | ((at & 0xffff0000) | 0x8e00) << 32;
	idt[vector][1] = at >> 32;
}

/* Pin @pin is level-triggered, active high, and goes to CPU 0. */
static void route(unsigned pin, unsigned vector)
{
	IOAPIC[0] = 0x10 + 2 * pin;
	IOAPIC[4] = vector | 1u << 15;
	IOAPIC[0] = 0x11 + 2 * pin;
	IOAPIC[4] = 0;
}

void interrupts_on(void)
{
	const struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} idtr = { sizeof(idt) - 1, (uintptr_t)idt };

	for (unsigned i = 0; i < ABI_VIRTIO_SLOTS; i++) {
		set_gate(VECTOR + i);
		route(ABI_VIRTIO_IRQ + i, VECTOR + i);
	}
	__asm__ volatile("lidt %0" : : "m"(idtr));
	out8(0x21, 0xff); /* the PICs are masked */
	out8(0xa1, 0xff);
	APIC[0xf0 / 4] = 0x1ff; /* the APIC is on */
	__asm__ volatile("sti");
}

/* What no device answers reads as ones. */
static void find(struct driver *d, enum virtio_id id)
{
	for (d->slot = 0; d->slot < ABI_VIRTIO_SLOTS; d->slot++) {
		d->reg = (volatile uint32_t *)(ABI_VIRTIO_BASE +
					       (uint64_t)d->slot *
						       ABI_VIRTIO_SIZE);
		if (reg(d, VIRTIO_MAGIC_VALUE) == VIRTIO_MAGIC &&
		    reg(d, VIRTIO_VERSION_VALUE) == VIRTIO_VERSION &&
		    reg(d, VIRTIO_DEVICE_ID) == id)
			return;
	}
	want(0, 1, "a device");
}

static void set_address(struct driver *d, enum virtio_register low,
			const volatile void *at)
{
	set(d, low, (uint32_t)(uintptr_t)at);
	set(d, low + 4, 0);
}

static void add_status(struct driver *d, uint32_t bit)
{
	set(d, VIRTIO_STATUS, reg(d, VIRTIO_STATUS) | bit);
	want(reg(d, VIRTIO_STATUS) & bit, 2, "a step to its start");
}

void driver_start(struct driver *d, enum virtio_id id, uint32_t features,
		  struct ring *ring, unsigned queues)
{
	find(d, id);
	set(d, VIRTIO_STATUS, 0);
	add_status(d, VIRTIO_ACKNOWLEDGE);
	add_status(d, VIRTIO_DRIVER);
	set(d, VIRTIO_DRIVER_FEATURES_SEL, 0);
	set(d, VIRTIO_DRIVER_FEATURES, features);
	set(d, VIRTIO_DRIVER_FEATURES_SEL, 1);
	set(d, VIRTIO_DRIVER_FEATURES, VIRTIO_F_VERSION_1 >> 32);
	add_status(d, VIRTIO_FEATURES_OK);
	for (unsigned i = 0; i < queues; i++) {
		set(d, VIRTIO_QUEUE_SEL, i);
		set(d, VIRTIO_QUEUE_NUM, RING);
		set_address(d, VIRTIO_QUEUE_DESC_LOW, ring[i].desc);
		set_address(d, VIRTIO_QUEUE_DRIVER_LOW, &ring[i].avail);
		set_address(d, VIRTIO_QUEUE_DEVICE_LOW, &ring[i].used);
		set(d, VIRTIO_QUEUE_READY, 1);
		want(reg(d, VIRTIO_QUEUE_READY), 3, "a queue");
	}
	driver[d->slot] = d;
	add_status(d, VIRTIO_DRIVER_OK);
}

/* A buffer is in the used ring before its interrupt comes: whoever polls the
 * ring may be here first. One that never comes is the run's --timeout. */
static void await_interrupt(const struct driver *d)
{
	for (;;) {
		__asm__ volatile("cli" : : : "memory");
		if (d->interrupts)
			break;
		__asm__ volatile("sti; hlt");
	}
	__asm__ volatile("sti" : : : "memory");
}

void driver_check(const struct driver *d, uint32_t step)
{
	await_interrupt(d);
	want(!(reg(d, VIRTIO_STATUS) & VIRTIO_NEEDS_RESET), step,
	     "a device's health");
}

void driver_offer(struct ring *r, uint16_t head)
{
	r->avail.ring[r->avail.idx % RING] = head;
	__asm__ volatile("" : : : "memory");
	r->avail.idx++;
}

void driver_kick(const struct driver *d, unsigned n)
{
	d->reg[VIRTIO_QUEUE_NOTIFY / 4] = n;
}

void driver_wait_past(const struct ring *r, uint16_t used)
{
	for (;;) {
		__asm__ volatile("cli" : : : "memory");
		if (r->used.idx != used)
			break;
		__asm__ volatile("sti; hlt");
	}
	__asm__ volatile("sti" : : : "memory");
}

void driver_wait(struct driver *d, unsigned n, const struct ring *r)
{
	uint16_t used;

	driver_kick(d, n);
	while ((used = r->used.idx) != r->avail.idx)
		driver_wait_past(r, used);
}
