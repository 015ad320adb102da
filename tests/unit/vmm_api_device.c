/* SPDX-License-Identifier: MIT */
/*
 * The control API on a character device. A pty that collects lines and does
 * nothing else to its bytes stands in for a virtio-serial port: an empty one
 * says EAGAIN, as a port does whose host end is connected, and the EOF
 * character is read as 0 bytes, as a port whose host end is not.
 */
#include "tests/unit/api_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <termios.h>

#include "tests/unit/rounds.h"

#define IDLE_MS 400

static struct fixture f;
static int host; /* the host's end */
static int own; /* keeps the device's end open: no hangup between clients */

#define GONE "\x04" /* behind a whole line */

static void set_tty(int fd, bool lines)
{
	struct termios t;

	assert_int_equal(tcgetattr(fd, &t), 0);
	cfmakeraw(&t);
	if (lines)
		t.c_lflag |= ICANON;
	t.c_cc[VEOF] = GONE[0];
	assert_int_equal(tcsetattr(fd, TCSANOW, &t), 0);
}

static int start(void **state)
{
	(void)state;
	struct complaint why = { "" };

	fixture_folder(&f);
	assert_int_equal(openpty(&host, &own, f.path, NULL, NULL), 0);
	set_tty(own, true);
	if (!api_start_idle(&f.api, f.path, fake_control(&f.vm), IDLE_MS, &why))
		fail_msg("%s", why.text);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fixture_stop(&f);
	if (host >= 0)
		close(host);
	close(own);
	return 0;
}

static void put(const char *text)
{
	assert_int_equal(write(host, text, strlen(text)), strlen(text));
}

static void assert_ask(const char *text, int status)
{
	struct answer a;

	put(text);
	assert_int_equal(receive(host, &a)->status, status);
}

static void one_client_asks_for_ever(void **state)
{
	(void)state;
	unsigned idle = idle_rounds;

	for (int i = 0; i < 50; i++) {
		assert_ask("GET /status HTTP/1.1\r\n\r\n", 200);
		assert_ask("GET /status HTTP/1.1\r\nConnection: close\r\n\r\n",
			   200);
		assert_ask("PATCH /vm HTTP/1.1\r\nContent-Length: 19\r\n\r\n"
			   "{\"state\":\"Paused\"}\n",
			   204);
	}
	assert_int_equal(f.vm.pauses, 50);
	/* No answer waits for the 50 ms that an absent client is left alone. */
	assert_int_equal(idle_rounds, idle);
}

static void a_bad_request_does_not_end_it(void **state)
{
	(void)state;
	assert_ask("nonsense\r\n\r\n", 400);
	assert_ask("GET /status HTTP/1.1\r\n\r\n", 200);
	assert_ask("GET /status HTTP/3.0\r\n\r\n", 505);
	assert_ask("GET /status HTTP/1.1\r\n\r\n", 200);
}

/* A client that left half a request behind does not spoil the next one's. */
static void half_a_request_goes_with_its_client(void **state)
{
	(void)state;
	static const char *const half[] = {
		"GET /status HTTP/1.1\r\nHost: x\r\n",
		"PUT /memory/resident HTTP/1.1\r\nContent-Length: 30\r\n\r\n{\n",
	};

	for (int i = 0; i < 20; i++) {
		put(half[i % 2]);
		put(GONE);
		assert_ask("GET /status HTTP/1.1\r\n\r\n", 200);
	}
	assert_int_equal(f.vm.statuses, 20);
	assert_int_equal(fake_deeds(&f.vm), 0);
}

/* Is there an answer before a request that is not whole would be dropped? */
static bool is_answered(const char *text)
{
	struct pollfd p = { host, POLLIN, 0 };
	struct answer a;

	put(text);
	return poll(&p, 1, 2 * IDLE_MS) > 0 && receive(host, &a)->status == 200;
}

/* Nor where nobody saw it go, the next one came so soon. What is written in two
 * parts may be read as one, on a busy host: then there is nothing to see. */
