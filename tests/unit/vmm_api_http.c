/* SPDX-License-Identifier: MIT */
/* The control API's manners as HTTP: RFC 9112 on a stream of bytes. */
#include "tests/unit/api_each.h"

static void pipelined_requests_are_answered_in_order(void **state)
{
	(void)state;
	struct answer a;
	int fd = connect_at(f.path);

	send_text(fd, "GET /status HTTP/1.1\r\n\r\n"
		      "GET /nowhere HTTP/1.1\r\n\r\n"
		      "PATCH /vm HTTP/1.1\r\nContent-Length: 18\r\n\r\n"
		      "{\"state\":\"Paused\"}"
		      "PUT /status HTTP/1.1\r\nConnection: close\r\n\r\n"
		      "PATCH /vm HTTP/1.1\r\nContent-Length: 18\r\n\r\n"
		      "{\"state\":\"Paused\"}");
	assert_int_equal(receive(fd, &a)->status, 200);
	assert_non_null(strstr(a.head, "Connection: keep-alive\r\n"));
	assert_int_equal(receive(fd, &a)->status, 404);
	assert_int_equal(receive(fd, &a)->status, 204);
	assert_int_equal(receive(fd, &a)->status, 405);
	assert_non_null(strstr(a.head, "Connection: close\r\n"));
	close(fd);
	assert_int_equal(f.vm.pauses, 1); /* nothing behind the close */
}

static void close_is_honoured(void **state)
{
	(void)state;
	static const char *const last[] = {
		"GET /status HTTP/1.1\r\nConnection: close\r\n\r\n",
		"GET /status HTTP/1.0\r\n\r\n",
	};
	struct answer a;

	for (size_t i = 0; i < 2; i++) {
		int fd = connect_at(f.path);

		send_text(fd, last[i]);
		assert_int_equal(receive(fd, &a)->status, 200);
		assert_true(hung_up(fd));
		close(fd);
	}
}

static void bytes_one_by_one_make_a_request(void **state)
{
	(void)state;
	static const char text[] =
		"PUT /memory/resident HTTP/1.1\r\nHost: a\r\nX-Odd:  b \r\n"
		"Content-Length: 25\r\n\r\n{\"resident_bytes\": 12345}";
	struct answer a;
	int fd = connect_at(f.path);

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		assert_int_equal(f.vm.residents, 0);
		send_bytes(fd, text + i, 1);
		sleep_ms(1);
	}
	assert_int_equal(receive(fd, &a)->status, 204);
	assert_int_equal(f.vm.resident, 12345);
	close(fd);
}

static void chunked_bodies_are_joined(void **state)
{
	(void)state;
	struct answer a;
	int fd = connect_at(f.path);

	send_text(fd, "PATCH /vm HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
		      "9\r\n{\"state\":\r\n9\r\n\"Paused\"}\r\n0\r\n\r\n");
	assert_int_equal(receive(fd, &a)->status, 204);
	assert_int_equal(f.vm.pauses, 1);
	close(fd);
}

/* On a socket, a body is one whatever it looks like. */
static void a_body_may_look_like_a_request(void **state)
{
	(void)state;
	static const char text[] = "GET /status HTTP/1.1\r\n\r\n";
	struct answer a;
	int fd = connect_at(f.path);

	send_request(fd, "PATCH", "/vm", "", 0);
	assert_int_equal(receive(fd, &a)->status, 400);
	send_text(fd, "PATCH /vm HTTP/1.1\r\nContent-Length: 24\r\n\r\n");
	sleep_ms(50);
	send_text(fd, text);
	assert_int_equal(receive(fd, &a)->status, 400);
	assert_int_equal(f.vm.statuses, 0);
	close(fd);
}

/* A client may say that it has no more to send and still gets its answer. */
static void half_close_gets_the_answer(void **state)
{
	(void)state;
	struct answer a;
	int fd = connect_at(f.path);

	send_text(fd, "GET /status HTTP/1.1\r\n\r\n");
	shutdown(fd, SHUT_WR);
	assert_int_equal(receive(fd, &a)->status, 200);
	assert_true(hung_up(fd));
	close(fd);
}

static void head_has_no_body(void **state)
{
	(void)state;
	static const char want[] = "HTTP/1.1 405 ";
	char text[2048] = "";
	size_t len = 0;
	ssize_t n;
	int fd = connect_at(f.path);

	send_text(fd, "HEAD /status HTTP/1.1\r\nConnection: close\r\n\r\n");
	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	assert_int_equal(strncmp(text, want, strlen(want)), 0);
	assert_string_equal(text + len - 4, "\r\n\r\n");
	close(fd);
}

/* By its id a client knows its answer; one that is too long is left out. */
static void an_answer_repeats_the_id(void **state)
{
	(void)state;
	static const char text[] = "GET /nowhere HTTP/1.1\r\nX-Request: 1\r\n"
				   "x-request-ID: a b-7\r\nX-Request-Ids: 9"
				   "\r\n\r\n";
	char id[65], request[256];
	struct answer a;
	int fd = connect_at(f.path);

	send_text(fd, text);
	receive(fd, &a);
	assert_non_null(strstr(a.head, "\r\nX-Request-Id: a b-7\r\n"));
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		send_bytes(fd, text + i, 1);
		sleep_ms(1);
	}
	receive(fd, &a);
	assert_non_null(strstr(a.head, "\r\nX-Request-Id: a b-7\r\n"));
	for (int len = 63; len <= 64; len++) {
		memset(id, 'i', 64);
		id[len] = '\0';
		snprintf(request, sizeof(request),
			 "GET /nowhere HTTP/1.1\r\nX-Request-Id: %s\r\n\r\n",
			 id);
		send_text(fd, request);
		receive(fd, &a);
		if ((len == 63) != (strstr(a.head, id) != NULL))
			fail_msg("%s", a.head);
		assert_true(len == 63 || !strstr(a.head, "X-Request-Id"));
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pipelined_requests_are_answered_in_order),
		TEST(close_is_honoured),
		TEST(bytes_one_by_one_make_a_request),
		TEST(chunked_bodies_are_joined),
		TEST(a_body_may_look_like_a_request),
		TEST(half_close_gets_the_answer),
		TEST(head_has_no_body),
		TEST(an_answer_repeats_the_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
