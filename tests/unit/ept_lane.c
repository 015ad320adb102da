/* SPDX-License-Identifier: MIT */
/* Lanes: with a ring, without, with one that is busy or fails, the same pages
 * come to lie in the same places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "ept/lane.h"
#include "tests/unit/ept_pages.h"

#define N LANE_BATCH

enum kind { RING, NO_RING, RING_BUSY, RING_BROKEN };

static int fd;

static void lane_start(struct lane *l, enum kind kind)
{
	lane_init(l, true);
	if (!l->has_ring)
		skip(); /* io_uring is forbidden here */
	if (kind == NO_RING) {
		io_uring_queue_exit(&l->ring);
		l->has_ring = false;
	} else if (kind == RING_BUSY) {
		pthread_mutex_lock(&l->taken);
	} else if (kind == RING_BROKEN) {
		close(l->ring.ring_fd);
	}
}

static void lane_stop(struct lane *l, enum kind kind)
{
	if (kind == RING_BUSY)
		pthread_mutex_unlock(&l->taken);
	assert_int_equal(l->has_ring, kind == RING || kind == RING_BUSY);
	lane_destroy(l);
}

/* Page i of @pages at place N - 1 - i. */
static void set_up(struct lane_io *io, uint8_t *pages)
{
	for (unsigned i = 0; i < N; i++)
		io[i] = (struct lane_io){ .page = pages + i * PAGE_SIZE,
					  .at = (N - 1 - i) * PAGE_SIZE,
					  .error = 1 };
}

static void pages_go_and_come_back(void **state)
{
	enum kind kind = *(enum kind *)*state;
	uint8_t *out = pages_new(N), *in = pages_new(N);
	struct lane_io io[N];
	struct lane l;

	page_random(out, 1);
	for (unsigned i = 1; i < N; i++)
		page_mixed(out + i * PAGE_SIZE, i);
	lane_start(&l, kind);
	set_up(io, out);
	lane_run(&l, fd, LANE_WRITE, io, N);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(io[i].error, 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), N * PAGE_SIZE);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(pread(fd, in, PAGE_SIZE, (off_t)io[i].at),
				 PAGE_SIZE);
		assert_memory_equal(in, out + i * PAGE_SIZE, PAGE_SIZE);
	}
	set_up(io, in);
	lane_run(&l, fd, LANE_READ, io, N);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(io[i].error, 0);
	assert_memory_equal(in, out, N * PAGE_SIZE);
	lane_stop(&l, kind);
	free(out);
	free(in);
}

/* The file ends in the middle of place 10: what lies before it is read, what
 * does not is an error of that page alone. */
static void the_end_of_the_file_is_an_error(void **state)
{
	enum kind kind = *(enum kind *)*state;
	uint8_t *pages = pages_new(N);
	struct lane_io io[N];
	struct lane l;

	assert_int_equal(ftruncate(fd, 10 * PAGE_SIZE + 512), 0);
	lane_start(&l, kind);
	set_up(io, pages);
	lane_run(&l, fd, LANE_READ, io, N);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(io[i].error, N - 1 - i < 10 ? 0 : -EIO);
	lane_stop(&l, kind);
	free(pages);
}

/* The file may grow to two and a half places: the third write is cut short,
 * and the rest of it refused. */
static void a_cut_write_is_an_error(void **state)
{
	enum kind kind = *(enum kind *)*state;
	uint8_t *pages = pages_new(N);
	struct lane_io io[N];
	struct rlimit limit;
	struct lane l;

	signal(SIGXFSZ, SIG_IGN);
	lane_start(&l, kind);
	set_up(io, pages);
	getrlimit(RLIMIT_FSIZE, &limit);
	setrlimit(RLIMIT_FSIZE,
		  &(struct rlimit){ 5 * PAGE_SIZE / 2, limit.rlim_max });
	lane_run(&l, fd, LANE_WRITE, io, N);
	setrlimit(RLIMIT_FSIZE, &limit);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(io[i].error, N - 1 - i < 2 ? 0 : -EFBIG);
	lane_stop(&l, kind);
	free(pages);
}

static void a_bad_file_is_an_error(void **state)
{
	enum kind kind = *(enum kind *)*state;
	uint8_t *pages = pages_new(N);
	struct lane_io io[N];
	struct lane l;

	lane_start(&l, kind);
	set_up(io, pages);
	lane_run(&l, -1, LANE_READ, io, N);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(io[i].error, -EBADF);
	lane_stop(&l, kind);
	free(pages);
}

/* Let io_uring_setup fail with EPERM, as containers do. */
static bool forbid_io_uring(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ, __NR_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { 4, code };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

static unsigned errors(const struct lane_io *io)
{
	unsigned n = 0;

	for (unsigned i = 0; i < N; i++)
		n += io[i].error != 0;
	return n;
}

/* In a child: 0, or the number of the step that went wrong. */
static int run_without_io_uring(void)
{
	uint8_t *out = pages_new(N), *in = pages_new(N);
	struct lane_io io[N];
	struct lane l;

	if (!forbid_io_uring())
		return 1;
	lane_init(&l, true);
	if (l.has_ring)
		return 2;
	page_random(out, 3);
	set_up(io, out);
	lane_run(&l, fd, LANE_WRITE, io, N);
	if (errors(io))
		return 3;
	set_up(io, in);
	lane_run(&l, fd, LANE_READ, io, N);
	lane_destroy(&l);
	if (errors(io))
		return 4;
	return memcmp(in, out, N * PAGE_SIZE) ? 5 : 0;
}

static void io_uring_may_be_forbidden(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0)
		_exit(run_without_io_uring());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_ring_that_is_not_wanted_is_not_made(void **state)
{
	struct lane l;

	(void)state;
	lane_init(&l, false);
	assert_false(l.has_ring);
	lane_destroy(&l);
}

static int open_file(void **state)
{
	(void)state;
	fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return fd < 0;
}

static int close_file(void **state)
{
	(void)state;
	return close(fd);
}

static enum kind ring = RING, no_ring = NO_RING, busy = RING_BUSY,
		 broken = RING_BROKEN;

#define TEST(t, kind)                                              \
	{                                                          \
#t " (" #kind ")", t, open_file, close_file, &kind \
	}
#define ALL(t) TEST(t, ring), TEST(t, no_ring), TEST(t, busy), TEST(t, broken)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALL(pages_go_and_come_back),
		ALL(the_end_of_the_file_is_an_error),
		ALL(a_cut_write_is_an_error),
		ALL(a_bad_file_is_an_error),
		cmocka_unit_test_setup_teardown(io_uring_may_be_forbidden,
						open_file, close_file),
		cmocka_unit_test(a_ring_that_is_not_wanted_is_not_made),
	};

	return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