static void a_new_client_is_known_by_its_first_line(void **state)
{
	(void)state;
	static const char *const half[] = {
		"GET /status HTTP/1.1\r\nHost: x\r\n",
		"PUT /memory/resident HTTP/1.1\r\nContent-Length: 30\r\n\r\n{",
	};
	unsigned at_once = 0;

	set_tty(own, false);
	for (int i = 0; i < 20; i++) {
		put(half[i % 2]);
		sleep_ms(5);
		if (is_answered("GET /status HTTP/1.1\r\n\r\n"))
			at_once++;
		else
			assert_ask("GET /status HTTP/1.1\r\n\r\n", 200);
	}
	assert_int_equal(f.vm.statuses, 20);
	assert_true(at_once > 0);
	/* A request in pieces is still one. */
	put("PUT /memory/resident HTTP/1.1\r\n");
	sleep_ms(20);
	put("Content-Length: 20\r\n\r\n");
	sleep_ms(20);
	assert_ask("{\"resident_bytes\":1}", 204);
	assert_int_equal(f.vm.resident, 1);
}

static void a_stalled_request_is_dropped(void **state)
{
	(void)state;
	put("GET /status HTTP/1.1\r\n");
	sleep_ms(2 * IDLE_MS);
	assert_ask("GET /status HTTP/1.1\r\n\r\n", 200);
	assert_int_equal(f.vm.statuses, 1);
}

/* Nothing is under way: a client may come as late as it likes. */
static void a_late_client_is_served(void **state)
{
	(void)state;
	sleep_ms(2 * IDLE_MS);
	assert_ask("GET /status HTTP/1.1\r\n\r\n", 200);
	sleep_ms(2 * IDLE_MS);
	assert_ask("GET /status HTTP/1.1\r\n\r\n", 200);
}

/* The host's end is closed: the device hangs up, and poll says so at once. */
static void a_hung_up_device_is_not_spun_on(void **state)
{
	(void)state;
	close(host);
	host = -1;
	int64_t began = now_ms();
	unsigned before = rounds;
	sleep_ms(500);
	before = rounds - before;
	/* Two for each time that it is left alone. */
	assert_true(before <= 2 * (now_ms() - began) / 50 + 4);
}

/* An answer that nobody takes is dropped in time, and service goes on. */
static void answers_nobody_takes_are_dropped(void **state)
{
	(void)state;
	static char rest[65536];
	int served;

	/* As they come, many requests a read, of which some wait in the server
	 * until the pty is full of answers and nothing moves any more. */
	set_tty(own, false);
	fcntl(host, F_SETFL, O_NONBLOCK);
	do {
		served = f.vm.statuses;
		for (int i = 0; i < 100; i++)
			if (write(host, "GET /status HTTP/1.1\r\n\r\n", 24) < 0)
				break;
		sleep_ms(50);
	} while (f.vm.statuses != served);
	assert_int_equal(tcflush(own, TCIFLUSH), 0);
	sleep_ms(2 * IDLE_MS);
	while (read(host, rest, sizeof(rest)) > 0)
		continue;
	fcntl(host, F_SETFL, 0);
	served = f.vm.statuses;
	assert_ask("GET /status HTTP/1.1\r\n\r\n", 200);
	sleep_ms(50);
	assert_int_equal(f.vm.statuses, served + 1);
}

static void a_missing_device_is_refused(void **state)
{
	(void)state;
	struct api *other;
	struct complaint why = { "" };

	/* Nothing can be opened there. */
	assert_false(
		api_start(&other, "/dev/ptmx/none", fake_control(&f.vm), &why));
	assert_string_equal(why.text, "/dev/ptmx/none: Not a directory");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_client_asks_for_ever),
		TEST(a_bad_request_does_not_end_it),
		TEST(half_a_request_goes_with_its_client),
		TEST(a_new_client_is_known_by_its_first_line),
		TEST(a_stalled_request_is_dropped),
		TEST(a_late_client_is_served),
		TEST(a_hung_up_device_is_not_spun_on),
		TEST(answers_nobody_takes_are_dropped),
		TEST(a_missing_device_is_refused),
	};

	alarm(60); /* reading a pty has no time limit of its own */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
