/* SPDX-License-Identifier: MIT */
/* virtio-rng. Cases D32 to D34 are those of docs/hostile.md. */
#include "devices/virtio_rng.h"
#include "tests/unit/virtio_fixture.h"

#define SIZE 16u

static int setup(void **state)
{
	struct virtio_host host;

	(void)state;
	ram_make();
	host = test_host();
	assert_int_equal(virtio_rng_create(&dev, &host), 0);
	bring_up(0, SIZE);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	destroy();
	ram_free();
	return 0;
}

/* Offer descriptor 0 and wait: what was written. */
static uint32_t draw(void)
{
	uint16_t before = used_idx();

	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	while (used_idx() == before)
		interrupt();
	return used_entry(before % SIZE).len;
}

static void bytes_are_random(void **state)
{
	uint8_t a[1000], b[1000];
	unsigned bits = 0;

	(void)state;
	put_desc(DESC, 0, BUFFERS, sizeof(a), VQ_DESC_WRITE, 0);
	assert_int_equal(draw(), sizeof(a));
	get(BUFFERS, a, sizeof(a));
	assert_int_equal(draw(), sizeof(b));
	get(BUFFERS, b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	for (unsigned i = 0; i < sizeof(a); i++)
		bits += (unsigned)__builtin_popcount(a[i] ^ b[i]);
	/* 4000, by 14 standard deviations of 45 */
	assert_in_range(bits, 3370, 4630);
	assert_int_equal(dev->count.requests, 2);
	assert_int_equal(dev->count.bytes, 2000);
}

/* D32, D33: a large request has a bound, however it is made up. */
static void a_request_is_bounded(void **state)
{
	uint64_t word;

	(void)state;
	put_desc(DESC, 0, BUFFERS, UINT32_MAX, VQ_DESC_WRITE, 0);
	assert_int_equal(draw(), RNG_REQUEST_MAX);
	get(BUFFERS + RNG_REQUEST_MAX - 8, &word, sizeof(word));
	assert_int_not_equal(word, 0);
	get(BUFFERS + RNG_REQUEST_MAX, &word, sizeof(word));
	assert_int_equal(word, 0);
	put_desc(DESC, 0, BUFFERS, 5000, VQ_DESC_WRITE | VQ_DESC_NEXT, 1);
	put_desc(DESC, 1, BUFFERS + 8192, 3, VQ_DESC_WRITE, 0);
	assert_int_equal(draw(), 5003);
}

static void what_cannot_be_written_is_not_counted(void **state)
{
	(void)state;
	put_desc(DESC, 0, BUFFERS, 16, 0, 0); /* nothing is writable */
	assert_int_equal(draw(), 0);
	put_desc(DESC, 0, HOLE, 16, VQ_DESC_WRITE, 0);
	assert_int_equal(draw(), 0);
	assert_int_equal(dev->count.errors, 1);
	assert_int_equal(reg(VIRTIO_STATUS), 15);
}

/* D34 */
static void many_requests_are_served(void **state)
{
	(void)state;
	put_desc(DESC, 0, BUFFERS, 8, VQ_DESC_WRITE, 0);
	for (unsigned i = 0; i < 3000; i++)
		assert_int_equal(draw(), 8);
	for (unsigned i = 0; i < SIZE; i++)
		offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	while (used_idx() != 3000 + SIZE)
		interrupt();
	assert_int_equal(dev->count.requests, 3000 + SIZE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_are_random),
		TEST(a_request_is_bounded),
		TEST(what_cannot_be_written_is_not_counted),
		TEST(many_requests_are_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
