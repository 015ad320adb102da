/* SPDX-License-Identifier: MIT */
/*
 * The page cache and its tree: against a flat array, and by exact counts of
 * what is read, written and kept.
 */
#include "tests/unit/guest_disk.h"

#define PAGES 64u

/* Indices of all sizes: the tree grows and shrinks again. */
static uint64_t index_of(unsigned i)
{
	return i < 40 ? i * 37ul : 1ul << (i - 1);
}

/* What the tree's nodes are: nothing else is allocated here meanwhile. */
static uint64_t objects_used(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < CACHES; i++)
		sum += caches[i].objects_used;
	return sum;
}

static void tree_against_an_array(void **state)
{
	uint64_t want[PAGES] = { 0 }, before = objects_used();
	struct radix r = { 0 };

	(void)state;
	for (unsigned n = 0; n < 20000; n++) {
		unsigned i = (unsigned)random_below(PAGES);
		uint64_t to = random_below(2) ? 2 * random_below(1000) + 2 : 0;
		uint64_t wrong = want[i] + 2;

		assert_int_equal(radix_get(&r, index_of(i)), want[i]);
		assert_int_equal(radix_replace(&r, index_of(i), wrong, to),
				 -OUR_EAGAIN);
		assert_int_equal(radix_replace(&r, index_of(i), want[i], to),
				 0);
		want[i] = to;
		if (n % 100)
			continue;
		uint64_t at = 0, word;

		for (unsigned k = 0; k < PAGES; k++) {
			if (!want[k])
				continue;
			assert_true(radix_next(&r, &at, &word));
			assert_int_equal(at, index_of(k));
			assert_int_equal(word, want[k]);
			at++;
		}
		assert_false(radix_next(&r, &at, &word));
	}
	for (unsigned i = 0; i < PAGES; i++)
		radix_replace(&r, index_of(i), want[i], 0);
	assert_int_equal(r.top | r.levels, 0);
	assert_int_equal(objects_used(), before);
}

/* An object whose page n is full of the letter that store[n] has. */
static char store[PAGES];
static unsigned reads, writes, forgotten, fail_reads, fail_writes;
static uint32_t read_slot;

static int object_read(struct mapping *m, struct frame *f)
{
	(void)m;
	assert_true(f->flags & FRAME_BUSY);
	if (fail_reads && fail_reads--)
		return -OUR_EIO;
	reads++;
	read_slot = f->slot;
	memset(frame_bytes(f), store[f->index], PAGE_SIZE);
	return 0;
}

static int object_write(struct mapping *m, struct frame *f)
{
	(void)m;
	if (fail_writes && fail_writes--)
		return -OUR_EIO;
	writes++;
	store[f->index] = *(char *)frame_bytes(f);
	return 0;
}

static int object_transfer(struct mapping *m, struct frame *f, bool write)
{
	return write ? object_write(m, f) : object_read(m, f);
}

void swap_put(uint32_t slot)
{
	assert_int_equal(slot, 77);
	forgotten++;
}

static const struct mapping_ops object_ops = {
	.transfer = object_transfer,
};

static struct mapping object;

static int begin(void **state)
{
	(void)state;
	mapping_init(&object, &object_ops);
	for (unsigned i = 0; i < PAGES; i++)
		store[i] = (char)('0' + i);
	reads = writes = forgotten = fail_reads = fail_writes = 0;
	return 0;
}

static int finish(void **state)
{
	(void)state;
	mapping_discard(&object, 0, UINT64_MAX);
	assert_int_equal(object.frames, 0);
	assert_int_equal(object.unsaved, 0);
	assert_int_equal(counts.frames[FRAME_FILE], 0);
	return 0;
}

static struct frame *get(uint64_t index)
{
	struct frame *f;

	assert_int_equal(mapping_get(&object, index, &f), 0);
	assert_int_equal(f->index, index);
	assert_ptr_equal(f->owner, &object);
	return f;
}

static void put(uint64_t index, char c)
{
	struct frame *f = get(index);

	*(char *)frame_bytes(f) = c;
	mapping_dirty(f);
	frame_put(f);
}

