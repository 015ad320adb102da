/* SPDX-License-Identifier: MIT */
/*
 * blk.elf: a guest that reads or writes pages of a disk and says how long that
 * took, by twofold as by QEMU's microvm. Its command line is WAY ORDER DEPTH
 * COUNT: "read" or "write", "seq" or "random", how many requests are under way
 * at a time (1 to 16), and how many there are. It polls the used ring, and
 * kicks when the device asks for it (EVENT_IDX), as Linux's driver does.
 */
#include <stdint.h>

#include "devices/virtio_bits.h"
#include "guest/abi.h"
#include "guest/boot/pvh.h"

#define RING	    64u
#define DEPTH	    16u /* of three descriptors each */
#define PAGE	    4096u
#define SECTORS	    8u /* of a page */
#define BUFFERS	    0x800000ul
#define QEMU_BASE   0xfeb00000ul /* microvm's slots of virtio-mmio */
#define QEMU_STRIDE 0x200u
#define QEMU_SLOTS  24u

enum { BLK_IN, BLK_OUT };

void on_interrupt(void);
int main(const struct hvm_start_info *info);

static struct {
	uint32_t type, reserved;
	uint64_t sector;
} header[DEPTH];
static volatile uint8_t status[DEPTH];
static _Alignas(16) struct vq_desc desc[RING];
static struct {
	volatile uint16_t flags, idx;
	uint16_t ring[RING];
	volatile uint16_t used_event;
} avail;
static _Alignas(4) struct {
	volatile uint16_t flags, idx;
	struct vq_used ring[RING];
	volatile uint16_t avail_event;
} used;

static volatile uint32_t *disk;
static uint64_t pages, next; /* of the disk; the next one to be asked for */
static int at_random;

/* Never enabled; start.S wants to call one. */
void on_interrupt(void)
{
}

static void say(const char *text)
{
	for (; *text; text++)
		__asm__ volatile("outb %0, %1"
				 :
				 : "a"(*text), "Nd"((uint16_t)ABI_UART_PORT));
}

static void say_number(uint64_t n)
{
	char digits[21];
	unsigned at = 20;

	digits[at] = 0;
	do
		digits[--at] = (char)('0' + n % 10);
	while (n /= 10);
	say(digits + at);
}

static _Noreturn void end(uint32_t code)
{
	__asm__ volatile("outl %0, %1" : : "a"(code), "Nd"(ABI_EXIT_PORT));
	for (;;)
		;
}

static void want(int good, uint32_t step)
{
	if (!good)
		end(step);
}

static int find(uint64_t base, uint64_t stride, unsigned slots)
{
	for (unsigned i = 0; i < slots; i++) {
		disk = (volatile uint32_t *)(base + i * stride);
		if (disk[VIRTIO_MAGIC_VALUE / 4] == VIRTIO_MAGIC &&
		    disk[VIRTIO_VERSION_VALUE / 4] == VIRTIO_VERSION &&
		    disk[VIRTIO_DEVICE_ID / 4] == VIRTIO_ID_BLK)
			return 1;
	}
	return 0;
}

static void set(enum virtio_register r, uint32_t value)
{
	disk[r / 4] = value;
}

static void set_address(enum virtio_register low, const volatile void *at)
{
	set(low, (uint32_t)(uintptr_t)at);
	set(low + 4, 0);
}

static void add_status(uint32_t bit)
{
	set(VIRTIO_STATUS, disk[VIRTIO_STATUS / 4] | bit);
	want((disk[VIRTIO_STATUS / 4] & bit) != 0, 3);
}

