/* SPDX-License-Identifier: MIT */
/*
 * A virtual machine: KVM's part, guest memory, devices, vCPUs, and how it
 * ends. The first cause to end it wins; whoever waits is told through an
 * eventfd.
 */
#ifndef VMM_VM_H
#define VMM_VM_H

#include <pthread.h>
#include <stdatomic.h>

#include "devices/bus.h"
#include "devices/iommu.h"
#include "devices/virtio.h"
#include "ept/stage2.h"
#include "guest/abi.h"
#include "vmm/boot.h"
#include "vmm/explain.h"
#include "vmm/options.h"
#include "vmm/share.h"
#include "vmm/slo.h"
#include "vmm/status.h"
#include "vmm/vm_trace.h"
#include "vmm/witness.h"

enum vm_end {
	VM_RUNNING,
	VM_EXIT, /* the guest said so, with a status */
	VM_POWEROFF, /* it switched its machine off */
	VM_REBOOT, /* it wants to start again, which is an end, too */
	VM_TIMEOUT,
	VM_CRASH, /* triple fault, emulation failure */
	VM_STOPPED, /* by a signal or the control API */
	VM_FAILED /* we cannot go on */
};

/* The registers that say how a vCPU translates. */
struct vcpu_paging {
	uint64_t cr0, cr3, cr4, efer;
};

struct vcpu {
	struct vm *vm;
	unsigned index;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	bool started; /* its thread exists and is not joined; vm->lock */
	bool idle; /* not in KVM_RUN; vm->lock */
	bool asked; /* somebody waits for: */
	struct vcpu_paging paging; /* vm->lock */
	_Atomic uint32_t tid; /* of its thread */
	struct testimony testimony;
};

/* A virtio device and where it is: vmm/virtio_slots.c. */
struct virtio_slot {
	struct vm *vm;
	unsigned number;
	struct virtio *device;
	const char *name; /* of its kind */
};

struct vm {
	const struct run_options *options;
	int kvm, fd; /* /dev/kvm and the VM */
	size_t run_bytes; /* of a vCPU's shared kvm_run */
	struct ram ram;
	struct shares shares;
	_Atomic uint64_t share_writes; /* of the guest: ignored */
	struct stage2 *stage2;
	_Atomic unsigned audits; /* of a test build, beside the guest */
	struct swap *swap;
	struct tier *tier[SWAP_TIERS]; /* swap's, each fit for tier_inject */
	struct vm_trace trace;
	struct witness witness;
	struct events *events; /* NULL: no memory for them */
	struct bus ports, mmio;
	struct device *uart, *rtc, *lab, *dma; /* also on their bus */
	struct virtio *balloon; /* NULL: none; also in a slot */
	uint64_t balloon_back; /* pages the guest had read back, last time */
	struct iommu *iommu; /* also behind a slot */
	struct virtio_slot slot[ABI_VIRTIO_SLOTS];
	unsigned slots; /* in use, the first ones */
	struct virtio *console; /* in one of them: */
	unsigned console_slot;
	struct vcpu vcpu[MAX_CPUS];
	unsigned vcpus;
	uint64_t tsc_hz;
	int64_t start_us; /* clock_us */
	_Atomic uint64_t first_exit_us; /* since start_us; 0: none yet */

	pthread_mutex_t lock;
	pthread_cond_t changed; /* paused, idle or end */
	uint64_t operator_cap; /* bytes: what --resident or ctl said last */
	struct slo slo; /* --mem-slo; lock */
	uint64_t slo_stalled_us; /* PSI's total at its last step, and when */
	int64_t slo_us;
	bool wants_lab; /* the image asks for the lab device */
	bool paused;
	char pause_reason[160];
	enum vm_end end;
	int status; /* exit status of run, once ended */
	_Atomic uint64_t progress; /* as its programs reported */
	_Atomic uint64_t mmio_exits; /* to devices' registers */
	int ended; /* eventfd: readable once end is set */
	int room; /* eventfd: the console takes input again */
};

/* KVM, memory, devices, boot data. False: one line in *why, nothing stays. */
bool vm_create(struct vm *vm, const struct run_options *o,
	       const struct image *image, struct complaint *why);
/* After vm_stop. */
void vm_destroy(struct vm *vm);

