/* SPDX-License-Identifier: MIT */
/*
 * raw_kvm BACKING HANDLER ORDER PAGES [idle=poll] [async=on]
 *
 * The least that a VMM can do, to measure ours against: one vCPU in ring 3
 * touches PAGES pages of 4 KiB once, in ORDER (seq, random). BACKING is who
 * gives them: anon (the kernel), copy or continue (userfaultfd, one fault, one
 * ioctl), ahead (nobody: they were given before, 64 an ioctl, so that KVM's own
 * tables are all that is filled). HANDLER is where that thread runs: same (the
 * vCPU's CPU), spin or blocked (another CPU). idle=poll keeps idle CPUs from
 * halting; async=on lets KVM hand faults to its workers, as it does in most
 * VMMs. Prints
 *
 *     ns a page, median and fastest tenth of ROUNDS rounds; ahead: and the same
 *     of what giving them took
 *
 *     0         1M             2M      3M         RAM
 *     | stub    | page tables  | order | result   | the pages      |
 *     |<------------- one slot, present ---- MMIO |<- second slot ->|
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE	 4096ul
#define STUB	 0x1000ul
#define TABLES	 0x100000ul
#define ORDER	 0x800000ul
#define LOW	 0x1000000ul /* bytes of the first slot; its end is MMIO */
#define RAM	 0x40000000ul
#define ROUNDS	 9
#define RUN	 64 /* pages given by one call */
#define ENTRY	 0x67ul /* dirty, accessed, user, writable, present */
#define PAGE_MAX 262144ul /* what one table of tables maps */

struct vm {
	int kvm, fd, cpu;
	struct kvm_run *run;
	uint8_t *low, *ram;
	uint64_t pages, khz;
	int uffd, memfd;
	bool copy, spin, ahead;
	double given_ns; /* ahead: a page, in the latest round */
};

/* RDI: the pages, RSI: their order, RCX: how many, R9: where the ticks go. */
extern const uint8_t stub[], stub_end[];
__asm__(".pushsection .rodata\n"
	"stub:\n"
	"	rdtsc\n"
	"	shl $32, %rdx\n"
	"	lea (%rax, %rdx), %r8\n"
	"1:	mov (%rsi), %eax\n"
	"	add $4, %rsi\n"
	"	shl $12, %rax\n"
	"	movb $1, (%rdi, %rax)\n"
	"	dec %rcx\n"
	"	jnz 1b\n"
	"	rdtsc\n"
	"	shl $32, %rdx\n"
	"	add %rdx, %rax\n"
	"	sub %r8, %rax\n"
	"	mov %rax, (%r9)\n"
	"stub_end:\n"
	".popsection\n");

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "CPU %d", cpu);
}

static void add_slot(struct vm *vm, unsigned slot, uint64_t at, void *host,
		     uint64_t bytes)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot,
		.guest_phys_addr = at,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)host,
	};

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &r))
		err(1, "memory slot");
}

/* Identity for the first slot (2 MiB leaves) and the MMIO page behind it, and
 * 4 KiB leaves for the pages. */
static void make_tables(struct vm *vm)
{
	uint64_t *root = (uint64_t *)(vm->low + TABLES);
	uint64_t *giant = root + 512, *large = giant + 512;
	uint64_t *leaf = large + 2 * 512;
	uint64_t at = TABLES + 4 * PAGE;

	root[0] = (TABLES + PAGE) | ENTRY;
	giant[0] = (TABLES + 2 * PAGE) | ENTRY;
	giant[1] = (TABLES + 3 * PAGE) | ENTRY;
	for (uint64_t i = 0; i <= LOW >> 21; i++)
		large[i] = i << 21 | ENTRY | 0x80;
	for (uint64_t i = 0; i < vm->pages; i++)
		leaf[i] = (RAM + i * PAGE) | ENTRY;
	for (uint64_t i = 0; i * 512 < vm->pages; i++)
		large[512 + i] = (at + i * PAGE) | ENTRY;
}

static void make_order(struct vm *vm, bool random)
{
	uint32_t *order = (uint32_t *)(vm->low + ORDER);
	uint64_t state = 1;

	for (uint64_t i = 0; i < vm->pages; i++)
		order[i] = (uint32_t)i;
	for (uint64_t i = vm->pages - 1; random && i; i--) {
		state = state * 6364136223846793005 + 1442695040888963407;
		uint64_t j = (state >> 33) % (i + 1);
		uint32_t kept = order[i];

		order[i] = order[j];
		order[j] = kept;
	}
}

