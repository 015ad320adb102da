/* SPDX-License-Identifier: MIT */
/* More clients of the control API than there are places, descriptors or
 * patience for. */
#include "tests/unit/api_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "tests/unit/rounds.h"

#define IDLE_MS 1000
#define MANY	(API_PEERS + 8)
#define SLOW	1000
#define GOOD	100
#define FLOODS	4
#define FLOOD	100 /* requests of each */

static struct fixture f;
static struct rlimit files;
static int fd[MANY];

/* Both ends of all connections are in this process. */
static int start(void **state)
{
	struct rlimit enough = { 2 * MANY + 64, 2 * MANY + 64 };

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	enough.rlim_max = files.rlim_max;
	if (files.rlim_cur < enough.rlim_cur &&
	    setrlimit(RLIMIT_NOFILE, &enough))
		fail_msg("%d descriptors are needed", 2 * MANY + 64);
	fixture_start(&f, IDLE_MS);
	return 0;
}

static int start_patient(void **state)
{
	start(state);
	api_stop(f.api);
	return !api_start_idle(&f.api, f.path, fake_control(&f.vm), 60000,
			       &(struct complaint){ "" });
}

static int stop(void **state)
{
	(void)state;
	fixture_stop(&f);
	return setrlimit(RLIMIT_NOFILE, &files);
}

static void connect_all(int n, const char *text)
{
	for (int i = 0; i < n; i++) {
		fd[i] = connect_at(f.path);
		assert_true(fd[i] >= 0);
		send_text(fd[i], text);
	}
}

static void close_all(int n)
{
	for (int i = 0; i < n; i++)
		close(fd[i]);
}

static void many_idle_clients_make_room(void **state)
{
	struct answer a;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		fd[i] = connect_at(f.path);
		send_text(fd[i], "GET /version HTTP/1.1\r\n\r\n");
		assert_int_equal(receive(fd[i], &a)->status, 200);
	}
	/* The first had to go; the last are still there. */
	assert_true(hung_up(fd[0]));
	send_text(fd[MANY - 1], "GET /version HTTP/1.1\r\n\r\n");
	assert_int_equal(receive(fd[MANY - 1], &a)->status, 200);
	close_all(MANY);
}

/* Those that hold every place run out of time; who waits is served then. */
static void many_busy_clients_time_out(void **state)
{
	(void)state;
	connect_all(MANY, "GET /sta");
	unsigned waited = rounds;
	assert_served(&f);
	/* Waiting for a place is no spinning: each is late once. */
	assert_in_range(rounds - waited, 1, 3 * MANY);
	close_all(MANY);
}

/* E5, E7: a good one is served among a thousand that are not, at once and
 * without any of them having to go. While it waits nobody else has anything to
 * say but the one before it, which leaves, and now and then a slow one: a round
 * for each of these, one for its coming and one for its request. */
static void a_thousand_slow_clients_delay_nobody(void **state)
{
	int64_t worst = 0, sum = 0;
	unsigned most = 0;
	struct answer a;

	(void)state;
	connect_all(SLOW, "GET /sta");
	for (int i = 0; i < 2; i++)
		assert_int_equal(ask(&f, &a, "GET", "/version", "")->status,
				 200); /* behind all that they said */
	for (int i = 0; i < GOOD; i++) {
		unsigned waited = rounds;
		struct timespec begin, end;

		clock_gettime(CLOCK_MONOTONIC, &begin);
		assert_int_equal(ask(&f, &a, "GET", "/version", "")->status,
				 200);
		clock_gettime(CLOCK_MONOTONIC, &end);
		int64_t us = (end.tv_sec - begin.tv_sec) * 1000000 +
			     (end.tv_nsec - begin.tv_nsec) / 1000;
		waited = rounds - waited;
		most = waited > most ? waited : most;
		worst = us > worst ? us : worst;
		sum += us;
		send_text(fd[i], i % 2 ? "t" : "");
	}
	print_message("a good client: %.2f ms on average, %.2f at worst, %u "
		      "rounds\n",
		      (double)sum / GOOD / 1000, (double)worst / 1000, most);
	assert_in_range(most, 1, 4);
	for (int i = 0; i < SLOW; i++) {
		send_text(fd[i], i < GOOD && i % 2 ? "us" : "tus");
		send_text(fd[i], " HTTP/1.1\r\n\r\n");
		assert_int_equal(receive(fd[i], &a)->status, 200);
	}
	assert_int_equal(f.vm.statuses, SLOW);
	close_all(SLOW);
}

