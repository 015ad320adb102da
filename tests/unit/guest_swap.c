/* SPDX-License-Identifier: MIT */
/*
 * The guest's swap on a disk of the host's memory: who writes, who reads, how
 * often, and that no byte and no slot is lost, whatever the disk does.
 */
#define GUEST_SWAPS
#include "guest/fs/block.h"
#include "guest/mm/reclaim.h"
#include "guest/mm/slab.h"
#include "tests/unit/guest_space_fixture.h"

#define BLOCKS 65u /* 64 slots */
#define BASE   MMAP_BASE
#define WORD   2048u

static char disk_page[BLOCKS][PAGE_SIZE];
static int disk_error;
static void (*meanwhile)(void); /* while the disk is busy */

static int transfer(struct block_device *d, uint64_t block, struct frame *f,
		    bool write)
{
	char *page = direct(frame_pa(f));

	(void)d;
	assert_true(f->flags & FRAME_BUSY || !block);
	if (meanwhile)
		meanwhile();
	if (disk_error)
		return disk_error;
	if (write)
		memcpy(disk_page[block], page, PAGE_SIZE);
	else
		memcpy(page, disk_page[block], PAGE_SIZE);
	return 0;
}

static const struct block_ops disk_ops = { .transfer = transfer };
static struct block_device other = { .ops = &disk_ops, .blocks = BLOCKS };
static struct block_device disk = { .ops = &disk_ops, .blocks = BLOCKS };
struct block_device *disks[] = { &other, &disk, NULL };

int block_transfer(struct block_device *d, uint64_t block, struct frame *f,
		   bool write)
{
	if (write)
		assert_ptr_equal(d, &disk);
	return d->ops->transfer(d, block, f, write);
}

void *vmalloc(size_t bytes)
{
	return malloc(bytes);
}

/* A disk with something on it is left alone, an empty one is taken. */
static int begin(void **state)
{
	(void)state;
	spaces_begin();
	other.readonly = true;
	disk_page[0][5] = 1;
	swap_init();
	assert_int_equal(counts.slots_total, 0);
	memcpy(disk_page[0] + PAGE_SIZE - 10, "SWAPSPACE2", 10);
	swap_init();
	assert_int_equal(counts.slots_total, BLOCKS - 1);
	return 0;
}

static uint64_t *word(struct space *s, uintptr_t va, uint64_t error)
{
	uint64_t *page = access_word(s, va, error);

	return page ? page + WORD / 8 : NULL;
}

static struct frame *frame_in(struct space *s, uintptr_t va)
{
	return leaf_frame(*table_walk(s->root, va).at);
}

static struct space *space_with(unsigned pages)
{
	struct space *s = space_new();

	assert_int_equal(
		map_anon(s, BASE, pages * PAGE_SIZE, PROT_READ | PROT_WRITE, 0),
		BASE);
	for (unsigned i = 0; i < pages; i++)
		*word(s, BASE + i * PAGE_SIZE, FAULT_W) = 1000 + i;
	return s;
}

/* What was done by [1] since [0]. */
static struct sys_counts since;

static void expect(uint64_t reads, uint64_t writes, uint64_t used)
{
	assert_int_equal(counts.swap_reads - since.swap_reads, reads);
	assert_int_equal(counts.swap_writes - since.swap_writes, writes);
	assert_int_equal(counts.slots_used, used);
	since = counts;
}

/* Written once, unmapped three times, read once, and shared again. */
static void three_share_a_page(void **state)
{
	struct space *s[3] = { space_with(1) };
	struct frame *f;

	(void)state;
	s[1] = space_fork(s[0]);
	s[2] = space_fork(s[0]);
	f = frame_in(s[0], BASE);
	assert_int_equal(f->maps, 3);
	since = counts;
	assert_true(swap_out(f));
	expect(0, 1, 1);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(s[i]->swapped, 1);
		assert_int_equal(*word(s[i], BASE, 0), 1000);
		check_counts(s[i]);
	}
	f = frame_in(s[2], BASE);
	assert_int_equal(f->maps, 3);
	expect(1, 0, 1);
	assert_true(swap_out(f)); /* it has not changed */
	expect(0, 0, 1);
	for (unsigned i = 0; i < 3; i++)
		*word(s[i], BASE, FAULT_W) = i;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(*word(s[i], BASE, 0), i);
	assert_int_equal(counts.slots_used, 0);
	for (unsigned i = 0; i < 3; i++)
		space_free(s[i]);
}

