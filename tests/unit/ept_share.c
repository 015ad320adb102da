/* SPDX-License-Identifier: MIT */
/*
 * Two VMs without KVM that have one file as read-only memory: whatever they do
 * at the same time, both see the file's bytes, and there is one copy of it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "ept/audit.h"
#include "ept/guest_mem.h"
#include "ept/stage2.h"
#include "tests/unit/may_watch.h"
#include "tests/unit/share_fixture.h"

#define RAM 256 /* pages: no cap */
#define CAP 128
#define AT  0x100000 /* the share's gfn */

struct vm {
	struct stage2 *s2;
	struct swap *swap;
	struct share *share;
	struct stage2_failure failure;
	unsigned failures;
};

static void on_failure(void *ctx, const struct stage2_failure *f)
{
	struct vm *vm = ctx;

	vm->failure = *f;
	__atomic_add_fetch(&vm->failures, 1, __ATOMIC_SEQ_CST);
}

static void start(struct vm *vm, uint64_t limit)
{
	const struct file_extent none = { .bytes = 0 };
	struct swap_config sc = { .tiers = 1, .pages = RAM };
	struct stage2_config c = {
		.region = { { { 0 }, RAM } },
		.regions = 2,
		.limit = limit,
		.policy = &policy_clock,
		.extent = &none,
		.paging = true,
		.vcpus = 2,
		.failed = on_failure,
		.ctx = vm,
	};

	*vm = (struct vm){ .s2 = NULL };
	assert_int_equal(share_open(&vm->share, path), 0);
	assert_int_equal(vm->share->pages, PAGES);
	vm->share->first = (gfn_t){ AT };
	c.region[1] = (struct stage2_region){ { AT }, PAGES };
	c.share[1] = vm->share;
	assert_int_equal(tier_ram_create(&sc.tier[0], 0, CODEC_LZ4), 0);
	assert_int_equal(swap_create(&vm->swap, &sc), 0);
	c.swap = vm->swap;
	assert_int_equal(stage2_create(&vm->s2, &c), 0);
}

static void stop(struct vm *vm)
{
	stage2_stop(vm->s2);
	stage2_destroy(vm->s2);
	share_close(vm->share);
	assert_int_equal(swap_slots_used(vm->swap), 0);
	swap_destroy(vm->swap);
}

static struct stage2_counters counters(const struct vm *vm)
{
	struct stage2_counters c;

	stage2_counters(vm->s2, &c);
	return c;
}

static volatile uint8_t *byte_at(const struct vm *vm, uint64_t at)
{
	gfn_t g = { AT + at / PAGE_SIZE };

	return (volatile uint8_t *)stage2_host(vm->s2, g) + at % PAGE_SIZE;
}

/* Touch page @page and look at three of its bytes. */
static bool is_right(const struct vm *vm, uint64_t page)
{
	for (uint64_t k = 0; k < PAGE_SIZE; k += PAGE_SIZE / 2 - 1)
		if (*byte_at(vm, page * PAGE_SIZE + k) !=
		    byte_of(page * PAGE_SIZE + k))
			return false;
	return true;
}

static void expect_right(const struct vm *vm)
{
	for (uint64_t i = 0; i < PAGES; i++)
		assert_true(is_right(vm, i));
}

static void expect_sound(const struct vm *vm)
{
	struct audit_report r;

	assert_int_equal(stage2_audit(vm->s2, &r), 0);
	assert_false(r.diverged);
	assert_int_equal(r.pages, RAM + PAGES);
	assert_true(r.checked[AUDIT_MEMFD]);
}

/* What the object holds: the file's pages and its bits, and no page twice. */
static void expect_one_copy(const struct vm *vm)
{
	assert_int_equal(share_object_bytes(&vm->share->object),
			 (PAGES + 1) * PAGE_SIZE);
}

/* The last page may be in use a moment before its bit is set. */
static void wait_filled(const struct vm *vm)
{
	for (uint64_t i = 0; i < PAGES; i++)
		while (!share_has(vm->share, (gfn_t){ AT + i }))
			usleep(100);
}