/* More answers than a socket holds wait until they are wanted. */
static void who_reads_late_gets_all(void **state)
{
	enum { ASKED = 200 };
	struct answer a;
	int before;

	(void)state;
	connect_all(1, "");
	for (int i = 0; i < ASKED; i++)
		send_text(fd[0], "GET /status HTTP/1.1\r\n\r\n");
	do {
		before = f.vm.statuses;
		sleep_ms(50);
	} while (!before || f.vm.statuses != before);
	assert_in_range(before, 1, ASKED - 1);
	for (int i = 0; i < ASKED; i++)
		assert_int_equal(receive(fd[0], &a)->status, 200);
	close_all(1);
}

/* A desk that lets nobody go on until all have asked. */
struct slow_desk {
	atomic_bool open, entered;
	atomic_uint answered, before_good;
};

static struct http_reply answer_in_turn(void *ctx, const struct http *request)
{
	struct slow_desk *d = ctx;

	d->entered = true;
	while (!d->open)
		sleep_ms(1);
	if (!strcmp(request->target, "/good"))
		d->before_good = d->answered;
	d->answered++;
	return (struct http_reply){ .status = HTTP_STATUS_NO_CONTENT };
}

static int start_slow_desk(void **state)
{
	static struct slow_desk desk;
	const struct api_desk d = { .ctx = &desk, .answer = answer_in_turn };

	*state = &desk;
	desk = (struct slow_desk){ .open = false };
	fixture_folder(&f);
	return !api_serve(&f.api, f.path, d, 60000, &(struct complaint){ "" });
}

static int stop_slow_desk(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

/* E18: who asks a hundred things at once gets one answer while everybody else
 * gets one. */
static void a_flood_takes_turns(void **state)
{
	struct slow_desk *d = *state;
	static char flood[FLOOD * 32];
	struct answer a;

	for (int i = 0; i < FLOOD; i++)
		strcat(flood, "GET /flood HTTP/1.1\r\n\r\n");
	connect_all(1, "GET /first HTTP/1.1\r\n\r\n");
	while (!d->entered)
		sleep_ms(1);
	for (int i = 1; i <= FLOODS + 1; i++) {
		fd[i] = connect_at(f.path);
		send_text(fd[i],
			  i <= FLOODS ? flood : "GET /good HTTP/1.1\r\n\r\n");
	}
	d->open = true;
	for (int i = 0; i <= FLOODS + 1; i++)
		for (int n = 0; n < (i % (FLOODS + 1) ? FLOOD : 1); n++)
			assert_int_equal(receive(fd[i], &a)->status, 204);
	assert_in_range(d->before_good, 1 + FLOODS, 1 + 2 * FLOODS);
	assert_int_equal(d->answered, 2 + FLOODS * FLOOD);
	close_all(FLOODS + 2);
}

/* No descriptor is left: who has been slow for longest makes room. */
static void a_slow_client_gives_its_descriptor(void **state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int good = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), taken[64];
	struct rlimit few = { 64, files.rlim_max };
	unsigned n = 0;
	struct answer a;

	(void)state;
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", f.path);
	connect_all(3, "GET /sta");
	assert_served(&f); /* so all three were accepted before */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	while ((taken[n] = dup(0)) >= 0)
		n++;
	assert_int_equal(connect(good, (struct sockaddr *)&to, sizeof(to)), 0);
	send_text(good, "GET /status HTTP/1.1\r\n\r\n");
	assert_int_equal(receive(good, &a)->status, 200);
	assert_true(hung_up(fd[0]));
	send_text(fd[2], "tus HTTP/1.1\r\n\r\n");
	assert_int_equal(receive(fd[2], &a)->status, 200);
	close(good);
	close_all(3);
	while (n)
		close(taken[--n]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_reads_late_gets_all,
						start_patient, stop),
		cmocka_unit_test_setup_teardown(many_idle_clients_make_room,
						start, stop),
		cmocka_unit_test_setup_teardown(many_busy_clients_time_out,
						start, stop),
		cmocka_unit_test_setup_teardown(
			a_thousand_slow_clients_delay_nobody, start_patient,
			stop),
		cmocka_unit_test_setup_teardown(
			a_flood_takes_turns, start_slow_desk, stop_slow_desk),
		cmocka_unit_test_setup_teardown(
			a_slow_client_gives_its_descriptor, start_patient,
			stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
