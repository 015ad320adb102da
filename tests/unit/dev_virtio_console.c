/* SPDX-License-Identifier: MIT */
/* virtio-console. Its cases are those of docs/hostile.md. */
#include "devices/virtio_console.h"
#include "tests/unit/virtio_fixture.h"

#define SIZE	 16u
#define RECEIVE	 0
#define TRANSMIT 1

static uint8_t output[1 << 20];
static size_t output_len;
static _Atomic unsigned rooms;

static void on_write(void *ctx, const uint8_t *bytes, size_t len)
{
	assert_ptr_equal(ctx, output);
	assert_true(len <= sizeof(output) - output_len);
	memcpy(output + output_len, bytes, len);
	output_len += len;
}

static void on_room(void *ctx)
{
	assert_ptr_equal(ctx, output);
	rooms++;
}

static int setup(void **state)
{
	const struct console_host to = { on_write, on_room, output };
	struct virtio_host host;

	(void)state;
	output_len = 0;
	rooms = 0;
	ram_make();
	host = test_host();
	assert_int_equal(virtio_console_create(&dev, &to, &host), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	destroy();
	ram_free();
	return 0;
}

static void wait_for_used(uint16_t want)
{
	while (used_idx() != want)
		interrupt();
}

static void what_is_sent_comes_out_in_order(void **state)
{
	static const char text[] = "hello, world";

	(void)state;
	bring_up_queue(TRANSMIT, 0, SIZE);
	put(BUFFERS, text, 7);
	put(BUFFERS + PAGE_SIZE, text + 7, 5);
	put_desc(DESC, 0, BUFFERS, 7, VQ_DESC_NEXT, 1);
	put_desc(DESC, 1, BUFFERS + PAGE_SIZE, 5, 0, 0);
	offer(SIZE, 0);
	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, TRANSMIT);
	wait_for_used(2);
	assert_int_equal(output_len, 24);
	assert_memory_equal(output, "hello, worldhello, world", 24);
	assert_int_equal(dev->count.bytes, 24);
}

/* D26: a flood is passed on at the pace of who takes it, and is bounded. */
static void a_flood_is_bounded(void **state)
{
	(void)state;
	bring_up_queue(TRANSMIT, 0, SIZE);
	put_desc(DESC, 0, BUFFERS, UINT32_MAX, 0, 0);
	offer(SIZE, 0);
	put_desc(DESC, 1, HOLE, 16, 0, 0);
	offer(SIZE, 1);
	set(VIRTIO_QUEUE_NOTIFY, TRANSMIT);
	wait_for_used(2);
	assert_int_equal(output_len, CONSOLE_SEND_MAX);
	assert_int_equal(dev->count.errors, 1);
	assert_int_equal(reg(VIRTIO_STATUS), 15);
}

/* D30: every byte comes out as it is, escape sequences among them; what they
 * mean is for the terminal to say. */
static void nothing_is_interpreted(void **state)
{
	static const char escapes[] = "\x1b]0;title\x07\x1b[2J";
	uint8_t bytes[256 + sizeof(escapes)];

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	memcpy(bytes + 256, escapes, sizeof(escapes));
	bring_up_queue(TRANSMIT, 0, SIZE);
	put(BUFFERS, bytes, sizeof(bytes));
	put_desc(DESC, 0, BUFFERS, sizeof(bytes), 0, 0);
	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, TRANSMIT);
	wait_for_used(1);
	assert_int_equal(output_len, sizeof(bytes));
	assert_memory_equal(output, bytes, sizeof(bytes));
}

/* D31: there is one port, so no queue to send events of ports by. */
static void there_is_no_control_queue(void **state)
{
	const uint64_t multiport = 1u << 1;

	(void)state;
	negotiate(multiport);
	assert_int_equal(reg(VIRTIO_STATUS) & VIRTIO_FEATURES_OK, 0);
	negotiate(0);
	for (unsigned n = 2; n < VIRTIO_QUEUES; n++) {
		set_queue(n, SIZE);
		assert_int_equal(reg(VIRTIO_QUEUE_READY), 0);
	}
	assert_int_equal(reg(VIRTIO_STATUS), 11);
}

static void input_fills_the_guests_buffers(void **state)
{
	char got[8] = "";

	(void)state;
	bring_up_queue(RECEIVE, 0, SIZE);
	put_desc(DESC, 0, BUFFERS, 4, VQ_DESC_WRITE, 0);
	put_desc(DESC, 1, BUFFERS + 4, 4, VQ_DESC_WRITE, 0);
	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, RECEIVE); /* nothing to give yet */
	assert_int_equal(virtio_console_input(dev, (uint8_t *)"abcdef", 6), 6);
	wait_for_used(1);
	assert_int_equal(used_entry(0).len, 4);
	offer(SIZE, 1);
	set(VIRTIO_QUEUE_NOTIFY, RECEIVE);
	wait_for_used(2);
	assert_int_equal(used_entry(1).len, 2);
	get(BUFFERS, got, 6);
	assert_string_equal(got, "abcdef");
}

/* D29: a paste into a guest that does not read is held up to a bound; when it
 * reads, the rest is asked for. */
static void input_is_bounded(void **state)
{
	static uint8_t paste[1 << 20];
	uint8_t got[CONSOLE_INPUT];
	uint16_t used = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(paste); i++)
		paste[i] = (uint8_t)(i * 31 >> 3);
	assert_int_equal(virtio_console_input(dev, paste, sizeof(paste)),
			 CONSOLE_INPUT);
	assert_int_equal(virtio_console_input(dev, paste, 1), 0);
	assert_int_equal(rooms, 0);
	bring_up_queue(RECEIVE, 0, SIZE);
	put_desc(DESC, 0, BUFFERS, 100, VQ_DESC_WRITE, 0);
	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, RECEIVE);
	wait_for_used(++used);
	assert_int_equal(rooms, 1);
	get(BUFFERS, got, 100);
	assert_memory_equal(got, paste, 100);
	/* the ring wraps */
	assert_int_equal(virtio_console_input(dev, paste + CONSOLE_INPUT, 200),
			 100);
	put_desc(DESC, 0, BUFFERS, 2 * CONSOLE_INPUT, VQ_DESC_WRITE, 0);
	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, RECEIVE);
	wait_for_used(++used);
	assert_int_equal(used_entry(1).len, CONSOLE_INPUT);
	get(BUFFERS, got, CONSOLE_INPUT);
	assert_memory_equal(got, paste + 100, CONSOLE_INPUT);
	assert_int_equal(rooms, 2);
}

static void a_buffer_that_is_no_ram_takes_its_bytes_along(void **state)
{
	(void)state;
	bring_up_queue(RECEIVE, 0, SIZE);
	put_desc(DESC, 0, HOLE, 4, VQ_DESC_WRITE, 0);
	put_desc(DESC, 1, BUFFERS, 4, VQ_DESC_WRITE, 0);
	offer(SIZE, 0);
	offer(SIZE, 1);
	assert_int_equal(virtio_console_input(dev, (uint8_t *)"abcdef", 6), 6);
	wait_for_used(2);
	assert_int_equal(used_entry(0).len, 0);
	assert_int_equal(used_entry(1).len, 2);
	assert_int_equal(dev->count.errors, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_sent_comes_out_in_order),
		TEST(a_flood_is_bounded),
		TEST(nothing_is_interpreted),
		TEST(there_is_no_control_queue),
		TEST(input_fills_the_guests_buffers),
		TEST(input_is_bounded),
		TEST(a_buffer_that_is_no_ram_takes_its_bytes_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
