/* SPDX-License-Identifier: MIT */
#include "vmm/pressure_hog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "vmm/helper.h"
#include "vmm/host_memory.h"

#define PAGE	 4096u
#define ROUND_NS 20000000L /* between two rounds of work */
#define PAGES	 8192u /* of a round, at most */

int hog_init(struct hog *h)
{
	struct host_memory m;

	*h = (struct hog){ .pid = 0 };
	if (!host_memory_read("", &m))
		return -ENOTSUP;
	h->left = m.left;
	h->most = m.left / 2;
	return 0;
}

/* Whoever looks for a victim takes this process. */
static void volunteer(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1000", 4) < 0)
		_exit(1);
	close(fd);
}

/* @pages of bytes that do not compress to nothing: from @from on, modulo what
 * there is. */
static void use(uint8_t *memory, uint64_t from, uint64_t pages, uint64_t all)
{
	for (uint64_t i = from; all && i < from + pages; i++)
		for (unsigned at = 0; at < PAGE; at += 64)
			*(volatile uint64_t *)(memory + i % all * PAGE + at) =
				(i * PAGE + at) * 0x9e3779b97f4a7c15;
}

_Noreturn static void run(const _Atomic uint64_t *want, uint8_t *memory)
{
	const struct timespec pause = { .tv_nsec = ROUND_NS };
	uint64_t have = 0, hand = 0;

	for (;;) {
		uint64_t pages = atomic_load(want) / PAGE;
		uint64_t more = pages > have ? pages - have : 0;

		if (pages < have)
			madvise(memory + pages * PAGE, (have - pages) * PAGE,
				MADV_DONTNEED);
		more = more < PAGES ? more : PAGES;
		have = more ? have + more : pages;
		use(memory, have - more, more, have);
		use(memory, hand, (PAGES - more) / 4, have);
		hand = have ? (hand + PAGES / 4) % have : 0;
		nanosleep(&pause, NULL);
	}
}

static int start(struct hog *h)
{
	pid_t parent = getpid();
	void *memory = mmap(NULL, h->most, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	h->want = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || h->want == MAP_FAILED)
		return -errno;
	h->pid = fork();
	if (!h->pid) {
		helper_begin(parent);
		volunteer();
		run(h->want, memory);
	}
	munmap(memory, h->most);
	return h->pid < 0 ? -errno : 0;
}

uint64_t hog_set(struct hog *h, uint64_t bytes)
{
	if (bytes > h->most)
		bytes = h->most;
	if (!h->pid && bytes && start(h)) {
		h->pid = 0;
		return 0;
	}
	if (h->pid)
		atomic_store(h->want, bytes);
	return bytes;
}

void hog_end(struct hog *h)
{
	if (h->pid)
		helper_end(h->pid);
	h->pid = 0;
}
