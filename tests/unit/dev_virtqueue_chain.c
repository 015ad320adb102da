/* SPDX-License-Identifier: MIT */
/* Chains: descriptors, direct and indirect, and the bytes they lend. Cases C4 to
 * C11 are those of docs/hostile.md. */
#include "tests/unit/queue_fixture.h"

/* C4 */
static void loops_and_lengths(void **state)
{
	(void)state;
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_NEXT, 0);
	offer(SIZE, 0);
	take_broken();
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_NEXT, 1);
	put_desc(DESC, 1, BUFFERS, 16, VQ_DESC_NEXT, 0);
	take_broken();
	put_chain(DESC, SIZE, 1); /* exactly the queue's size */
	take(VQ_TAKEN);
	assert_int_equal(chain.segments, SIZE);
	/* one more, by way of an indirect table behind direct descriptors */
	put_chain(DESC, 2, 0);
	put_desc(DESC, 2, TABLE, (SIZE - 1) * 16, VQ_DESC_INDIRECT, 0);
	put_desc(DESC, 1, BUFFERS, 16, VQ_DESC_NEXT, 2);
	put_chain(TABLE, SIZE - 1, 1);
	offer(SIZE, 0);
	take_broken();
	put_chain(TABLE, SIZE - 2, 1);
	take(VQ_TAKEN);
	assert_int_equal(chain.segments, SIZE);
}

static void an_indirect_chain_is_a_chain(void **state)
{
	(void)state;
	put_chain(TABLE, SIZE, 3);
	put_desc(DESC, 5, TABLE, SIZE * 16, VQ_DESC_INDIRECT, 0xffff);
	offer(SIZE, 5);
	take(VQ_TAKEN);
	assert_int_equal(chain.head, 5);
	assert_int_equal(chain.segments, SIZE);
	assert_int_equal(chain.readable, SIZE - 3);
}

/* C6 */
static void indirect_tables_that_make_no_sense(void **state)
{
	static const struct {
		uint64_t at;
		uint32_t len;
		unsigned flags;
	} bad[] = {
		{ TABLE, 0, VQ_DESC_INDIRECT },
		{ TABLE, 8, VQ_DESC_INDIRECT },
		{ TABLE, 17, VQ_DESC_INDIRECT },
		{ TABLE, (SIZE + 1) * 16, VQ_DESC_INDIRECT },
		{ TABLE, UINT32_MAX & ~15u, VQ_DESC_INDIRECT },
		{ TABLE, 16, VQ_DESC_INDIRECT | VQ_DESC_NEXT },
		{ HOLE, 16, VQ_DESC_INDIRECT },
		{ LOW_END - 16, 32, VQ_DESC_INDIRECT },
		{ UINT64_MAX - 7, 16, VQ_DESC_INDIRECT },
	};

	(void)state;
	put_chain(TABLE, 2, 1);
	offer(SIZE, 0);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_desc(DESC, 0, bad[i].at, bad[i].len, bad[i].flags, 1);
		take_broken();
	}
	/* nested, and next beyond its own table */
	put_desc(DESC, 0, TABLE, 32, VQ_DESC_INDIRECT, 0);
	put_desc(TABLE, 0, TABLE, 32, VQ_DESC_INDIRECT, 0);
	take_broken();
	put_desc(TABLE, 0, BUFFERS, 16, VQ_DESC_NEXT, 2);
	take_broken();
	put_desc(TABLE, 0, BUFFERS, 16, VQ_DESC_NEXT, 0);
	take_broken();
	/* where it was not negotiated */
	put_desc(TABLE, 0, BUFFERS, 16, 0, 0);
	q.indirect = false;
	take_broken();
	q.indirect = true;
	take(VQ_TAKEN);
}

/* C7: no address is looked at before it is used; then there is an error, and
 * no access beyond RAM. */
static void addresses_that_are_no_ram(void **state)
{
	static const struct {
		uint64_t at;
		uint32_t len;
	} bad[] = {
		{ HOLE, 16 },
		{ LOW_END - 8, 16 },
		{ HIGH + LOW_END - 8, 16 },
		{ UINT64_MAX, 16 },
		{ UINT64_MAX - 15, 32 },
		{ UINT64_C(1) << 52, 16 },
	};
	uint8_t bytes[32] = { 0 };

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_desc(DESC, 0, bad[i].at, bad[i].len, VQ_DESC_NEXT, 1);
		put_desc(DESC, 1, bad[i].at, bad[i].len, VQ_DESC_WRITE, 0);
		offer(SIZE, 0);
		take(VQ_TAKEN);
		assert_false(chain_read(&q, &chain, 0, bytes, bad[i].len));
		assert_false(chain_write(&q, &chain, 0, bytes, bad[i].len));
	}
}