/* One read a page, however often it is wanted. */
static void read_once(void **state)
{
	struct sys_counts before = counts;

	(void)state;
	assert_int_equal(radix_get(&object.pages, 3), 0);
	for (unsigned n = 0; n < 3; n++)
		for (unsigned i = 0; i < PAGES; i++) {
			struct frame *f = get(i);

			assert_int_equal(*(char *)frame_bytes(f), '0' + i);
			assert_int_equal(f->count, 2);
			frame_put(f);
		}
	assert_int_equal(reads, PAGES);
	assert_int_equal(object.frames, PAGES);
	assert_int_equal(counts.cache_misses - before.cache_misses, PAGES);
	assert_int_equal(counts.cache_hits - before.cache_hits, 2 * PAGES);
}

/* What cannot be read is not there, and is tried again. */
static void read_fails(void **state)
{
	struct frame *f;

	(void)state;
	fail_reads = 1;
	assert_int_equal(mapping_get(&object, 5, &f), -OUR_EIO);
	assert_int_equal(object.frames, 0);
	frame_put(get(5));
	assert_int_equal(reads, 1);
}

/* Dirty pages are written once, in the range asked for, and stay if not. */
static void written_back(void **state)
{
	(void)state;
	for (unsigned i = 10; i < 20; i++) {
		put(i, 'x');
		put(i, 'y');
	}
	assert_int_equal(object.unsaved, 10);
	assert_int_equal(mapping_sync(&object, 12, 15), 0);
	assert_int_equal(writes, 3);
	fail_writes = 1;
	assert_int_equal(mapping_sync(&object, 0, UINT64_MAX), -OUR_EIO);
	assert_int_equal(writes, 9);
	assert_int_equal(object.unsaved, 1);
	assert_int_equal(mapping_sync(&object, 0, UINT64_MAX), 0);
	assert_int_equal(writes, 10);
	for (unsigned i = 0; i < PAGES; i++)
		assert_int_equal(store[i] == 'y', i >= 10 && i < 20);
	assert_int_equal(mapping_sync(&object, 0, UINT64_MAX), 0);
	assert_int_equal(writes, 10);
}

/* A page that is mapped loses the right to be written before it is stored. */
static void mapped(void **state)
{
	struct frame *f = get(1);

	(void)state;
	f->maps = 1;
	mapping_dirty(f);
	protected = 0;
	assert_int_equal(mapping_sync(&object, 0, 2), 0);
	assert_int_equal(protected, 1);
	assert_false(mapping_evict(f));
	mapping_discard(&object, 1, UINT64_MAX);
	assert_int_equal(f->maps, 0);
	assert_null(f->owner);
	frame_put(f);
}

/* Only what is clean and held by nobody is evicted. */
static void evicted(void **state)
{
	struct frame *f = get(1);

	(void)state;
	assert_false(mapping_evict(f));
	mapping_dirty(f);
	frame_put(f);
	assert_false(mapping_evict(f));
	assert_int_equal(mapping_drop_all(), 0);
	assert_int_equal(mapping_sync(&object, 0, 2), 0);
	assert_int_equal(mapping_drop_all(), 1);
	assert_int_equal(object.frames, 0);
	frame_put(get(1));
	assert_int_equal(reads, 2);
}

/* What is cut off is not written, and read anew. */
static void truncated(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++)
		put(i, 'x');
	mapping_discard(&object, 3, 5);
	mapping_discard(&object, 10, UINT64_MAX);
	assert_int_equal(object.unsaved, 8);
	assert_int_equal(mapping_sync(&object, 0, UINT64_MAX), 0);
	assert_int_equal(writes, 8);
	frame_put(get(3));
	assert_int_equal(reads, 21);
}

/* Shared memory: a page that leaves for swap is a slot in the tree. */
static void in_a_slot(void **state)
{
	struct frame *f = get(9);

	(void)state;
	f->slot = 77;
	frame_put(f);
	assert_true(mapping_evict(f));
	assert_int_equal(radix_get(&object.pages, 9) & 1, 1);
	frame_put(get(9));
	assert_int_equal(read_slot, 77);
	mapping_discard(&object, 0, UINT64_MAX);
	assert_int_equal(forgotten, 1);
	frame_put(get(9));
	assert_int_equal(read_slot, 0);
}

#define IN_OBJECT(test) cmocka_unit_test_setup_teardown(test, begin, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tree_against_an_array),
		IN_OBJECT(read_once),
		IN_OBJECT(read_fails),
		IN_OBJECT(written_back),
		IN_OBJECT(mapped),
		IN_OBJECT(evicted),
		IN_OBJECT(truncated),
		IN_OBJECT(in_a_slot),
	};

	guest_ram();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
