/* SPDX-License-Identifier: MIT */
/* kmalloc and its caches: no two objects overlap, and all frames come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guest/mm/slab.h"
#include "tests/unit/guest_fixture.h"

#define HELD 3000u

static int setup(void **state)
{
	(void)state;
	guest_ram();
	return 0;
}

static struct cache slab(const char *name)
{
	for (unsigned i = 0; i < CACHES; i++)
		if (!strcmp(caches[i].name, name))
			return caches[i];
	fail_msg("no cache %s", name);
	return (struct cache){ 0 };
}

static bool all_bytes(const uint8_t *from, uint8_t byte, size_t n)
{
	while (n && *from == byte)
		from++, n--;
	return !n;
}

struct held {
	uint8_t *p;
	uint32_t bytes;
	uint8_t fill;
};

static void take_or_give(struct held *h)
{
	if (h->p) {
		assert_true(all_bytes(h->p, h->fill, h->bytes));
		kfree(h->p);
		h->p = NULL;
		return;
	}
	h->bytes = 1 + random_below(1u << random_below(15));
	h->fill = (uint8_t)random_below(256);
	h->p = kmalloc(h->bytes);
	assert_non_null(h->p);
	assert_int_equal((uintptr_t)h->p % 8, 0);
	memset(h->p, h->fill, h->bytes);
}

static void storm(bool debug)
{
	static struct held held[HELD];
	debug_checks = debug;
	assert_int_equal(frames_used(), 0);
	for (unsigned i = 0; i < 100000; i++)
		take_or_give(&held[random_below(HELD)]);
	for (unsigned i = 0; i < HELD; i++)
		if (held[i].p)
			take_or_give(&held[i]);
	assert_int_equal(frames_used(), 0);
	for (unsigned i = 0; i < CACHES; i++) {
		assert_int_equal(caches[i].objects_used, 0);
		assert_int_equal(caches[i].frames, 0);
	}
	debug_checks = false;
}

static void storm_plain(void **state)
{
	(void)state;
	storm(false);
}

/* The stock has frames that nobody poisoned: they are taken out first. */
static void storm_checked(void **state)
{
	struct frame *f;
	uint32_t all = 0;

	(void)state;
	while ((f = frame_alloc_raw(FRAME_ANON))) {
		f->index = all;
		all = (uint32_t)(f - frames);
	}
	debug_checks = true;
	while (all) {
		f = frames + all;
		all = (uint32_t)f->index;
		frame_put(f);
	}
	storm(true);
}

static void slabs_count(void **state)
{
	void *p[129];

	(void)state;
	for (unsigned i = 0; i < 129; i++)
		p[i] = kmalloc(50);
	assert_int_equal(slab("kmalloc-56").objects_used, 129);
	assert_int_equal(slab("kmalloc-56").frames, 3);
	assert_int_equal(counts.frames[FRAME_SLAB], 3);
	kfree(p[128]);
	assert_int_equal(slab("kmalloc-56").frames, 2);
	kfree(p[7]);
	assert_ptr_equal(kmalloc(56), p[7]);
	for (unsigned i = 0; i < 128; i++)
		kfree(p[i]);
	assert_int_equal(slab("kmalloc-56").frames, 0);
	assert_int_equal(frames_used(), 0);
}

static void sizes(void **state)
{
	void *p = kmalloc(2041), *q = kzalloc(2040), *r = kmalloc(4u << 20);

	(void)state;
	assert_int_equal(counts.frames[FRAME_KERNEL], 1 + 1024);
	assert_int_equal(slab("kmalloc-2040").objects_used, 1);
	assert_true(all_words(q, 0, 255));
	assert_null(kmalloc((4u << 20) + 1));
	assert_null(kmalloc(SIZE_MAX));
	kfree(p);
	kfree(q);
	kfree(r);
	kfree(NULL);
	p = kmalloc(0);
	assert_int_equal(slab("kmalloc-24").objects_used, 1);
	kfree(p);
	assert_int_equal(frames_used(), 0);
}

/* On objects of every size; what is done to them is undone. */
static void abuse_is_caught(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		broken_concept = i ? "kmalloc" : "";
		for (size_t bytes = 1; bytes <= LARGEST_OBJECT; bytes *= 2)
			for (int a = 0; a <= ABUSE_USE_AFTER_FREE; a++)
				assert_int_equal(kmalloc_abuse(bytes, a), !i);
	}
	broken_concept = "";
	assert_int_equal(frames_used(), 0);
}

static void fails_loudly(void **state)
{
	char *p = kmalloc(56), *q = kmalloc(56);

	(void)state;
	p[56] ^= 1;
	assert_panics(kfree(p), "past its end");
	p[56] ^= 1;
	kfree(p);
	assert_panics(kfree(p), "free already");
	assert_ptr_equal(kmalloc(56), p);
	debug_checks = true;
	kfree(p);
	debug_checks = false;
	assert_panics(kfree(p), "free already");
	p[55] = 0;
	assert_panics(kmalloc(56), "after it was freed");
	(void)q;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(storm_plain),
		cmocka_unit_test(slabs_count),
		cmocka_unit_test(sizes),
		cmocka_unit_test(abuse_is_caught),
		cmocka_unit_test(storm_checked),
		cmocka_unit_test(fails_loudly),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
