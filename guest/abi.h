/* SPDX-License-Identifier: MIT */
/*
 * The contract between twofold and its bundled guest: ports, MMIO bases and
 * the structures both sides read. Everything here is little-endian, naturally
 * aligned and free of pointers; an address is guest-physical unless it says
 * otherwise. Nothing else is shared between the two sides.
 *
 * Boot: PVH (32-bit protected mode, paging off, EBX = struct hvm_start_info).
 * The PVH module whose command line is "fdt" is the device tree. Without one
 * (under QEMU) the guest uses the PVH memory map, COM1 and its command line.
 * A tree whose root is compatible with ABI_FDT_COMPATIBLE promises one thing
 * more: RAM that nobody has written yet reads as zeros.
 */
#ifndef GUEST_ABI_H
#define GUEST_ABI_H

#include <stdint.h>

#define ABI_FDT_MODULE	   "fdt"
#define ABI_FDT_COMPATIBLE "twofold,vm"

/* An image that carries this ELF note gets the lab device; no other does. */
#define ABI_NOTE_NAME "twofold"
#define ABI_NOTE_LAB  1

/* Device tree "compatible" strings of the devices below. */
#define ABI_FDT_UART   "ns16550a"
#define ABI_FDT_EXIT   "twofold,exit"
#define ABI_FDT_LAB    "twofold,lab"
#define ABI_FDT_DMA    "twofold,dma"
#define ABI_FDT_VIRTIO "virtio,mmio"
#define ABI_FDT_IOAPIC "intel,ce4100-ioapic"

/* Ports. A 32-bit out to the exit port ends the run with that status. */
#define ABI_UART_PORT  0x3f8
#define ABI_UART_PORTS 8
#define ABI_UART_IRQ   4
#define ABI_RTC_PORT   0x70
#define ABI_RTC_PORTS  2
#define ABI_EXIT_PORT  0xf4
#define ABI_EXIT_PORTS 4

/* Of every PC. */
#define ABI_IOAPIC_BASE 0xfec00000u

/* RAM fills [0, 3 GiB) and goes on at 4 GiB; MMIO lies between. */
#define ABI_MMIO_BASE 0xc0000000u
#define ABI_MMIO_END  0x100000000ull

/*
 * Devices on the MMIO bus beside the lab device. Their interrupts are
 * level-triggered lines of the IOAPIC. A virtio device (virtio 1.2, 4.2) has
 * the slot, and so the address and the line, of its turn in the machine's list.
 */
#define ABI_DMA_BASE	 0xd0001000u
#define ABI_DMA_SIZE	 0x1000u
#define ABI_DMA_IRQ	 5
#define ABI_VIRTIO_BASE	 0xd0010000u
#define ABI_VIRTIO_SIZE	 0x1000u
#define ABI_VIRTIO_SLOTS 12
#define ABI_VIRTIO_IRQ	 10

/*
 * The DMA engine: moves, fills and sums up memory while the CPU does something
 * else. One page of 64-bit registers, accessed as naturally aligned 64-bit
 * words; any other access reads 0 or does nothing.
 *
 * The guest lays descriptors into a ring of its own memory and says by
 * DMA_HEAD how many there are; the engine works on them in order, writes the
 * last eight bytes of each when it is done, and says by DMA_TAIL how many are.
 * Both count for ever; the ring is indexed modulo its size. A descriptor is
 * read when its turn comes.
 *
 * Addresses are the device's, the ring's among them: guest-physical, or, while
 * the guest has attached ABI_DMA_ENDPOINT to a domain of the IOMMU, translated
 * by that. They must
 * lie below 2^DMA_BITS: 24 after reset, as with the PC's first engines; who
 * has memory above 16 MiB may say so.
 */
#define ABI_DMA_ID	 0x31414d444c4f4654ull /* "TFOLDMA1" */
#define ABI_DMA_ENDPOINT 1 /* its number at the IOMMU */
#define DMA_RING_MAX	 65536 /* descriptors */

enum dma_register {
	DMA_ID = 0x00, /* ro: ABI_DMA_ID */
	/* These three can be written while the engine is not running. */
	DMA_BITS = 0x08, /* rw: how wide addresses are: 24, 32 or 64 */
	DMA_RING = 0x10, /* rw: where the ring lies, a multiple of 32 */
	DMA_RING_SIZE = 0x18, /* rw: descriptors: a power of two */
	/* rw: descriptors handed over so far, 32 bits; ignored when that makes
	 * more than the ring holds */
	DMA_HEAD = 0x20,
	DMA_TAIL = 0x28, /* ro: descriptors done so far, 32 bits */
	DMA_CONTROL = 0x30, /* rw: enum dma_control */
	DMA_STATE = 0x38, /* ro: enum dma_state */
	DMA_PROGRESS = 0x40, /* ro: bytes done of descriptor DMA_TAIL */
	/* r: 1 while the interrupt line is up; w: anything lowers it */
	DMA_IRQ = 0x48,
	/* rw: bytes a millisecond at most, so that others have their part of
	 * memory's bandwidth; 0: no limit */
	DMA_PACE = 0x50
};