/* A page that was written to is another page. */
static void changed_pages_are_written_again(void **state)
{
	struct space *s = space_with(1);

	(void)state;
	since = counts;
	assert_true(swap_out(frame_in(s, BASE)));
	expect(0, 1, 1);
	*word(s, BASE, FAULT_W) += 1;
	expect(1, 0, 0);
	assert_true(swap_out(frame_in(s, BASE)));
	expect(0, 1, 1);
	assert_int_equal(*word(s, BASE, 0), 1001);
	space_munmap(s, BASE, PAGE_SIZE);
	expect(1, 0, 0);
	space_free(s);
}

static struct space *racer;

static void read_meanwhile(void)
{
	meanwhile = NULL;
	assert_int_equal(*word(racer, BASE, 0), 1000);
}

static void write_meanwhile(void)
{
	meanwhile = NULL;
	*word(racer, BASE, FAULT_W) = 7;
}

static void leave_meanwhile(void)
{
	meanwhile = NULL;
	space_munmap(racer, BASE, PAGE_SIZE);
}

/* While it is written its user reads the page, changes it, or gives it up. */
static void used_while_written(void **state)
{
	struct frame *f;

	(void)state;
	racer = space_with(1);
	f = frame_in(racer, BASE);
	since = counts;
	meanwhile = read_meanwhile;
	assert_true(swap_out(f));
	expect(0, 1, 1);
	*word(racer, BASE, FAULT_W) = 1000;
	expect(1, 0, 0);
	f = frame_in(racer, BASE);
	meanwhile = write_meanwhile;
	assert_true(swap_out(f));
	assert_ptr_not_equal(frame_in(racer, BASE), f);
	assert_int_equal(*word(racer, BASE, 0), 7);
	expect(0, 1, 0);
	meanwhile = leave_meanwhile;
	assert_true(swap_out(frame_in(racer, BASE)));
	expect(0, 1, 0);
	space_free(racer);
}

/* What cannot be written stays; what cannot be read is asked for again. */
static void the_disk_fails(void **state)
{
	struct space *s = space_with(2);

	(void)state;
	since = counts;
	disk_error = -EIO;
	assert_false(swap_out(frame_in(s, BASE)));
	assert_int_equal(*word(s, BASE, 0), 1000);
	*word(s, BASE, FAULT_W) = 5;
	expect(0, 1, 0);
	disk_error = 0;
	assert_true(swap_out(frame_in(s, BASE + PAGE_SIZE)));
	disk_error = -EIO;
	assert_null(word(s, BASE + PAGE_SIZE, 0));
	assert_null(word(s, BASE + PAGE_SIZE, FAULT_W));
	expect(2, 1, 1);
	disk_error = 0;
	assert_int_equal(*word(s, BASE + PAGE_SIZE, 0), 1001);
	assert_int_equal(*word(s, BASE, 0), 5);
	space_free(s);
	assert_int_equal(counts.slots_used, 0);
}

/* A full disk takes no more, and what it refused is there. */
static void the_disk_is_full(void **state)
{
	struct space *s = space_with(BLOCKS);

	(void)state;
	for (unsigned i = 0; i < BLOCKS; i++)
		assert_int_equal(swap_out(frame_in(s, BASE + i * PAGE_SIZE)),
				 i < BLOCKS - 1);
	assert_int_equal(s->resident, 1);
	for (unsigned i = 0; i < BLOCKS; i++)
		assert_int_equal(*word(s, BASE + i * PAGE_SIZE, 0), 1000 + i);
	space_free(s);
	assert_int_equal(counts.slots_used, 0);
}

