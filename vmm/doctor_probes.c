/* SPDX-License-Identifier: MIT */
/* What the doctor looks at. Each probe tries the thing itself. */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <liburing.h>

#include "vmm/capsule_image.h"
#include "vmm/doctor.h"
#include "vmm/huge_pages.h"
#include "vmm/probe.h"

#define MIB		 (UINT64_C(1) << 20)
#define LITTLE_MEMORY	 (512 * MIB) /* the tour's guest, and some room */
#define CPUID_POWER	 0x80000007u
#define CPUID_STEADY_TSC (1u << 8) /* in edx */

__attribute__((format(printf, 3, 4))) static void report(struct finding *f,
							 enum health health,
							 const char *format,
							 ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->text.text, sizeof(f->text.text), format, args);
	va_end(args);
	f->health = health;
}

static void look_kvm(struct finding *f)
{
	if (!kvm_usable(&f->text)) {
		f->health = HEALTH_FAIL;
		return;
	}
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	if (vm < 0)
		report(f, HEALTH_FAIL,
		       "/dev/kvm makes no VM (%s): stop other hypervisors, or "
		       "use --accel capsule",
		       strerror(errno));
	else
		report(f, HEALTH_OK, "/dev/kvm, API %d", KVM_API_VERSION);
	if (vm >= 0)
		close(vm);
	close(kvm);
}

/* Is the module parameter @path there, and on? */
static bool parameter_on(const char *path)
{
	FILE *file = fopen(path, "re");
	int c = file ? fgetc(file) : 'N';

	if (file)
		fclose(file);
	return c == 'Y' || c == '1';
}

static void look_stage2(struct finding *f)
{
	struct complaint why;

	if (parameter_on("/sys/module/kvm_intel/parameters/ept"))
		report(f, HEALTH_OK, "EPT: the CPU walks the stage-2 tables");
	else if (parameter_on("/sys/module/kvm_amd/parameters/npt"))
		report(f, HEALTH_OK, "NPT: the CPU walks the stage-2 tables");
	else if (kvm_usable(&why))
		report(f, HEALTH_WARN,
		       "KVM shadows the guest's tables: works, but guest "
		       "faults and table writes cost more; real nested tables "
		       "are in --accel capsule");
	else
		report(f, HEALTH_WARN,
		       "no KVM, no stage 2; --accel capsule has NPT tables");
}

static void look_userfaultfd(struct finding *f)
{
	if (!uffd_usable(&f->text))
		f->health = HEALTH_FAIL;
	else
		report(f, HEALTH_OK,
		       "missing and minor faults of shared memory");
}

static void look_io_uring(struct finding *f)
{
	struct io_uring ring;
	int r = io_uring_queue_init(8, &ring, 0);

	if (r == -EPERM)
		report(f, HEALTH_WARN,
		       "forbidden, so no --swap file=: set the sysctl "
		       "kernel.io_uring_disabled=0");
	else if (r)
		report(f, HEALTH_WARN, "%s, so no --swap file=: %s",
		       strerror(-r),
		       r == -ENOMEM ? "raise the memlock limit"
				    : "use a kernel with CONFIG_IO_URING");
	else
		report(f, HEALTH_OK, "for --swap file=");
	if (r == 0)
		io_uring_queue_exit(&ring);
}

/* Can more be locked than the limit says? Asked of the kernel itself. */
static bool lock_works(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	bool works = p != MAP_FAILED && !mlock2(p, bytes, MLOCK_ONFAULT);

	if (p != MAP_FAILED)
		munmap(p, bytes);
	return works;
}

static void look_memlock(struct finding *f)
{
	struct rlimit limit;

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (lock_works(LITTLE_MEMORY))
		report(f, HEALTH_OK, "guest memory can be locked");
	else
		report(f, HEALTH_WARN,
		       "%" PRIu64 " KiB: the host may swap guest memory behind "
		       "twofold's back; ulimit -l unlimited, or memlock in "
		       "/etc/security/limits.conf",
		       (uint64_t)limit.rlim_cur / 1024);
}

/* The value of @key in /proc/meminfo, in bytes. */
static uint64_t meminfo(const char *key)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	uint64_t kib = 0;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)) &&
		    sscanf(line + strlen(key), ": %" SCNu64, &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib * 1024;
}

static void look_memory(struct finding *f)
{
	uint64_t free_bytes = meminfo("MemAvailable");
	int fd = memfd_create("doctor", MFD_CLOEXEC);

	if (fd < 0)
		report(f, HEALTH_FAIL,
		       "no memfd (%s): use a kernel with "
		       "CONFIG_MEMFD_CREATE",
		       strerror(errno));
	else if (free_bytes < LITTLE_MEMORY)
		report(f, HEALTH_WARN,
		       "%" PRIu64
		       " MiB available: give guests a --resident cap "
		       "and a --swap file=DIR",
		       free_bytes / MIB);
	else
		report(f, HEALTH_OK, "%" PRIu64 " of %" PRIu64 " MiB available",
		       free_bytes / MIB, meminfo("MemTotal") / MIB);
	if (fd >= 0)
		close(fd);
}

static void look_huge_pages(struct finding *f)
{
	long pages = huge_pages_free();

	if (pages < 0)
		report(f, HEALTH_WARN,
		       "no huge pages of 2 MiB: -m size=...,page_size=2M "
		       "needs a kernel with CONFIG_HUGETLBFS");
	else
		report(f, HEALTH_OK, "%ld free, for -m size=...,page_size=2M",
		       pages);
}

static void look_tsc(struct finding *f)
{
	unsigned a, b, c, d = 0;

	if (__get_cpuid(CPUID_POWER, &a, &b, &c, &d) && (d & CPUID_STEADY_TSC))
		report(f, HEALTH_OK, "steady: times of a trace are exact");
	else
		report(f, HEALTH_WARN,
		       "not known to be steady: times of a trace may drift; "
		       "nothing to mend but the CPU");
}

static void look_cpus(struct finding *f)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);

	report(f, n > 1 ? HEALTH_OK : HEALTH_WARN, "%d%s", n,
	       n > 1 ? ""
		     : ": faults are served beside the guest's own work; "
		       "allow this process more CPUs (taskset, cgroup)");
}

static void look_qemu(struct finding *f)
{
	char path[PATH_MAX];

	if (!capsule_find_qemu(path, &f->text))
		f->health = HEALTH_WARN;
	else
		report(f, HEALTH_OK, "%.200s, for the capsule", path);
}

static void look_capsule(struct finding *f)
{
	struct capsule_image im;

	if (!capsule_find_image(&im, &f->text))
		f->health = HEALTH_WARN;
	else
		report(f, HEALTH_OK, "the image is built");
}

const struct doctor_probe doctor_probes[] = { { "kvm", look_kvm },
					      { "stage2", look_stage2 },
					      { "userfaultfd",
						look_userfaultfd },
					      { "io_uring", look_io_uring },
					      { "memlock", look_memlock },
					      { "memory", look_memory },
					      { "hugepages", look_huge_pages },
					      { "tsc", look_tsc },
					      { "cpus", look_cpus },
					      { "qemu", look_qemu },
					      { "capsule", look_capsule },
					      { NULL, NULL } };