/* Start the vCPU threads. 0 or -errno. */
int vm_start(struct vm *vm);
/* End the run; the first call counts. Any thread. */
void vm_end(struct vm *vm, enum vm_end end, int status);
bool vm_ended(struct vm *vm);
/* As reports call it; "" while the VM runs. */
const char *vm_end_name(enum vm_end end);
/* After vm_end: have every vCPU thread leave the guest for good. One that waits
 * for a page that cannot come is left behind after 1 s, until vm_stop. */
void vm_quiesce(struct vm *vm);
/* Then, when nobody controls the VM any more: end stage 2's threads and every
 * vCPU's. From here on nothing counts or traces. */
void vm_stop(struct vm *vm);
/* Stop every vCPU at its next exit; does not wait. @reason is one line. */
void vm_pause(struct vm *vm, const char *reason);
void vm_resume(struct vm *vm);
/* Have all vCPUs left the guest? Waits up to @timeout_ms. */
bool vm_wait_idle(struct vm *vm, unsigned timeout_ms);

/*
 * vm_suspend.c: ACPI's S3, for kvm-unit-tests: on the thread of vCPU 0 until the
 * real-time clock's alarm, then that vCPU goes on where the FACS says, in real
 * mode. The others, the local APICs and the devices stay as the guest left
 * them. Without --kut, on another vCPU or without an alarm: nothing.
 */
void vm_suspend(struct vm *vm);

/* vm_memory.c: its trace, swap and stage2, by the options; @im is its file.
 * False: one line in *why; what was made is vm_destroy's. */
bool vm_make_memory(struct vm *vm, const struct image *im,
		    struct complaint *why);

/* A test build says on stderr how many audits it made, if any. */
void vm_tell_audits(const struct vm *vm);

/* End all that is injected: who waits by it goes on. */
void vm_inject_nothing(struct vm *vm);

/* The @i-th range of guest memory, RAM's first. False: there are fewer. */
bool vm_range(const struct vm *vm, unsigned i, struct ram_range *r);

/* machine.c: the devices, in one visible list. False: one line in *why. */
bool machine_wire(struct vm *vm, struct complaint *why);

/* Bytes that the guest sends to a console: to stdout, in order; waits for it. */
void machine_output(void *vm, const uint8_t *bytes, size_t len);
/* Bytes for the console of --console; how many it took. When it did not take
 * all of them, and has room again: vm->room. */
size_t machine_input(struct vm *vm, const uint8_t *bytes, size_t len);
void machine_room(void *vm);
/* virtio_slots.c: its second part, virtio devices. False: one line in *why. */
bool virtio_wire(struct vm *vm, struct complaint *why);

/* vcpu.c. 0 or -errno. */
int vcpu_create(struct vcpu *v);
void vcpu_destroy(struct vcpu *v);
/* Put vCPU 0 where the image wants to begin. 0 or -errno. */
int vcpu_set_entry(struct vcpu *v, const struct boot_cpu *b);
int vcpu_start(struct vcpu *v);
/* Make it leave KVM_RUN soon. Any thread. */
void vcpu_kick(struct vcpu *v);
/* Ask it, at its next exit, which is caused; at most @timeout_ms. Any thread but
 * its own. False: it did not answer. */
bool vcpu_ask_paging(struct vcpu *v, struct vcpu_paging *to,
		     unsigned timeout_ms);
/* Do they say 4-level tables? vm_explain.c. */
bool vcpu_paging_is_4_level(const struct vcpu_paging *p);
/* CR3 of the vCPU whose exit the calling thread is handling. */
bool vcpu_current_cr3(uint64_t *cr3);

/* status.c's input, and what the control API may do. */
void vm_status(struct vm *vm, struct status *st);
struct vm_control vm_control(struct vm *vm);
/* vm_slo.c: a step of --mem-slo; to be called every SLO_STEP_MS. */
void vm_slo_step(struct vm *vm);

/* vm_balloon.c: a step of --balloon auto, every BALLOON_AUTO_STEP_MS. */
void vm_balloon_step(struct vm *vm);
/* vm_explain.c: how @address is translated right now. False: one line in
 * *why. */
bool vm_explain(struct vm *vm, const char *address, struct explain *e,
		struct complaint *why);
/* vm_attribute.c: whose memory it is. False: one line in *why. */
bool vm_attribute(struct vm *vm, struct attribution *a, struct complaint *why);
/* The cap that the operator set last, bytes; the guest may only go below. */
uint64_t vm_operator_cap(struct vm *vm);

/* lab_host.c: what the lab device may ask. */
struct lab_host;
void vm_lab_host(struct vm *vm, struct lab_host *host);

#endif