static void second_vm_reads_nothing(void **state)
{
	struct vm a, b;
	char name[sizeof(a.share->object.name)];

	(void)state;
	start(&a, RAM);
	start(&b, RAM);
	strcpy(name, a.share->object.name);
	assert_int_equal(a.share->object.alone, 0);
	expect_right(&a);
	wait_filled(&a);
	assert_int_equal(counters(&a).share_read, PAGES);
	assert_int_equal(counters(&a).share_found, 0);
	expect_right(&b);
	assert_int_equal(counters(&b).share_read, 0);
	assert_int_equal(counters(&b).share_found, PAGES);
	expect_one_copy(&a);
	expect_one_copy(&b);
	expect_sound(&a);
	expect_sound(&b);
	stop(&a);
	assert_int_equal(access(name, F_OK), 0);
	expect_right(&b);
	stop(&b);
	assert_int_equal(access(name, F_OK), -1);
}

static void its_pages_are_read_only(void **state)
{
	const uint64_t tail = (PAGES - 1) * PAGE_SIZE + TAIL;
	const gpa_t at = { AT * PAGE_SIZE };
	uint8_t bytes[16] = { 1 };
	void *host;
	struct vm vm;

	(void)state;
	start(&vm, RAM);
	assert_int_equal(pte_rights(stage2_entry(vm.s2, (gfn_t){ AT })),
			 PTE_R | PTE_X);
	assert_true(is_right(&vm, 0));
	assert_int_equal(pte_kind(stage2_entry(vm.s2, (gfn_t){ AT })),
			 PTE_LEAF);
	assert_int_equal(pte_rights(stage2_entry(vm.s2, (gfn_t){ AT })),
			 PTE_R | PTE_X);
	assert_true(guest_read(vm.s2, (gpa_t){ AT * PAGE_SIZE + tail - 8 },
			       bytes, sizeof(bytes)));
	for (unsigned i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], byte_of(tail - 8 + i));
	assert_false(guest_write(vm.s2, at, bytes, 1));
	assert_int_equal(guest_pin(vm.s2, at, true, &host), -EFAULT);
	assert_int_equal(guest_pin(vm.s2, at, false, &host), 0);
	assert_int_equal(*(uint8_t *)host, byte_of(0));
	guest_unpin(vm.s2, at);
	assert_false(guest_has(vm.s2, at, 1));
	assert_int_equal(
		guest_discard(vm.s2, at, PAGES * PAGE_SIZE, GUEST_BALLOONED),
		0);
	assert_true(is_right(&vm, 0));
	assert_true(is_right(&vm, 1));
	stop(&vm);
}

/* With room for a part of it, pages are dropped, and found again: none is
 * stored, and the copy stays as it is. */
static void dropped_for_free(void **state)
{
	struct vm vm;

	(void)state;
	start(&vm, CAP);
	for (unsigned pass = 0; pass < 3; pass++) {
		expect_right(&vm);
		wait_filled(&vm);
	}
	assert_int_equal(counters(&vm).share_read, PAGES);
	assert_true(counters(&vm).share_found >= 2 * (PAGES - CAP));
	assert_true(counters(&vm).clean_dropped >= 3 * PAGES - 2 * CAP);
	assert_int_equal(counters(&vm).swapped_out, 0);
	assert_true(counters(&vm).resident <= CAP);
	assert_int_equal(stage2_measured_bytes(vm.s2), 0);
	expect_one_copy(&vm);
	expect_sound(&vm);
	stop(&vm);
}

static void one_page_in_and_out(void **state)
{
	struct vm vm;

	(void)state;
	start(&vm, RAM);
	assert_true(is_right(&vm, 7));
	assert_int_equal(stage2_unmap(vm.s2, (gfn_t){ AT + 7 }), 0);
	assert_true(is_right(&vm, 7));
	assert_int_equal(counters(&vm).minor, 1);
	assert_int_equal(stage2_evict(vm.s2, (gfn_t){ AT + 7 }), 0);
	assert_int_equal(pte_kind(stage2_entry(vm.s2, (gfn_t){ AT + 7 })),
			 PTE_ABSENT);
	assert_true(is_right(&vm, 7));
	assert_int_equal(counters(&vm).share_read, 1);
	assert_int_equal(counters(&vm).share_found, 1);
	assert_int_equal(counters(&vm).minor, 2); /* its bytes were there */
	stop(&vm);
}