static void start(void)
{
	set(VIRTIO_STATUS, 0);
	add_status(VIRTIO_ACKNOWLEDGE);
	add_status(VIRTIO_DRIVER);
	set(VIRTIO_DRIVER_FEATURES_SEL, 0);
	set(VIRTIO_DRIVER_FEATURES, VIRTIO_F_EVENT_IDX | 1u << 9); /* FLUSH */
	set(VIRTIO_DRIVER_FEATURES_SEL, 1);
	set(VIRTIO_DRIVER_FEATURES, VIRTIO_F_VERSION_1 >> 32);
	add_status(VIRTIO_FEATURES_OK);
	set(VIRTIO_QUEUE_SEL, 0);
	set(VIRTIO_QUEUE_NUM, RING);
	set_address(VIRTIO_QUEUE_DESC_LOW, desc);
	set_address(VIRTIO_QUEUE_DRIVER_LOW, &avail);
	set_address(VIRTIO_QUEUE_DEVICE_LOW, &used);
	set(VIRTIO_QUEUE_READY, 1);
	avail.used_event = 0x8000; /* no interrupt but after so many */
	add_status(VIRTIO_DRIVER_OK);
	pages = disk[VIRTIO_CONFIG / 4] / SECTORS;
}

/* Chain @n, which only its sector tells from what it was before. */
static void prepare(uint16_t n, uint32_t type)
{
	const uint16_t first = (uint16_t)(3 * n), data = first + 1;

	header[n].type = type;
	desc[first] = (struct vq_desc){ (uintptr_t)&header[n],
					sizeof(header[n]), VQ_DESC_NEXT, data };
	desc[data] = (struct vq_desc){
		BUFFERS + n * PAGE, PAGE,
		VQ_DESC_NEXT | (type == BLK_IN ? VQ_DESC_WRITE : 0), data + 1
	};
	desc[data + 1] =
		(struct vq_desc){ (uintptr_t)&status[n], 1, VQ_DESC_WRITE, 0 };
}

static void offer(uint16_t n)
{
	header[n].sector = next % pages * SECTORS;
	next = at_random ? next * 6364136223846793005u + 1442695040888963407u
			 : next + 1;
	avail.ring[avail.idx % RING] = (uint16_t)(3 * n);
	__asm__ volatile("" : : : "memory");
	avail.idx++;
}

/* Section 2.7.10: all since @old were offered. */
static void kick(uint16_t old)
{
	__asm__ volatile("mfence" : : : "memory");
	if ((uint16_t)(avail.idx - used.avail_event - 1) <
	    (uint16_t)(avail.idx - old))
		set(VIRTIO_QUEUE_NOTIFY, 0);
}

/* Keep up to @depth requests under way until @count are done. */
static void work(uint32_t depth, uint32_t count)
{
	uint32_t offered = 0, done = 0;
	uint16_t seen = used.idx, old = avail.idx;

	for (; offered < depth; offered++)
		offer((uint16_t)offered);
	kick(old);
	while (done < count) {
		old = avail.idx;
		for (; seen != used.idx; seen++, done++) {
			uint16_t n =
				(uint16_t)(used.ring[seen % RING].head / 3);

			want(!status[n], 4);
			if (offered++ < count)
				offer(n);
		}
		if (old != avail.idx) {
			avail.used_event = (uint16_t)(seen + 0x8000);
			kick(old);
		}
		__asm__ volatile("pause");
	}
}

static uint64_t ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static const char *after_space(const char *text)
{
	while (*text && *text++ != ' ')
		;
	return text;
}

static uint32_t number(const char *text)
{
	uint32_t n = 0;

	while (*text >= '0' && *text <= '9')
		n = n * 10 + (uint32_t)(*text++ - '0');
	return n;
}

int main(const struct hvm_start_info *info)
{
	const char *way = (const char *)(uintptr_t)info->cmdline_at;
	const char *order = after_space(way), *depth = after_space(order);
	const uint32_t n = number(depth), count = number(after_space(depth));
	uint64_t began;

	want(n && n <= DEPTH && count >= n, 1);
	want(find(ABI_VIRTIO_BASE, ABI_VIRTIO_SIZE, ABI_VIRTIO_SLOTS) ||
		     find(QEMU_BASE, QEMU_STRIDE, QEMU_SLOTS),
	     2);
	start();
	at_random = *order == 'r';
	for (uint16_t i = 0; i < n; i++)
		prepare(i, *way == 'w' ? BLK_OUT : BLK_IN);
	work(n, n); /* what is slow once only */
	began = ticks();
	work(n, count);
	say("blk: ticks ");
	say_number(ticks() - began);
	say("\n");
	end(0);
}