enum dma_control {
	/* Cleared, the engine stops within one page, where it is, and goes on
	 * there when set again. */
	DMA_RUN = 1,
	DMA_RESET = 2 /* all registers as after power-on, the line lowered */
};

enum dma_state {
	/* It has work, or has not yet stopped. Until this is clear nothing that
	 * was handed over may be used otherwise. */
	DMA_BUSY = 1,
	/* The ring could not be read or written: the engine has stopped itself
	 * and raised its line. Setting DMA_RUN tries again. */
	DMA_RING_ERROR = 2
};

enum dma_operation {
	DMA_COPY = 1, /* source to target, in ascending order */
	DMA_FILL = 2, /* eight bytes, the value of source, over and over */
	/* result: the Internet checksum (RFC 1071) of the bytes at source, as
	 * it lies in memory */
	DMA_CHECKSUM = 3
};

enum dma_flag {
	DMA_INTERRUPT = 1, /* raise the line when this one is done */
	/* The checksum goes on in the next descriptor, if that is one too;
	 * result is that of all bytes so far. */
	DMA_MORE = 2
};

enum dma_status {
	DMA_PENDING = 0, /* what the guest should write there */
	DMA_DONE = 1,
	DMA_BAD_REQUEST = 2, /* operation, flags or bytes are unknown */
	DMA_BAD_ADDRESS = 3, /* no RAM, or beyond DMA_BITS */
	DMA_REFUSED = 4, /* by the IOMMU, which has a fault record */
	DMA_POISONED = 5, /* memory that has failed */
	DMA_NO_MEMORY = 6 /* the hypervisor cannot have the page now */
};

/* An error ends its descriptor only; bytes before it may have been moved, in
 * whole pieces from one page border to the next. */
struct dma_descriptor {
	uint64_t source, target;
	uint32_t bytes; /* 1 .. DMA_BYTES_MAX */
	uint16_t operation; /* enum dma_operation */
	uint16_t flags; /* enum dma_flag */
	/* written by the engine, in one piece: */
	uint32_t status; /* enum dma_status */
	uint32_t result;
};

#define DMA_BYTES_MAX (16u << 20)

/*
 * The lab device: the guest's window on stage 2. One page of 64-bit registers,
 * accessed as naturally aligned 64-bit words.
 *
 *   write ARG0, ARG1, then CMD; the command has run when the write returns;
 *   read STATUS (0, or a positive Linux errno) and RESULT.
 */
#define ABI_LAB_BASE 0xd0000000u
#define ABI_LAB_SIZE 0x1000u
#define ABI_LAB_ID   0x314241444c4f4654ull /* "TFOLDAB1" */

enum lab_register {
	LAB_ID = 0x00, /* ro: ABI_LAB_ID */
	LAB_ARG0 = 0x08, /* rw */
	LAB_ARG1 = 0x10, /* rw */
	LAB_CMD = 0x18, /* wo: enum lab_command */
	LAB_STATUS = 0x20, /* ro: 0 or errno of the last command */
	LAB_RESULT = 0x28 /* ro: result of the last command */
};

enum lab_command {
	/* fill the struct lab_counters at gpa ARG0 */
	LAB_COUNTERS = 1,
	/* move the page at gpa ARG0 out to swap (a clean or zero page costs no
	 * write); RESULT = its enum lab_state afterwards; EBUSY if pinned */
	LAB_EVICT = 2,
	/* drop the page at gpa ARG0 from the second stage, keep its bytes */
	LAB_UNMAP = 3,
	/* RESULT = enum lab_state of the page at gpa ARG0 */
	LAB_STATE = 4,
	/* lower the resident cap to ARG0 bytes (0 restores the operator's);
	 * returns when it holds; RESULT = the cap in force, in bytes */
	LAB_RESIDENT = 5,
	/* walk the gva ARG0 through this vCPU's tables and stage 2;
	 * fill the struct lab_walk at gpa ARG1 */
	LAB_WALK = 6,
	/* the struct lab_ring at gpa ARG0, aligned to a page, is where stage-1
	 * faults go, when they are wanted; their number and who runs are
	 * published there */
	LAB_RING = 7,
	/* take all records out of the ring (the guest's ring is full) */
	LAB_DRAIN = 8,
	/* the balloon is to have ARG0 pages, and its driver to say how the
	 * guest is; ENODEV without one */
	LAB_BALLOON = 9,
	/* a program has done ARG0 more of whatever it counts: its throughput,
	 * for who watches the machine under pressure */
	LAB_PROGRESS = 10
};

