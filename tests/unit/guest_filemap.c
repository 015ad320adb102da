/* SPDX-License-Identifier: MIT */
/* Areas that show a file, private and shared; and memory that is shared. */
#include "guest/mm/mapping.h"
#include "guest/mm/anon.h"
#include "tests/unit/guest_space_fixture.h"

#define FILE_PAGES 4u
#define AT	   0x500000ul

static struct mapping file;
static unsigned reads, writes;
static char stored[FILE_PAGES][PAGE_SIZE];

static int transfer_page(struct mapping *m, struct frame *f, bool write)
{
	(void)m;
	if (write) {
		writes++;
		memcpy(stored[f->index], frame_bytes(f), PAGE_SIZE);
	} else {
		reads++;
		memcpy(frame_bytes(f), stored[f->index], PAGE_SIZE);
	}
	return 0;
}

static const struct mapping_ops file_ops = { .transfer = transfer_page };

static int begin(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FILE_PAGES; i++)
		memset(stored[i], 'a' + (int)i, PAGE_SIZE);
	mapping_init(&file, &file_ops);
	reads = writes = faults = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	mapping_discard(&file, 0, UINT64_MAX);
	assert_int_equal(file.frames, 0);
	assert_null(file.vmas);
	return 0;
}

static struct space *show(unsigned prot, unsigned flags, uint64_t file_end)
{
	struct space *s = space_new();
	size_t bytes = file_end == FILE_ALL ? FILE_PAGES * PAGE_SIZE
					    : page_up(file_end);
	struct vma want = {
		.start = AT,
		.end = AT + bytes,
		.prot = prot,
		.flags = flags,
		.kind = VMA_FILE,
		.mapping = &file,
		.shift = -(AT >> PAGE_SHIFT),
		.file_end = file_end,
	};

	assert_int_equal(space_map(s, want), 0);
	return s;
}

static char *byte_at(struct space *s, unsigned page, size_t offset,
		     uint64_t error)
{
	return (char *)access_word(s, AT + page * PAGE_SIZE + offset, error);
}

/* Two who run one program: its text is one frame, and read once. */
static void test_text(void **state)
{
	struct space *a = show(PROT_READ | PROT_EXEC, 0, FILE_ALL);
	struct space *b = show(PROT_READ | PROT_EXEC, 0, FILE_ALL);
	struct frame *f;

	(void)state;
	assert_int_equal(*byte_at(a, 1, 0, FAULT_I), 'b');
	assert_int_equal(*byte_at(b, 1, 9, 0), 'b');
	assert_int_equal(reads, 1);
	f = leaf_frame(*leaf_at(a, AT + PAGE_SIZE));
	assert_ptr_equal(f, leaf_frame(*leaf_at(b, AT + PAGE_SIZE)));
	assert_int_equal(f->maps, 2);
	assert_int_equal(f->count, 3);
	assert_null(byte_at(a, 1, 0, FAULT_W));
	space_free(a);
	space_free(b);
	assert_int_equal(f->count, 1);
}

/* Data: the file's bytes, then zeros; what is written stays here. */
static void test_data(void **state)
{
	struct space *s = show(PROT_READ | PROT_WRITE, 0, PAGE_SIZE + 100);

	(void)state;
	assert_int_equal(*byte_at(s, 0, 4000, 0), 'a');
	assert_int_equal(s->resident, 1);
	assert_int_equal(*byte_at(s, 1, 99, 0), 'b');
	assert_int_equal(*byte_at(s, 1, 100, 0), 0);
	assert_int_equal(reads, 2);
	assert_int_equal(faults, 2);
	*byte_at(s, 0, 0, FAULT_W) = 'x';
	*byte_at(s, 1, 0, FAULT_W) = 'y';
	assert_int_equal(faults, 3); /* the second page was a copy already */
	assert_int_equal(mapping_sync(&file, 0, FILE_PAGES), 0);
	assert_int_equal(writes, 0);
	assert_int_equal(*byte_at(s, 0, 0, 0), 'x');
	assert_int_equal(space_madvise(s, AT, PAGE_SIZE, MADVISE_DONTNEED), 0);
	assert_int_equal(*byte_at(s, 0, 0, 0), 'a');
	space_free(s);
}

/* Every write after a store is stored again: the right to write went. */
static void test_shared(void **state)
{
	struct space *s = show(PROT_READ | PROT_WRITE, MAP_SHARED, FILE_ALL);
	struct space *child;

	(void)state;
	assert_int_equal(*byte_at(s, 3, 0, 0), 'd');
	assert_int_equal(file.unsaved, 0);
	child = space_fork(s);
	for (char i = 0; i < 5; i++) {
		faults = 0;
		*byte_at(child, 3, 8, FAULT_W) = i;
		*byte_at(child, 3, 16, FAULT_W) = i;
		assert_int_equal(faults, 1);
		assert_int_equal(*byte_at(s, 3, 8, 0), i);
		assert_int_equal(file.unsaved, 1);
		assert_int_equal(space_madvise(s, AT, FILE_PAGES * PAGE_SIZE,
					       MADVISE_SYNC),
				 0);
		assert_int_equal(file.unsaved, 0);
		assert_int_equal(writes, i + 1);
		assert_int_equal(stored[3][16], i);
	}
	assert_int_equal(reads, 1);
	mapping_discard(&file, 3, UINT64_MAX);
	assert_int_equal(s->resident, 0);
	assert_int_equal(child->resident, 0);
	file.end = 3; /* what the area shows behind that is nothing */
	assert_int_equal(fault_resolve(s, AT + 3 * PAGE_SIZE, FAULT_U),
			 -EFAULT);
	assert_int_equal(
		fault_resolve(child, AT + 3 * PAGE_SIZE, FAULT_U | FAULT_W),
		-EFAULT);
	assert_int_equal(file.frames, 0);
	space_free(s);
	space_free(child);
}

/* Memory without a file: the same pages for relatives, gone with the last. */
static void test_memory(void **state)
{
	uint64_t promised = promisable();
	struct space *s = space_new(), *child;
	struct mapping *m = shared_new(FILE_PAGES);
	struct vma want = {
		.start = AT,
		.end = AT + FILE_PAGES * PAGE_SIZE,
		.prot = PROT_READ | PROT_WRITE,
		.flags = MAP_SHARED,
		.kind = VMA_SHARED,
		.mapping = m,
		.shift = -(AT >> PAGE_SHIFT),
		.file_end = FILE_ALL,
	};

	(void)state;
	assert_int_equal(space_map(s, want), 0);
	m->ops->release(m);
	child = space_fork(s);
	assert_int_equal(*byte_at(s, 0, 0, 0), 0);
	*byte_at(child, 0, 0, FAULT_W) = 5;
	*byte_at(child, 2, 0, FAULT_W) = 6;
	assert_int_equal(faults, 3);
	assert_int_equal(*byte_at(s, 0, 0, 0), 5);
	space_free(s);
	assert_int_equal(m->frames, 2);
	assert_int_equal(*byte_at(child, 2, 0, 0), 6);
	space_free(child);
	assert_in_range(promised - promisable(), 0, 1);
	assert_int_equal(counts.frames[FRAME_FILE], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_text, begin, end),
		cmocka_unit_test_setup_teardown(test_data, begin, end),
		cmocka_unit_test_setup_teardown(test_shared, begin, end),
		cmocka_unit_test_setup_teardown(test_memory, begin, end),
	};

	spaces_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
