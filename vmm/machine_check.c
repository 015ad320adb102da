/* SPDX-License-Identifier: MIT */
#include "vmm/machine_check.h"

#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "vmm/vm.h"

/* SDM vol. 3B, 16.3: IA32_MCG_CAP, IA32_MCG_STATUS, IA32_MCi_STATUS. */
#define MCG_SER_P     (UINT64_C(1) << 24) /* can recover from errors */
#define MCG_EIPV      (UINT64_C(1) << 1) /* the saved rip is the access */
#define MCG_MCIP      (UINT64_C(1) << 2) /* a machine check is under way */
#define MCI_VALID     (UINT64_C(1) << 63)
#define MCI_UC	      (UINT64_C(1) << 61) /* not corrected */
#define MCI_ENABLED   (UINT64_C(1) << 60)
#define MCI_MISC_V    (UINT64_C(1) << 59)
#define MCI_ADDR_V    (UINT64_C(1) << 58)
#define MCI_S	      (UINT64_C(1) << 56) /* signalled by machine check */
#define MCI_AR	      (UINT64_C(1) << 55) /* action required */
#define MCI_LOAD      0x134 /* a load of data found it (16.9.3.2) */
#define MISC_PHYSICAL (UINT64_C(2) << 6) /* the address is a physical one */
#define MISC_PAGE     12 /* and good to that bit */
#define CR4_MCE	      (UINT64_C(1) << 6)

#define BANKS	      10
#define BANK	      9

/* The host address of the poisoned page this thread has touched; 0: none. */
static _Thread_local volatile uintptr_t touched;

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code == BUS_MCEERR_AR)
		touched = (uintptr_t)info->si_addr;
	else
		signal(sig, SIG_DFL); /* the access is repeated, and fatal */
}

void machine_check_catch(void)
{
	struct sigaction a = { .sa_sigaction = on_sigbus,
			       .sa_flags = SA_SIGINFO };

	sigaction(SIGBUS, &a, NULL);
}

int machine_check_setup(struct vcpu *v)
{
	uint64_t cap = MCG_SER_P | BANKS;

	return ioctl(v->fd, KVM_X86_SETUP_MCE, &cap) ? -errno : 0;
}

/* The guest address of what lies at the host's @hva. False: no RAM. */
static bool gpa_of_host(struct vm *vm, uintptr_t hva, gpa_t *at)
{
	struct ram_range r;

	for (unsigned i = 0; vm_range(vm, i, &r); i++) {
		uintptr_t from =
			(uintptr_t)stage2_host(vm->stage2, gfn_of(r.base));

		if (hva - from >= r.bytes)
			continue;
		at->v = r.base.v + (hva - from);
		return true;
	}
	return false;
}

/* Has the guest an interest? KVM would make it a triple fault else. */
static bool takes_machine_checks(struct vcpu *v)
{
	struct kvm_sregs s;

	return !ioctl(v->fd, KVM_GET_SREGS, &s) && (s.cr4 & CR4_MCE);
}

static bool inject(struct vcpu *v, gpa_t at)
{
	struct kvm_x86_mce check = {
		.status = MCI_VALID | MCI_UC | MCI_ENABLED | MCI_MISC_V |
			  MCI_ADDR_V | MCI_S | MCI_AR | MCI_LOAD,
		.addr = at.v,
		.misc = MISC_PHYSICAL | MISC_PAGE,
		.mcg_status = MCG_MCIP | MCG_EIPV,
		.bank = BANK,
	};

	return takes_machine_checks(v) &&
	       !ioctl(v->fd, KVM_X86_SET_MCE, &check);
}

void machine_check_deliver(struct vcpu *v)
{
	uintptr_t hva = touched;
	char text[96];
	gpa_t at;

	if (!hva)
		return;
	touched = 0;
	if (!gpa_of_host(v->vm, hva, &at) || inject(v, at))
		return;
	snprintf(text, sizeof(text),
		 "gpa %#llx is lost, and the guest takes no machine checks",
		 (unsigned long long)at.v);
	fprintf(stderr, "twofold: paused: %s\n", text);
	vm_pause(v->vm, text);
}
