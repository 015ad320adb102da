/* SPDX-License-Identifier: MIT */
/* Streams of the capsule: their bytes, their marks, their ends. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "vmm/relay.h"

static const char mark[] = "0123456789abcdef0123456789abcdef";

struct pipes {
	int in, out; /* the test's ends */
	struct stream s;
};

static struct pipes open_pipes(const char *with_mark)
{
	int a[2], b[2];

	assert_int_equal(pipe2(a, O_NONBLOCK), 0);
	assert_int_equal(pipe2(b, O_NONBLOCK), 0);
	return (struct pipes){
		.in = a[1],
		.out = b[0],
		.s = { .from = a[0], .to = b[1], .mark = with_mark }
	};
}

/* As the launcher's loop does, until nothing is ready. */
static void move_all(struct stream *s)
{
	for (;;) {
		struct pollfd p = stream_poll(s);

		if (stream_done(s) || poll(&p, 1, 0) <= 0)
			return;
		stream_move(s, &p);
	}
}

static void send_text(struct pipes *p, const char *text, size_t len)
{
	if (len)
		assert_int_equal(write(p->in, text, len), len);
	move_all(&p->s);
}

static void expect_text(struct pipes *p, const char *want)
{
	char got[256] = "";
	ssize_t n = read(p->out, got, sizeof(got) - 1);

	got[n > 0 ? n : 0] = 0;
	assert_string_equal(got, want);
}

static void close_pipes(struct pipes *p)
{
	close(p->in);
	close(p->out);
}

static void passes_bytes_at_once(void **state)
{
	struct pipes p = open_pipes(mark);

	(void)state;
	send_text(&p, "hello", 5);
	expect_text(&p, "hello");
	assert_false(stream_done(&p.s));
	close_pipes(&p);
}

/* The mark in two pieces, cut at every place, right behind other bytes. */
static void finds_a_mark_in_pieces(void **state)
{
	(void)state;
	for (size_t cut = 0; cut <= MARK_BYTES; cut++) {
		struct pipes p = open_pipes(mark);

		send_text(&p, "abc", 3);
		send_text(&p, mark, cut);
		assert_int_equal(p.s.marked, cut == MARK_BYTES);
		if (cut < MARK_BYTES)
			send_text(&p, mark + cut, MARK_BYTES - cut);
		assert_true(p.s.marked);
		assert_true(stream_done(&p.s));
		expect_text(&p, "abc");
		close_pipes(&p);
	}
}

/* What only began like the mark is passed on. */
static void passes_what_looks_like_a_mark(void **state)
{
	struct pipes p = open_pipes(mark);

	(void)state;
	send_text(&p, "x0123456789", 11);
	expect_text(&p, "x");
	send_text(&p, "abcdeX0123", 10);
	expect_text(&p, "0123456789abcdeX");
	send_text(&p, "0123456789abcdef0123456789abcdef", MARK_BYTES);
	expect_text(&p, "0123");
	assert_true(p.s.marked);
	close_pipes(&p);
}

static void end_without_mark_is_told(void **state)
{
	struct pipes p = open_pipes(mark);

	(void)state;
	send_text(&p, "last 01", 7);
	close(p.in);
	move_all(&p.s);
	assert_true(stream_done(&p.s));
	assert_false(p.s.marked);
	expect_text(&p, "last 01");
	close(p.out);
}

/* No byte is lost or moved while the reader is slower than the writer. */
static void a_slow_reader_gets_all(void **state)
{
	enum { BYTES = 1 << 20 };
	struct pipes p = open_pipes(mark);
	size_t sent = 0, got = 0;
	char chunk[1000];

	(void)state;
	while (got < BYTES) {
		for (size_t i = 0; i < sizeof(chunk); i++)
			chunk[i] = (char)((sent + i) % 251);
		size_t n = BYTES - sent < sizeof(chunk) ? BYTES - sent
							: sizeof(chunk);
		ssize_t w = n ? write(p.in, chunk, n) : 0;

		sent += w > 0 ? (size_t)w : 0;
		if (sent == BYTES && w > 0)
			assert_int_equal(write(p.in, mark, MARK_BYTES),
					 MARK_BYTES);
		move_all(&p.s);
		ssize_t r = read(p.out, chunk, 777);
		for (ssize_t i = 0; i < r; i++)
			assert_int_equal((unsigned char)chunk[i],
					 (got + (size_t)i) % 251);
		got += r > 0 ? (size_t)r : 0;
	}
	move_all(&p.s);
	assert_true(p.s.marked);
	assert_int_equal(got, BYTES);
	close_pipes(&p);
}

/* A reader that has gone does not hold up the writer. */
static void a_lost_reader_is_an_error(void **state)
{
	struct pipes p = open_pipes(mark);

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	close(p.out);
	send_text(&p, "nobody", 6);
	send_text(&p, "listens", 7);
	send_text(&p, mark, MARK_BYTES);
	assert_int_equal(p.s.error, -EPIPE);
	assert_true(p.s.marked);
	assert_true(stream_done(&p.s));
	close(p.in);
}

static void without_mark_the_file_ends_it(void **state)
{
	struct pipes p = open_pipes(NULL);

	(void)state;
	send_text(&p, mark, MARK_BYTES);
	expect_text(&p, mark);
	close(p.in);
	move_all(&p.s);
	assert_true(stream_done(&p.s));
	close(p.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_bytes_at_once),
		cmocka_unit_test(finds_a_mark_in_pieces),
		cmocka_unit_test(passes_what_looks_like_a_mark),
		cmocka_unit_test(end_without_mark_is_told),
		cmocka_unit_test(a_slow_reader_gets_all),
		cmocka_unit_test(a_lost_reader_is_an_error),
		cmocka_unit_test(without_mark_the_file_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