/* RAM's last page and the share's first one are neighbours as frames, but not
 * in the host. */
static void beside_ram(void **state)
{
	struct vm vm;

	(void)state;
	start(&vm, RAM);
	for (unsigned pass = 0; pass < 2; pass++) {
		for (uint64_t i = 0; i < RAM; i++)
			*(uint8_t *)stage2_host(vm.s2, (gfn_t){ i }) = 1;
		expect_right(&vm);
		for (uint64_t i = 0; i < RAM; i++)
			assert_int_equal(stage2_unmap(vm.s2, (gfn_t){ i }), 0);
		for (uint64_t i = 0; i < PAGES; i++)
			assert_int_equal(stage2_unmap(vm.s2, (gfn_t){ AT + i }),
					 0);
	}
	assert_int_equal(vm.failures, 0);
	expect_sound(&vm);
	stop(&vm);
}

/* A page that is there without its bit, as one that died half-way leaves. */
static void no_page_without_its_bit(void **state)
{
	static const uint8_t junk[PAGE_SIZE] = { 0xff };
	struct vm vm;

	(void)state;
	start(&vm, RAM);
	for (uint64_t i = 0; i < PAGES; i += 3)
		assert_int_equal(pwrite(vm.share->object.fd, junk, PAGE_SIZE,
					(off_t)(i * PAGE_SIZE)),
				 PAGE_SIZE);
	expect_right(&vm);
	assert_int_equal(counters(&vm).share_read, PAGES);
	assert_int_equal(vm.failures, 0);
	expect_one_copy(&vm);
	expect_sound(&vm);
	stop(&vm);
}

static void *touch_all(void *vm)
{
	for (uint64_t i = 0; i < PAGES; i++)
		if (!is_right(vm, i))
			return vm;
	return NULL;
}

static void both_at_once(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		struct vm a, b;
		pthread_t other;
		void *wrong;

		start(&a, RAM);
		start(&b, round % 2 ? RAM : CAP);
		pthread_create(&other, NULL, touch_all, &a);
		assert_null(touch_all(&b));
		pthread_join(other, &wrong);
		assert_null(wrong);
		assert_true(counters(&a).share_read + counters(&b).share_read >=
			    PAGES);
		assert_int_equal(a.failures + b.failures, 0);
		expect_one_copy(&a);
		expect_sound(&a);
		expect_sound(&b);
		stop(&a);
		stop(&b);
	}
}

static void *touch_one(void *vm)
{
	(void)*byte_at(vm, 0);
	return NULL;
}

/* What comes of a file that is not what it was: an event, and no byte. */
static void changed_under_us(void **state)
{
	static const struct {
		off_t size;
		int error;
	} change[] = { { 0, -ENODATA }, { (PAGES + 1) * PAGE_SIZE, -ESTALE } };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		pthread_t toucher;
		struct vm vm;

		start(&vm, RAM);
		assert_int_equal(truncate(path, change[i].size), 0);
		pthread_create(&toucher, NULL, touch_one, &vm);
		while (!__atomic_load_n(&vm.failures, __ATOMIC_SEQ_CST))
			usleep(1000);
		assert_int_equal(vm.failure.error, change[i].error);
		assert_int_equal(vm.failure.gfn.v, AT);
		assert_string_equal(vm.failure.source, "share");
		assert_int_equal(counters(&vm).share_read, 0);
		stage2_stop(vm.s2);
		pthread_join(toucher, NULL);
		stage2_destroy(vm.s2);
		share_close(vm.share);
		swap_destroy(vm.swap);
		remove_file(NULL);
		make_file(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(second_vm_reads_nothing),
		TEST(its_pages_are_read_only),
		TEST(dropped_for_free),
		TEST(one_page_in_and_out),
		TEST(beside_ram),
		TEST(no_page_without_its_bit),
		TEST(both_at_once),
		TEST(changed_under_us),
	};

	if (!may_watch())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
