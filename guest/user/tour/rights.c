/* SPDX-License-Identifier: MIT */
/*
 * outcomes, protect, user-copy: which accesses are refused, and with what
 * error code; ours, and the kernel's on our behalf.
 */
#include "guest/lib/errno.h"
#include "guest/user/tour/demo.h"

demo_fn demo_outcomes, demo_protect, demo_user_copy;

/* Refused accesses are counted by the kernel: all of them, and no other. */
static void expect(struct demo *d, const char *what, uint64_t at,
		   enum access access, uint64_t want)
{
	uint64_t before = demo_counts().refused;
	uint64_t error = access_error(at, access);
	uint64_t refused = demo_counts().refused - before;

	demo_is(d, error, want);
	demo_is(d, refused, want == ACCESS_DONE ? 0 : 1);
	if (error == ACCESS_DONE)
		demo_note(d, "%s%s: done", d->seen_bytes ? "; " : "", what);
	else
		demo_note(d, "; %s at %#lx: error %#lx", what, at, error);
}

static void read_it(struct demo *d, void *at)
{
	(void)*(volatile char *)at;
	demo_true(d, false); /* it was done? */
}

/* Who has not said how to go on is killed, and nobody else. */
static void expect_kill(struct demo *d, uint64_t at)
{
	int64_t pid = demo_child(d, read_it, (void *)at);
	int status = 0;

	if (pid < 0)
		return;
	demo_is(d, sys_wait(pid, &status), pid);
	demo_is(d, status, STATUS_KILLED + SIGNAL_SEGV);
	demo_note(d, "; process %ld, which did that, was killed", pid);
}

/* Not there either, but in swap: the access is made again, and done. */
static void expect_swap_in(struct demo *d, uint64_t at)
{
	uint64_t before;

	if (!demo_counts().slots_total)
		return;
	demo_is(d, demo_page_out(d, (void *)at, 1), 0);
	before = demo_counts().swapped_in;
	expect(d, "read of what is in swap", at, READ, ACCESS_DONE);
	demo_is(d, demo_counts().swapped_in - before, 1);
}

void demo_outcomes(struct demo *d)
{
	struct sys_info info = demo_info();
	char *page = demo_map(d, 2 * PAGE_SIZE, 0);
	uint64_t at = (uintptr_t)page, gone = at + PAGE_SIZE;

	if (!page)
		return;
	sys_munmap(gone, PAGE_SIZE);

	expect(d, "found", at, WRITE, ACCESS_DONE);
	expect(d, "read of nothing", gone, READ, FAULT_U);
	expect(d, "write to nothing", gone, WRITE, FAULT_U | FAULT_W);
	if (info.no_execute)
		expect(d, "execution of data", at, EXECUTE,
		       FAULT_P | FAULT_U | FAULT_I);
	sys_mprotect(at, PAGE_SIZE, PROT_READ | PROT_EXEC);
	expect(d, "write to read-only", at, WRITE, FAULT_P | FAULT_U | FAULT_W);
	expect(d, "execution", at, EXECUTE, ACCESS_DONE);
	expect(d, "read of the kernel", KERNEL_TEXT, READ, FAULT_P | FAULT_U);
	expect_kill(d, KERNEL_TEXT);
	expect_swap_in(d, at);
	sys_munmap(at, PAGE_SIZE);
}

/*
 * x86 cannot refuse reads alone: any right brings the right to read along
 * (SDM vol. 3, 4.6.1), and without NX to execute too.
 */
static bool is_allowed(unsigned prot, enum access access, bool no_execute)
{
	if (access == WRITE)
		return prot & PROT_WRITE;
	if (access == EXECUTE && no_execute)
		return prot & PROT_EXEC;
	return prot != PROT_NONE;
}

void demo_protect(struct demo *d)
{
	bool no_execute = demo_info().no_execute;
	unsigned done = 0, refused = 0;
	char *page = demo_map(d, PAGE_SIZE, 0);
	uint64_t at = (uintptr_t)page;

	if (!page)
		return;
	*page = (char)RET_OPCODE;
	for (unsigned prot = 0; prot < 8; prot++) {
		demo_is(d, sys_mprotect(at, PAGE_SIZE, prot), 0);
		for (unsigned access = READ; access <= EXECUTE; access++) {
			bool ok = access_error(at, access) == ACCESS_DONE;

			demo_is(d, ok, is_allowed(prot, access, no_execute));
			ok ? done++ : refused++;
		}
	}
	demo_note(d,
		  "page %#lx under 8 protections, 3 accesses each: %u done, "
		  "%u refused, as they should be",
		  at, done, refused);
	sys_munmap(at, PAGE_SIZE);
}

/*
 * The kernel shall write struct sys_info to @at, or read text from there, which
 * goes nowhere.
 */
static int64_t kernel_writes(uint64_t at)
{
	return sys_info((struct sys_info *)at);
}

static int64_t kernel_reads(uint64_t at, size_t bytes)
{
	int fd[2];
	int64_t n = sys_pipe(fd);

	if (n)
		return n;
	n = sys_write(fd[1], (const void *)at, bytes);
	sys_close(fd[0]);
	sys_close(fd[1]);
	return n;
}

/*
 * Three pages: writable, read-only, none. The kernel may do for us what we may
 * do ourselves, and a bad pointer is an answer, never a fault.
 */
void demo_user_copy(struct demo *d)
{
	const uint64_t hole = 0x0000800000000000;
	uint64_t kernel = KERNEL_TEXT, at, refused;
	char *area = demo_map(d, 3 * PAGE_SIZE, 0);

	if (!area)
		return;
	at = (uintptr_t)area;
	sys_mprotect(at + PAGE_SIZE, PAGE_SIZE, PROT_READ);
	sys_munmap(at + 2 * PAGE_SIZE, PAGE_SIZE);
	refused = demo_counts().refused;

	demo_is(d, kernel_writes(at), 0);
	demo_is(d, kernel_writes(at + PAGE_SIZE), -EFAULT);
	demo_is(d, kernel_writes(at + PAGE_SIZE - 8), -EFAULT);
	demo_is(d, kernel_writes(at + 2 * PAGE_SIZE), -EFAULT);
	demo_is(d, kernel_writes(0), -EFAULT);
	demo_is(d, kernel_writes(kernel), -EFAULT);
	demo_is(d, kernel_writes(hole), -EFAULT);
	demo_is(d, kernel_reads(at + 2 * PAGE_SIZE, 1), -EFAULT);
	demo_is(d, kernel_reads(kernel, 1), -EFAULT);
	demo_is(d, kernel_reads(UINT64_MAX, 2), -EFAULT);

	demo_is(d, demo_counts().refused, refused);
	demo_note(d,
		  "the kernel wrote to %#lx for us, and refused 9 times: "
		  "read-only, half read-only, nothing, 0, %#lx, %#lx",
		  at, kernel, hole);
	sys_munmap(at, 2 * PAGE_SIZE);
}