/* C8 */
static void lengths_that_make_no_sense(void **state)
{
	(void)state;
	offer(SIZE, 0);
	put_desc(DESC, 0, BUFFERS, 0, 0, 0);
	take_broken();
	put_desc(DESC, 0, BUFFERS, UINT32_MAX, VQ_DESC_NEXT, 1);
	put_desc(DESC, 1, BUFFERS, 1, 0, 0);
	take_broken(); /* 2^32 bytes in all */
	put_desc(DESC, 1, BUFFERS, 1, VQ_DESC_WRITE, 0);
	take(VQ_TAKEN); /* to be read, so many; no access yet */
	assert_int_equal(chain.read_bytes, UINT32_MAX);
	assert_int_equal(chain.write_bytes, 1);
}

/* C9 */
static void readable_ones_come_first(void **state)
{
	(void)state;
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_NEXT | VQ_DESC_WRITE, 1);
	put_desc(DESC, 1, BUFFERS, 16, 0, 0);
	offer(SIZE, 0);
	take_broken();
	put_chain(DESC, 3, 3);
	take(VQ_TAKEN);
	assert_int_equal(chain.readable, 0);
	offer(SIZE, 0);
	put_chain(DESC, 3, 0);
	take(VQ_TAKEN);
	assert_int_equal(chain.readable, 3);
	assert_int_equal(chain.write_bytes, 0);
}

/* C10: the same head twice, and a buffer that is the used ring. */
static void what_overlaps_is_the_guests_loss(void **state)
{
	uint8_t bytes[16] = { 0xff, 0xff };

	(void)state;
	put_desc(DESC, 0, DEVICE, 16, VQ_DESC_WRITE, 0);
	offer(SIZE, 0);
	offer(SIZE, 0);
	take(VQ_TAKEN);
	assert_true(chain_write(&q, &chain, 0, bytes, 16));
	assert_true(virtqueue_give(&q, &(struct vq_used){ 0, 16 }, 1));
	assert_int_equal(used_idx(), 1);
	take(VQ_TAKEN);
	assert_true(virtqueue_give(&q, &(struct vq_used){ 0, 16 }, 1));
	assert_int_equal(used_idx(), 2);
}

/* C11: what was checked is a copy, which no later change reaches. */
static void a_chain_is_a_copy(void **state)
{
	(void)state;
	put_chain(TABLE, 2, 1);
	put_desc(DESC, 0, TABLE, 32, VQ_DESC_INDIRECT, 0);
	offer(SIZE, 0);
	take(VQ_TAKEN);
	put_desc(TABLE, 0, HOLE, UINT32_MAX, VQ_DESC_NEXT, 0);
	put_desc(DESC, 0, HOLE, 1, VQ_DESC_NEXT, 0);
	assert_int_equal(chain.segment[0].at.v, BUFFERS);
	assert_int_equal(chain.segment[0].len, 16);
}

/* Bytes across descriptors and pages, at every offset and length. */
static void copies_go_through_all_segments(void **state)
{
	static const uint32_t len[] = { 1, 100, 5000, 3, 16 };
	uint8_t want[5120], got[5120];
	uint32_t all = 0;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		put_desc(DESC, i, BUFFERS + i * 3 * PAGE_SIZE + 4000, len[i],
			 i < 4 ? VQ_DESC_NEXT : 0, i + 1);
		all += len[i];
	}
	assert_int_equal(all, 5120);
	for (unsigned i = 0; i < all; i++)
		want[i] = (uint8_t)(i * 7 + i / 256);
	/* written as a chain of writable ones, read as one of readable ones */
	for (unsigned i = 0; i < 5; i++)
		put16(DESC + 16 * i + 12,
		      (i < 4 ? VQ_DESC_NEXT : 0) | VQ_DESC_WRITE);
	offer(SIZE, 0);
	take(VQ_TAKEN);
	assert_false(chain_write(&q, &chain, 1, want, all));
	assert_false(chain_write(&q, &chain, all, want, 1));
	assert_true(chain_write(&q, &chain, all, want, 0));
	assert_true(chain_write(&q, &chain, 0, want, 1000));
	assert_true(chain_write(&q, &chain, 1000, want + 1000, all - 1000));
	for (unsigned i = 0; i < 5; i++)
		put16(DESC + 16 * i + 12, i < 4 ? VQ_DESC_NEXT : 0);
	offer(SIZE, 0);
	take(VQ_TAKEN);
	for (uint32_t offset = 0; offset < all; offset += 99) {
		memset(got, 0, sizeof(got));
		assert_true(chain_read(&q, &chain, offset, got, all - offset));
		assert_memory_equal(got, want + offset, all - offset);
		assert_false(
			chain_read(&q, &chain, offset, got, all - offset + 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(loops_and_lengths),
		TEST(an_indirect_chain_is_a_chain),
		TEST(indirect_tables_that_make_no_sense),
		TEST(addresses_that_are_no_ram),
		TEST(lengths_that_make_no_sense),
		TEST(readable_ones_come_first),
		TEST(what_overlaps_is_the_guests_loss),
		TEST(a_chain_is_a_copy),
		TEST(copies_go_through_all_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