/* Pages of shared memory: the slot is its owner's. */
static void shared_pages(void **state)
{
	struct frame *f = frame_alloc(FRAME_FILE);
	uint32_t slot;

	(void)state;
	f->flags |= FRAME_BUSY; /* as the page cache does */
	*(uint64_t *)direct(frame_pa(f)) = 77;
	assert_int_equal(swap_transfer(NULL, f, true), 0);
	slot = f->slot;
	assert_int_equal(swap_transfer(NULL, f, true), 0);
	assert_int_equal(f->slot, slot);
	*(uint64_t *)direct(frame_pa(f)) = 0;
	assert_int_equal(swap_transfer(NULL, f, false), 0);
	assert_int_equal(*(uint64_t *)direct(frame_pa(f)), 77);
	assert_int_equal(counts.slots_used, 1);
	frame_put(f);
	swap_put(slot);
	assert_int_equal(counts.slots_used, 0);
}

static struct frame *last(bool active)
{
	uint32_t n = counts.lru[LRU_ANON][active].last;

	return n ? frames + n : NULL;
}

/* What was used longest ago is last; what is freed is in no list. */
static void lists(void **state)
{
	struct space *s = space_with(8);
	struct frame *f[8];

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		f[i] = frame_in(s, BASE + i * PAGE_SIZE);
	lru_gather(UINT32_MAX);
	assert_int_equal(counts.lru[LRU_ANON][false].count, 8);
	assert_int_equal(counts.lru[LRU_ANON][true].count, 0);
	lru_move(f[3], true);
	lru_move(f[5], true);
	assert_ptr_equal(last(true), f[3]);
	space_munmap(s, BASE + 3 * PAGE_SIZE, PAGE_SIZE);
	assert_ptr_equal(last(true), f[5]);
	lru_gather(UINT32_MAX);
	assert_int_equal(counts.lru[LRU_ANON][false].count, 6);
	assert_int_equal(counts.lru[LRU_FILE][false].count, 0);
	space_free(s);
	assert_int_equal(counts.lru[LRU_ANON][false].count, 0);
	assert_int_equal(counts.lru[LRU_ANON][true].count, 0);
}

#define SPACES 5u
#define PAGES  24u

static struct {
	struct space *s;
	uint64_t value[PAGES];
} model[SPACES];

static uint64_t seed = 3;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

static void fork_into(unsigned to, unsigned from)
{
	if (model[to].s)
		space_free(model[to].s);
	model[to] = model[from];
	model[to].s = space_fork(model[from].s);
	assert_non_null(model[to].s);
}

static void evict_some(void)
{
	struct frame *f;

	lru_gather(UINT32_MAX);
	f = last(false);
	if (!f)
		return;
	lru_move(f, false);
	if (f->count == f->maps)
		swap_out(f);
}

static void step(void)
{
	unsigned i = random_below(SPACES), page = random_below(PAGES);
	uintptr_t va = BASE + page * PAGE_SIZE;

	if (!model[i].s)
		return;
	switch (random_below(8)) {
	case 0:
		if (random_below(8) == 0)
			fork_into((i + 1 + random_below(SPACES - 1)) % SPACES,
				  i);
		break;
	case 1:
	case 2:
	case 3:
		evict_some();
		break;
	case 4:
	case 5:
		model[i].value[page] = random_below(1u << 30);
		*word(model[i].s, va, FAULT_W) = model[i].value[page];
		break;
	default:
		assert_int_equal(*word(model[i].s, va, 0),
				 model[i].value[page]);
	}
}

static void storm(void **state)
{
	uint64_t frames_before = counts.frames[FRAME_ANON];

	(void)state;
	model[0].s = space_with(PAGES);
	for (unsigned i = 0; i < PAGES; i++)
		model[0].value[i] = 1000 + i;
	for (unsigned i = 0; i < 100000; i++) {
		step();
		for (unsigned j = 0; i % 512 == 0 && j < SPACES; j++)
			if (model[j].s)
				check_counts(model[j].s);
	}
	assert_true(counts.swap_writes > 5000);
	for (unsigned i = 0; i < SPACES; i++)
		if (model[i].s)
			space_free(model[i].s);
	assert_int_equal(counts.slots_used, 0);
	assert_int_equal(counts.frames[FRAME_ANON], frames_before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_share_a_page),
		cmocka_unit_test(changed_pages_are_written_again),
		cmocka_unit_test(used_while_written),
		cmocka_unit_test(the_disk_fails),
		cmocka_unit_test(the_disk_is_full),
		cmocka_unit_test(shared_pages),
		cmocka_unit_test(lists),
		cmocka_unit_test(storm),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
