/* SPDX-License-Identifier: MIT */
/* Making a VM and unmaking it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ept/guest_mem.h"
#include "vmm/boot.h"
#include "vmm/clock.h"
#include "vmm/events.h"
#include "vmm/machine_check.h"
#include "vmm/msr_filter.h"
#include "vmm/pic.h"
#include "vmm/vm.h"

/* Pages that KVM needs on Intel for itself, between RAM and the APICs. */
#define IDENTITY_MAP 0xfffbc000u
#define TASK_STATE   0xfffbd000u

/* The TSC's rate as KVM knows it, for traces and the guest. */
static uint64_t tsc_hz(int vm_fd)
{
	int khz = ioctl(vm_fd, KVM_GET_TSC_KHZ, 0);

	return khz > 0 ? (uint64_t)khz * 1000 : 0;
}

static bool open_kvm(struct vm *vm, struct complaint *why)
{
	int run_bytes;

	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		return complaint_set(why, "/dev/kvm: %s", strerror(errno));
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		return complaint_set(why, "KVM_CREATE_VM: %s", strerror(errno));
	run_bytes = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (run_bytes < (int)sizeof(struct kvm_run))
		return complaint_set(why, "KVM_GET_VCPU_MMAP_SIZE: %s",
				     strerror(errno));
	vm->run_bytes = (size_t)run_bytes;
	vm->tsc_hz = tsc_hz(vm->fd);
	return true;
}

bool vm_range(const struct vm *vm, unsigned i, struct ram_range *r)
{
	const struct shares *s = &vm->shares;

	if (i < vm->ram.ranges) {
		*r = vm->ram.range[i];
		return true;
	}
	i -= vm->ram.ranges;
	if (i >= s->n)
		return false;
	*r = (struct ram_range){ s->file[i].base, s->file[i].bytes };
	return true;
}

/* Memory slots first: each change after the irqchip exists costs KVM a grace
 * period, 4 to 10 ms. */
static bool add_memory(struct vm *vm, struct complaint *why)
{
	struct ram_range r;

	for (unsigned i = 0; vm_range(vm, i, &r); i++) {
		struct kvm_userspace_memory_region slot = {
			.slot = i,
			.flags = i < vm->ram.ranges ? 0 : KVM_MEM_READONLY,
			.guest_phys_addr = r.base.v,
			.memory_size = r.bytes,
			.userspace_addr = (uintptr_t)stage2_host(
				vm->stage2, gfn_of(r.base)),
		};

		if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot))
			return complaint_set(why, "KVM memory slot: %s",
					     strerror(errno));
	}
	return true;
}

static bool add_irqchip(struct vm *vm, const struct image *im,
			struct complaint *why)
{
	uint64_t identity = IDENTITY_MAP;

	ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	ioctl(vm->fd, KVM_SET_TSS_ADDR, TASK_STATE);
	if (ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0))
		return complaint_set(why, "KVM_CREATE_IRQCHIP: %s",
				     strerror(errno));
	return im->protocol != BOOT_MULTIBOOT || pic_begin(vm->fd) ||
	       complaint_set(why, "KVM_SET_IRQCHIP: %s", strerror(errno));
}

/*
 * With HLT exits KVM hands faults to kernel workers (asynchronous page faults,
 * kvm_can_do_async_pf), which costs the bundled guest more than it gives: a
 * vCPU that waits for its page has nothing else to do, and its thread is no
 * longer known. Others, which may have several tasks and be idle for long,
 * must give the CPU back when they halt.
 */
static void keep_faults_synchronous(struct vm *vm)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_DISABLE_EXITS,
				      .args = { KVM_X86_DISABLE_EXITS_HLT } };

	ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
}

static bool add_vcpus(struct vm *vm, struct complaint *why)
{
	if (vm->wants_lab)
		keep_faults_synchronous(vm);
	msr_filter_set(vm->fd);
	for (unsigned i = 0; i < vm->options->cpus; i++) {
		struct vcpu *v = &vm->vcpu[i];
		int r;

		*v = (struct vcpu){ .vm = vm, .index = i };
		r = vcpu_create(v);
		if (r)
			return complaint_set(why, "vCPU %u: %s", i,
					     strerror(-r));
		vm->vcpus++;
	}
	return true;
}

static bool write_guest(void *ctx, gpa_t at, const void *from, size_t len)
{
	return guest_write(ctx, at, from, len);
}

static bool write_boot(struct vm *vm, const struct image *im,
		       struct complaint *why)
{
	const struct boot_config c = {
		.ram = &vm->ram,
		.shares = &vm->shares,
		.image = im,
		.cmdline = vm->options->cmdline,
		.cpus = vm->vcpus,
		.tsc_hz = vm->tsc_hz,
		.lab = vm->wants_lab,
		.suspend = vm->options->kut,
		.virtio = vm->slots,
		.disks = vm->options->disks,
		.console = vm->options->console == CONSOLE_VIRTIO
				   ? vm->console_slot + 1
				   : 0,
	};
	const struct boot_memory m = { write_guest, vm->stage2 };
	struct boot_cpu cpu;
	int r;

	if (!boot_write(&c, m, &cpu, why))
		return false;
	r = vcpu_set_entry(&vm->vcpu[0], &cpu);
	return !r || complaint_set(why, "vCPU state: %s", strerror(-r));
}

static void ignore_signal(int sig)
{
	(void)sig;
}

bool vm_create(struct vm *vm, const struct run_options *o,
	       const struct image *im, struct complaint *why)
{
	struct sigaction kick = { .sa_handler = ignore_signal };

	*vm = (struct vm){
		.options = o,
		.kvm = -1,
		.fd = -1,
		.ram = ram_layout(o->memory_bytes),
		.start_us = clock_us(),
		.operator_cap = o->resident_bytes,
		.slo = { .target = o->slo_stall, .cap = o->resident_bytes },
		.wants_lab = im->lab,
		.ports.name = "port",
		.mmio.name = "mmio",
		.trace.fd = -1,
		.ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.room = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.events = events_create(),
	};
	pthread_mutex_init(&vm->lock, NULL);
	pthread_cond_init(&vm->changed, NULL);
	sigaction(SIGUSR1, &kick, NULL);
	machine_check_catch();
	if (open_kvm(vm, why) && vm_make_memory(vm, im, why) &&
	    add_memory(vm, why) && add_irqchip(vm, im, why) &&
	    add_vcpus(vm, why) && machine_wire(vm, why) &&
	    vm_trace_begin(vm, why) && write_boot(vm, im, why))
		return true;
	vm_stop(vm);
	vm_destroy(vm);
	return false;
}

void vm_destroy(struct vm *vm)
{
	vm_trace_end(vm);
	bus_destroy(&vm->mmio);
	bus_destroy(&vm->ports);
	while (vm->vcpus)
		vcpu_destroy(&vm->vcpu[--vm->vcpus]);
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->kvm >= 0)
		close(vm->kvm);
	if (vm->stage2) {
		stage2_destroy(vm->stage2);
		vm_tell_audits(vm);
	}
	shares_close(&vm->shares);
	swap_destroy(vm->swap);
	events_destroy(vm->events);
	close(vm->ended);
	close(vm->room);
	pthread_cond_destroy(&vm->changed);
	pthread_mutex_destroy(&vm->lock);
}