static uint8_t *map(uint64_t bytes, int memfd)
{
	int flags = memfd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	uint8_t *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   flags | MAP_NORESERVE, memfd, 0);

	if (at == MAP_FAILED)
		err(1, "mmap");
	madvise(at, bytes, MADV_NOHUGEPAGE);
	return at;
}

static void make_vm(struct vm *vm, bool async)
{
	struct kvm_enable_cap hlt = { .cap = KVM_CAP_X86_DISABLE_EXITS,
				      .args = { KVM_X86_DISABLE_EXITS_HLT } };
	int bytes;

	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		err(1, "/dev/kvm");
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	vm->low = map(LOW, -1);
	memcpy(vm->low + STUB, stub, (size_t)(stub_end - stub));
	vm->ram = map(vm->pages * PAGE, vm->memfd);
	add_slot(vm, 0, 0, vm->low, LOW);
	add_slot(vm, 1, RAM, vm->ram, vm->pages * PAGE);
	if (ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0))
		err(1, "irqchip");
	if (!async)
		ioctl(vm->fd, KVM_ENABLE_CAP, &hlt);
	vm->khz = (uint64_t)ioctl(vm->fd, KVM_GET_TSC_KHZ, 0);
	vm->cpu = ioctl(vm->fd, KVM_CREATE_VCPU, 0);
	bytes = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	vm->run = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		       vm->cpu, 0);
	if (vm->cpu < 0 || vm->run == MAP_FAILED)
		err(1, "vCPU");
}

/* 64-bit mode, ring 3, paging on; interrupts on, or KVM would not be
 * asynchronous. */
static void set_registers(struct vm *vm)
{
	struct kvm_segment code = { .limit = 0xffffffff,
				    .selector = 0x33,
				    .type = 0xb,
				    .present = 1,
				    .dpl = 3,
				    .s = 1,
				    .l = 1,
				    .g = 1 };
	struct kvm_segment data = { .limit = 0xffffffff,
				    .selector = 0x2b,
				    .type = 0x3,
				    .present = 1,
				    .dpl = 3,
				    .db = 1,
				    .s = 1,
				    .g = 1 };
	struct kvm_regs regs = { .rip = STUB,
				 .rflags = 0x202,
				 .rdi = RAM,
				 .rsi = ORDER,
				 .rcx = vm->pages,
				 .r9 = LOW };
	struct kvm_sregs s;

	if (ioctl(vm->cpu, KVM_GET_SREGS, &s))
		err(1, "registers");
	s.cs = code;
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	s.cr0 = 0x80000033; /* PG NE ET MP PE */
	s.cr3 = TABLES;
	s.cr4 = 0x20; /* PAE */
	s.efer = 0x500; /* LMA LME */
	if (ioctl(vm->cpu, KVM_SET_SREGS, &s) ||
	    ioctl(vm->cpu, KVM_SET_REGS, &regs))
		err(1, "registers");
}

/* The raw loop: one fault, one answer. */
static void *serve(void *arg)
{
	static uint8_t page[PAGE] __attribute__((aligned(PAGE)));
	struct vm *vm = arg;
	struct uffd_msg m;

	for (;;) {
		uint64_t at;

		if (read(vm->uffd, &m, sizeof(m)) != sizeof(m)) {
			if (errno == EAGAIN)
				continue;
			return NULL;
		}
		at = m.arg.pagefault.address & ~(PAGE - 1);
		if (vm->copy) {
			struct uffdio_copy c = { .dst = at,
						 .len = PAGE,
						 .src = (uintptr_t)page };

			ioctl(vm->uffd, UFFDIO_COPY, &c);
		} else {
			struct uffdio_continue c = { .range = { .start = at,
								.len = PAGE } };

			ioctl(vm->uffd, UFFDIO_CONTINUE, &c);
		}
	}
}

static void *serve_elsewhere(void *arg)
{
	pin(1);
	return serve(arg);
}

static void watch(struct vm *vm, bool same)
{
	struct uffdio_api api = { .api = UFFD_API,
				  .features = UFFD_FEATURE_MINOR_SHMEM };
	struct uffdio_register r = {
		.range = { .start = (uintptr_t)vm->ram,
			   .len = vm->pages * PAGE },
		.mode = vm->copy || vm->ahead ? UFFDIO_REGISTER_MODE_MISSING
					      : UFFDIO_REGISTER_MODE_MINOR,
	};
	pthread_t thread;

	vm->uffd = (int)syscall(SYS_userfaultfd,
				O_CLOEXEC | (vm->spin ? O_NONBLOCK : 0));
	if (vm->uffd < 0 || ioctl(vm->uffd, UFFDIO_API, &api) ||
	    ioctl(vm->uffd, UFFDIO_REGISTER, &r))
		err(1, "userfaultfd");
	if (pthread_create(&thread, NULL, same ? serve : serve_elsewhere, vm))
		errx(1, "no thread");
}