/* Where a page is, as DESIGN names the states. */
enum lab_state {
	LAB_HOLE = 0, /* no RAM there */
	LAB_ABSENT, /* never touched, or given back: the pager will fill it */
	LAB_ARRIVING,
	LAB_MAPPED,
	LAB_UNMAPPED, /* bytes in memory, no second-stage mapping */
	LAB_LEAVING,
	LAB_STORED, /* in swap */
	LAB_POISONED
};

/* The hypervisor's counters, named as in --stats. */
struct lab_counters {
	uint64_t missing, minor; /* stage-2 faults by kind */
	uint64_t zero_filled, file_filled;
	uint64_t swapped_in, swapped_out;
	uint64_t clean_dropped, zero_elided, mapped_ahead;
	uint64_t memory_bytes;
	uint64_t resident_bytes, resident_limit_bytes, resident_peak_bytes;
	uint64_t mmio_exits; /* accesses to device registers that it answered */
	uint64_t stalled_us; /* time in which some vCPU waited for a page */
	/* What the balloon's driver has said last; LAB_BALLOON asks it anew. */
	uint64_t balloon_pages, guest_free_bytes;
};

/*
 * The two-dimensional walk, reference by reference. For each of the guest's
 * levels the hardware first walks stage 2 to find the table page (stage 2
 * references), then reads the guest entry (one stage 1 reference); last it
 * walks stage 2 for the data page. 4 KiB on 4 KiB: 4 * (4 + 1) + 4 = 24.
 */
#define LAB_WALK_REFS 48

struct lab_ref {
	uint32_t stage; /* 1: guest entry, 2: second-stage entry */
	uint32_t level; /* 4 (root) .. 1 */
	uint64_t gpa; /* stage 1: where the entry lies; 2: what it maps */
	uint64_t entry; /* its value; of a second-stage table without address */
};

struct lab_walk {
	uint64_t gva;
	uint64_t gpa; /* meaningful when found */
	uint32_t found; /* 1: both stages are present all the way */
	uint32_t refs; /* used part of ref[] */
	struct lab_ref ref[LAB_WALK_REFS];
};

/*
 * Stage-1 faults: a ring the guest's kernel fills and the hypervisor empties
 * on LAB_DRAIN and at the end of the run. It lies in physically contiguous
 * guest memory. Indices count records for ever and are taken modulo size, a
 * power of two; the guest must LAB_DRAIN before head - tail exceeds size.
 */
enum lab_fault_kind {
	LAB_FAULT_DEMAND_ZERO = 1, /* anonymous memory, first touch */
	LAB_FAULT_DEMAND_FILE, /* program text or data, first touch */
	LAB_FAULT_COW,
	LAB_FAULT_STACK,
	LAB_FAULT_KERNEL, /* the kernel's own demand mapping */
	LAB_FAULT_REFUSED, /* no such page or no right: the access is an error */
	LAB_FAULT_SWAP_IN /* was in the guest's own swap */
};

struct lab_fault {
	uint64_t tsc; /* at entry of the handler */
	uint64_t gva, rip, cr3;
	uint32_t error; /* the page-fault error code */
	uint32_t pid;
	uint32_t kind; /* enum lab_fault_kind */
	uint32_t ticks; /* TSC ticks to handle it, saturated */
	uint64_t reserved[2];
};

/* Who runs on a CPU, told by the guest's kernel at each switch, so that a
 * stage-2 fault can be attributed. */
struct lab_cpu {
	uint64_t cr3; /* 0: nothing was told yet */
	uint64_t gva; /* of the last stage-1 fault that was wanted */
	uint32_t pid; /* 0: the kernel's own */
	uint32_t reserved[11];
};

#define LAB_CPUS 8 /* by the number of their local APIC */

struct lab_ring {
	uint32_t size; /* records, a power of two, at most 1024 */
	uint32_t head; /* written by the guest */
	uint32_t tail; /* written by the hypervisor */
	uint32_t wanted; /* by the hypervisor: 1 when records are wanted */
	uint64_t faults; /* by the guest: all so far, recorded or not */
	uint32_t reserved[10];
	struct lab_cpu cpu[LAB_CPUS];
	struct lab_fault fault[];
};

#endif
