/* SPDX-License-Identifier: MIT */
/* Requests that are too long, without end, or none at all. */
#include "tests/unit/api_each.h"

#include "vmm/http.h"

/* A request of @total bytes, the most of them blanks behind its order. */
static void assert_size_gives(size_t total, int status)
{
	static char text[HTTP_BYTES + 1];
	static const char head[] =
		"PATCH /vm HTTP/1.1\r\nContent-Length: %zu\r\n\r\n";
	static const char order[] = "{\"state\":\"Paused\"}";
	size_t head_len = strlen(head) - strlen("%zu") + strlen("65536");
	struct answer a;
	int fd = connect_at(f.path);

	snprintf(text, sizeof(text), head, total - head_len);
	assert_int_equal(strlen(text), head_len);
	memset(text + head_len, ' ', total - head_len);
	memcpy(text + head_len, order, strlen(order));
	send_bytes(fd, text, total);
	assert_int_equal(receive(fd, &a)->status, status);
	close(fd);
}

static void messages_have_a_largest_size(void **state)
{
	(void)state;
	struct answer a;
	char target[400] = "/";
	char header[9000];

	assert_size_gives(HTTP_BYTES, 204);
	assert_int_equal(f.vm.pauses, 1);
	assert_size_gives(HTTP_BYTES + 1, 413);
	assert_int_equal(f.vm.pauses, 1);

	memset(target + 1, 'a', sizeof(target) - 2);
	target[sizeof(target) - 1] = '\0';
	assert_int_equal(ask(&f, &a, "GET", target, "")->status, 414);

	/* The same in two halves, neither of which is too long. */
	int fd = connect_at(f.path);
	send_text(fd, "GET /");
	send_bytes(fd, target + 1, 200);
	sleep_ms(50);
	send_bytes(fd, target + 1, 100);
	assert_int_equal(receive(fd, &a)->status, 414);
	close(fd);

	fd = connect_at(f.path);
	memset(header, 'h', sizeof(header));
	send_text(fd, "GET /status HTTP/1.1\r\nX: ");
	send_bytes(fd, header, sizeof(header));
	assert_int_equal(receive(fd, &a)->status, 431);
	close(fd);
}

/* E14: a length that is refused is refused before the body comes. */
static void wrong_lengths_are_refused_at_once(void **state)
{
	(void)state;
	static const struct {
		const char *head;
		int status;
	} bad[] = {
		{ "Content-Length: 1073741824", 413 },
		{ "Content-Length: -1", 400 },
		{ "Content-Length: 18446744073709551616", 400 },
		{ "Content-Length: 1\r\nContent-Length: 2", 400 },
		{ "Content-Length: 1\r\nTransfer-Encoding: chunked", 400 },
		{ "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff", 400 },
	};
	struct answer a;
	char text[256];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int fd = connect_at(f.path);

		snprintf(text, sizeof(text), "PATCH /vm HTTP/1.1\r\n%s\r\n\r\n",
			 bad[i].head);
		send_text(fd, text);
		receive(fd, &a);
		if (a.status != bad[i].status)
			fail_msg("%s: %d", bad[i].head, a.status);
		assert_true(hung_up(fd));
		close(fd);
	}
}

/* An endless chunked body ends at the cap, however small its chunks are. */
static void endless_chunks_are_cut(void **state)
{
	(void)state;
	static const char chunk[] = "1\r\n \r\n";
	static char text[2 * HTTP_BYTES];
	struct answer a;
	int fd = connect_at(f.path);

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = chunk[i % strlen(chunk)];
	send_text(fd,
		  "PATCH /vm HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
	send_bytes(fd, text, sizeof(text));
	assert_int_equal(receive(fd, &a)->status, 413);
	close(fd);
}

static void garbage_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"\x16\x03\x01\x02\x01\x01\xfc\x03\x03", /* a TLS hello */
		"GET /status HTTP/2.0\r\n\r\n",
		"GET /status\r\n\r\n",
		"GET /status HTTP/1.1\nX\r\n\r\n",
		"get /status HTTP/1.1\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\n",
	};
	struct answer a;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int fd = connect_at(f.path);

		send_text(fd, wrong[i]);
		receive(fd, &a);
		if (a.status != 400 && a.status != 505)
			fail_msg("garbage %zu: %d", i, a.status);
		assert_true(hung_up(fd));
		close(fd);
	}
	assert_int_equal(f.vm.statuses, 0);
}

/* Bytes of a good request, some of them replaced: whatever comes of it, the
 * server goes on. */
static void random_bytes_are_survived(void **state)
{
	(void)state;
	static const char good[] = "PUT /memory/resident HTTP/1.1\r\n"
				   "Content-Length: 20\r\n\r\n"
				   "{\"resident_bytes\":1}";
	unsigned seed = 7;

	print_message("seed %u\n", seed);
	for (int i = 0; i < 2000; i++) {
		char text[sizeof(good)];
		int fd = connect_at(f.path);

		memcpy(text, good, sizeof(good));
		for (int n = rand_r(&seed) % 4; n >= 0; n--)
			text[(size_t)rand_r(&seed) % sizeof(good)] =
				(char)rand_r(&seed);
		send_bytes(fd, text, sizeof(text) - 1);
		close(fd);
	}
	assert_served(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_have_a_largest_size),
		TEST(wrong_lengths_are_refused_at_once),
		TEST(endless_chunks_are_cut),
		TEST(garbage_is_refused),
		TEST(random_bytes_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