/* As before the first touch: no page, or for continue no mapping of it. */
static void forget(struct vm *vm)
{
	madvise(vm->ram, vm->pages * PAGE, MADV_DONTNEED);
	if (vm->memfd >= 0 && (vm->copy || vm->ahead))
		fallocate(vm->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  0, (off_t)(vm->pages * PAGE));
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void give_all(struct vm *vm)
{
	double start = now_ns();

	for (uint64_t i = 0, n; i < vm->pages; i += n) {
		struct uffdio_zeropage z;

		n = vm->pages - i < RUN ? vm->pages - i : RUN;
		z = (struct uffdio_zeropage){
			.range = { (uintptr_t)vm->ram + i * PAGE, n * PAGE },
		};
		if (ioctl(vm->uffd, UFFDIO_ZEROPAGE, &z))
			err(1, "UFFDIO_ZEROPAGE");
	}
	vm->given_ns = (now_ns() - start) / (double)vm->pages;
}

/* One round: nanoseconds a page. */
static double round_ns(struct vm *vm)
{
	uint64_t ticks;

	forget(vm);
	if (vm->ahead)
		give_all(vm);
	set_registers(vm);
	do
		if (ioctl(vm->cpu, KVM_RUN, 0) && errno != EINTR)
			err(1, "KVM_RUN");
	while (vm->run->exit_reason == KVM_EXIT_INTR);
	if (vm->run->exit_reason != KVM_EXIT_MMIO ||
	    vm->run->mmio.phys_addr != LOW)
		errx(1, "the stub ended with exit %u", vm->run->exit_reason);
	memcpy(&ticks, vm->run->mmio.data, sizeof(ticks));
	return (double)ticks * 1e6 / (double)vm->khz / (double)vm->pages;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print(double ns[ROUNDS])
{
	qsort(ns, ROUNDS, sizeof(ns[0]), compare);
	printf("%.0f %.0f\n", ns[ROUNDS / 2], ns[ROUNDS / 10]);
}

/* Is @word one of @list, words with a space between? */
static bool is_one_of(const char *word, const char *list)
{
	size_t n = strlen(word);
	const char *at = strstr(list, word);

	return n && at && (at == list || at[-1] == ' ') &&
	       (at[n] == ' ' || !at[n]);
}

static bool has(int argc, char **argv, const char *word)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], word))
			return true;
	return false;
}

static void keep_awake(void)
{
	int fd = open("/dev/cpu_dma_latency", O_WRONLY);
	int32_t none = 0;

	if (fd < 0 || write(fd, &none, sizeof(none)) < 0)
		err(1, "/dev/cpu_dma_latency");
}

int main(int argc, char **argv)
{
	struct vm vm = { .uffd = -1, .memfd = -1 };
	double ns[ROUNDS], given[ROUNDS];

	if (argc < 5 || !is_one_of(argv[1], "anon copy continue ahead") ||
	    !is_one_of(argv[2], "same spin blocked") ||
	    !is_one_of(argv[3], "seq random"))
		errx(2,
		     "anon|copy|continue|ahead same|spin|blocked seq|random PAGES "
		     "[idle=poll] [async=on]");
	vm.pages = strtoul(argv[4], NULL, 0);
	if (!vm.pages || vm.pages > PAGE_MAX)
		errx(2, "pages: 1 to %lu", PAGE_MAX);
	vm.copy = !strcmp(argv[1], "copy");
	vm.ahead = !strcmp(argv[1], "ahead");
	vm.spin = !strcmp(argv[2], "spin");
	if (has(argc, argv, "idle=poll"))
		keep_awake();
	if (strcmp(argv[1], "anon"))
		vm.memfd = memfd_create("ram", MFD_CLOEXEC);
	if (vm.memfd >= 0 && ftruncate(vm.memfd, (off_t)(vm.pages * PAGE)))
		err(1, "memfd");
	pin(0);
	make_vm(&vm, has(argc, argv, "async=on"));
	make_tables(&vm);
	make_order(&vm, !strcmp(argv[3], "random"));
	memset(vm.ram, 1, vm.pages * PAGE);
	if (vm.memfd >= 0)
		watch(&vm, !strcmp(argv[2], "same"));
	round_ns(&vm);
	for (int i = 0; i < ROUNDS; i++) {
		ns[i] = round_ns(&vm);
		given[i] = vm.given_ns;
	}
	print(ns);
	if (vm.ahead)
		print(given);
	return 0;
}
