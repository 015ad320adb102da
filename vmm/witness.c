/* SPDX-License-Identifier: MIT */
#include "vmm/witness.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "devices/lab.h"
#include "ept/deadline.h"
#include "ept/walk.h"
#include "vmm/vm.h"

/* SDM vol. 3A, 4.1.1. */
#define CR0_PG	 (UINT64_C(1) << 31)
#define CR4_LA57 (UINT64_C(1) << 12)
#define EFER_LMA (UINT64_C(1) << 10)

#define HEAR_MS	 1000

void testimony_init(struct testimony *t)
{
	*t = (struct testimony){ .n = 0 };
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->answered, NULL);
}

void testimony_destroy(struct testimony *t)
{
	pthread_cond_destroy(&t->answered);
	pthread_mutex_destroy(&t->lock);
}

static struct vcpu *vcpu_of(struct vm *vm, uint32_t thread)
{
	for (unsigned i = 0; i < vm->vcpus; i++)
		if (atomic_load(&vm->vcpu[i].tid) == thread)
			return &vm->vcpu[i];
	return NULL;
}

#define PID_BITS 24

static void remember(struct witness *w, uint64_t cr3, uint32_t pid)
{
	uint64_t page = (cr3 & pt_x86_64.address) >> PAGE_SHIFT;

	atomic_store(&w->process[page % WITNESS_PROCESSES],
		     page << PID_BITS | (pid & ((1u << PID_BITS) - 1)));
}

bool witness_process(struct witness *w, unsigned i, uint64_t *cr3,
		     uint32_t *pid)
{
	uint64_t process;

	if (i >= WITNESS_PROCESSES)
		return false;
	process = atomic_load(&w->process[i]);
	*cr3 = process >> PID_BITS << PAGE_SHIFT;
	*pid = process & ((1u << PID_BITS) - 1);
	return true;
}

/* The published tables lead to @g from somewhere. */
static void see_published(struct vm *vm, const struct lab_cpu *c, gfn_t g,
			  struct trace_record *who)
{
	struct reverse_hit hit;

	who->how = TRACE_BY_RING;
	who->who.cr3 = c->cr3;
	who->who.pid = c->pid;
	remember(&vm->witness, c->cr3, c->pid);
	if (!reverse_find(vm->witness.reverse, c->cr3, g, (gva_t){ c->gva },
			  &hit))
		return;
	who->how |= TRACE_BY_WALK;
	who->level = (uint8_t)hit.level;
	who->who.gva = hit.gva.v;
}

static void see(void *ctx, uint32_t thread, gfn_t g, struct trace_record *who,
		uint8_t *vcpu)
{
	struct vm *vm = ctx;
	struct vcpu *v = vcpu_of(vm, thread);
	struct lab_cpu c;

	if (!v || !vm->witness.reverse)
		return;
	*vcpu = (uint8_t)(v->index + 1);
	if (vm->lab && lab_cpu(vm->lab, v->index, &c))
		see_published(vm, &c, g, who);
}

/* It answers once it goes on, before it enters the guest; a kick while it is
 * elsewhere has it come by, too. */
static void ask(struct vcpu *v, const struct trace_record *r)
{
	struct testimony *t = &v->testimony;

	pthread_mutex_lock(&t->lock);
	if (!t->gone && t->n < TESTIMONIES) {
		t->asked[t->n++] = (struct testimony_asked){
			.number = r->number,
			.there = r->source == TRACE_SOURCE_THERE,
			.gpa = r->stage2.gpa,
			.over = trace_now(),
		};
		vcpu_kick(v);
	}
	pthread_mutex_unlock(&t->lock);
}

static void part(void *ctx, const struct trace_record *r,
		 const struct trace_record *who)
{
	struct vm *vm = ctx;
	bool untold = vm->lab && !(who->how & TRACE_BY_RING);
	bool wanted = atomic_load(&vm->witness.registers) &&
		      r->source != TRACE_SOURCE_THERE;

	if (r->stage2.vcpu != TRACE_NO_VCPU && (untold || wanted))
		ask(&vm->vcpu[r->stage2.vcpu - 1], r);
}

