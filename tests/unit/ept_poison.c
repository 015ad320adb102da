/* SPDX-License-Identifier: MIT */
/* A page whose stored copy is damaged, and who touches it. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "ept/audit.h"
#include "ept/guest_mem.h"
#include "ept/stage2.h"
#include "ept/uffd.h"

#define PAGES 256
#define LOST  100 /* the page that is stored damaged */

static struct stage2 *s2;
static struct swap *swap;
static struct stage2_failure last_failure;
static _Atomic unsigned failures;

static void on_failure(void *ctx, const struct stage2_failure *f)
{
	(void)ctx;
	last_failure = *f;
	failures++;
}

static _Thread_local sigjmp_buf after;
static _Thread_local siginfo_t info;

static void on_sigbus(int sig, siginfo_t *i, void *context)
{
	(void)sig;
	(void)context;
	info = *i;
	siglongjmp(after, 1);
}

static void start(bool poison)
{
	const struct file_extent none = { .bytes = 0 };
	struct sigaction a = { .sa_sigaction = on_sigbus,
			       .sa_flags = SA_SIGINFO };
	struct swap_config sc = { .tiers = 1, .pages = PAGES, .flip_nth = 1 };
	struct stage2_config c = {
		.region = { { { 0 }, PAGES } },
		.regions = 1,
		.limit = PAGES,
		.policy = &policy_clock,
		.extent = &none,
		.paging = true,
		.poison = poison,
		.vcpus = 2,
		.failed = on_failure,
	};

	/* In each test anew: cmocka has one of its own there. */
	sigaction(SIGBUS, &a, NULL);
	failures = 0;
	assert_int_equal(tier_ram_create(&sc.tier[0], 0, CODEC_LZ4), 0);
	assert_int_equal(swap_create(&swap, &sc), 0);
	c.swap = swap;
	assert_int_equal(stage2_create(&s2, &c), 0);
}

static void stop(void)
{
	stage2_stop(s2);
	stage2_destroy(s2);
	assert_int_equal(swap_slots_used(swap), 0);
	swap_destroy(swap);
}

static volatile uint64_t *touchable(uint64_t page)
{
	return stage2_host(s2, (gfn_t){ page });
}

static void store_damaged(void)
{
	*touchable(LOST) = 1;
	assert_int_equal(stage2_evict(s2, (gfn_t){ LOST }), 0);
}

/* Does a touch of @page raise a SIGBUS there? (Its code depends on how the
 * kernel was built; out of KVM_RUN it is always BUS_MCEERR_AR.) */
static bool is_machine_check(uint64_t page)
{
	volatile uint64_t *at = touchable(page) + 3;

	if (!sigsetjmp(after, 1)) {
		(void)*at;
		return false;
	}
	return (uintptr_t)info.si_addr / PAGE_SIZE == (uintptr_t)at / PAGE_SIZE;
}

/* Who touched it may be back before the owner was told and the slot released. */
static void wait_until_told(void)
{
	for (unsigned i = 0; i < 5000 && swap_slots_used(swap); i++)
		usleep(1000);
	assert_int_equal(swap_slots_used(swap), 0);
	assert_int_equal(failures, 1);
}

static void lost_page_is_a_machine_check(void **state)
{
	struct audit_report r;
	uint64_t word;

	(void)state;
	start(true);
	store_damaged();
	assert_true(is_machine_check(LOST));
	assert_true(is_machine_check(LOST)); /* and stays one */
	wait_until_told();
	assert_true(last_failure.poisoned);
	assert_int_equal(last_failure.gfn.v, LOST);
	assert_int_equal(last_failure.error, -EBADMSG);
	assert_string_equal(last_failure.source, "ram");
	assert_int_equal(pte_kind(stage2_entry(s2, (gfn_t){ LOST })),
			 PTE_POISONED);
	assert_int_equal(stage2_measured_bytes(s2), 0);
	assert_false(guest_read(s2, (gpa_t){ LOST * PAGE_SIZE }, &word, 8));
	assert_int_equal(stage2_evict(s2, (gfn_t){ LOST }), -EBUSY);
	assert_false(is_machine_check(LOST + 1)); /* its neighbours live */
	assert_false(is_machine_check(LOST - 1));
	assert_int_equal(stage2_audit(s2, &r), 0);
	assert_false(r.diverged);
	stop();
}

static void *touch(void *arg)
{
	(void)arg;
	return (void *)(uintptr_t)is_machine_check(LOST);
}

/* Who waits for the page at the same time learns the same. */
static void all_who_wait_are_told(void **state)
{
	pthread_t thread[4];

	(void)state;
	start(true);
	store_damaged();
	for (unsigned i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, touch, NULL);
	for (unsigned i = 0; i < 4; i++) {
		void *told;

		pthread_join(thread[i], &told);
		assert_true(told);
	}
	wait_until_told();
	stop();
}

/* A device's access is refused and poisons nothing: the owner decides. */
static void device_access_poisons_nothing(void **state)
{
	uint64_t word = 7;

	(void)state;
	start(true);
	store_damaged();
	assert_false(guest_read(s2, (gpa_t){ LOST * PAGE_SIZE }, &word, 8));
	assert_int_equal(word, 7);
	assert_int_equal(failures, 1);
	assert_false(last_failure.poisoned);
	assert_int_equal(pte_kind(stage2_entry(s2, (gfn_t){ LOST })),
			 PTE_STORED);
	stop();
}

/* 0, or why this machine cannot. */
static int try_poison(void)
{
	void *page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int uffd = uffd_open(), r = uffd;

	if (uffd >= 0) {
		r = uffd_watch(uffd, page, PAGE_SIZE,
			       UFFDIO_REGISTER_MODE_MISSING);
		r = r ? r : uffd_poison(uffd, page);
		close(uffd);
	}
	munmap(page, PAGE_SIZE);
	return r;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lost_page_is_a_machine_check),
		cmocka_unit_test(all_who_wait_are_told),
		cmocka_unit_test(device_access_poisons_nothing),
	};
	int r = try_poison();

	if (r) {
		printf("SKIP (no page can be poisoned here: %s)\n",
		       strerror(-r));
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