/* Whoever was asked has answered, or is not asked any more: it may wait for
 * another page, for long. */
static void hear(struct testimony *t, const struct timespec *until)
{
	int r = 0;

	pthread_mutex_lock(&t->lock);
	while ((t->n || t->answering) && !r)
		r = pthread_cond_clockwait(&t->answered, &t->lock,
					   CLOCK_MONOTONIC, until);
	t->n = 0;
	while (t->answering)
		pthread_cond_wait(&t->answered, &t->lock);
	pthread_mutex_unlock(&t->lock);
}

static void end(void *ctx)
{
	const struct timespec until = deadline_in(HEAR_MS);
	struct vm *vm = ctx;

	for (unsigned i = 0; i < vm->vcpus; i++)
		hear(&vm->vcpu[i].testimony, &until);
}

struct stage2_witness witness_of(struct vm *vm)
{
	return (struct stage2_witness){ see, part, end, vm };
}

int witness_begin(struct vm *vm, bool registers)
{
	atomic_store(&vm->witness.registers, registers);
	if (!vm->witness.reverse)
		vm->witness.reverse = reverse_new(vm->stage2);
	return vm->witness.reverse ? 0 : -ENOMEM;
}

void witness_destroy(struct vm *vm)
{
	reverse_free(vm->witness.reverse);
}

/* From the tables in @s; while paging is off, a gva is a gpa. */
static void find_gva(struct vm *vm, const struct kvm_sregs *s, uint64_t gpa,
		     struct trace_record *r)
{
	struct reverse_hit hit;

	if (!(s->cr0 & CR0_PG)) {
		r->how |= TRACE_BY_IDENTITY;
		r->registers.gva = gpa;
	} else if ((s->efer & EFER_LMA) && !(s->cr4 & CR4_LA57) &&
		   reverse_find(vm->witness.reverse, s->cr3,
				gfn_of((gpa_t){ gpa }), (gva_t){ 0 }, &hit)) {
		r->how |= TRACE_BY_WALK;
		r->level = (uint8_t)hit.level;
		r->registers.gva = hit.gva.v;
	}
}

static void testify(struct vcpu *v, const struct testimony_asked *a,
		    uint64_t now)
{
	struct trace_record r = {
		.tsc = now,
		.kind = TRACE_REGISTERS,
		.how = TRACE_BY_REGISTERS,
		.number = a->number,
		.registers.gva = TRACE_NOWHERE,
		.registers.wake = (uint32_t)(now - a->over),
	};
	struct kvm_sregs s;
	struct kvm_regs regs;

	if (ioctl(v->fd, KVM_GET_REGS, &regs) ||
	    ioctl(v->fd, KVM_GET_SREGS, &s))
		return;
	r.registers.cr3 = s.cr3;
	if (s.efer & EFER_LMA)
		remember(&v->vm->witness, s.cr3, 0);
	r.registers.rip = a->there ? TRACE_NOWHERE : regs.rip;
	r.registers.ring = s.ss.dpl;
	find_gva(v->vm, &s, a->gpa, &r);
	stage2_trace_more(v->vm->stage2, &r);
}

void witness_testify(struct vcpu *v)
{
	struct testimony *t = &v->testimony;
	struct testimony_asked asked[TESTIMONIES];
	uint64_t now = trace_now();
	unsigned n;

	if (!atomic_load_explicit(&t->n, memory_order_relaxed))
		return;
	pthread_mutex_lock(&t->lock);
	n = t->n;
	memcpy(asked, t->asked, n * sizeof(asked[0]));
	t->n = 0;
	t->answering = true;
	pthread_mutex_unlock(&t->lock);
	for (unsigned i = 0; i < n; i++)
		testify(v, &asked[i], now);
	pthread_mutex_lock(&t->lock);
	t->answering = false;
	pthread_cond_broadcast(&t->answered);
	pthread_mutex_unlock(&t->lock);
}

void witness_leave(struct vcpu *v)
{
	pthread_mutex_lock(&v->testimony.lock);
	v->testimony.gone = true;
	pthread_mutex_unlock(&v->testimony.lock);
	witness_testify(v);
}
