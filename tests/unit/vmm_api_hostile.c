/* SPDX-License-Identifier: MIT */
/* Clients of the control API that are slow, many, or never done. */
#include "tests/unit/api_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <sys/resource.h>

#include "tests/unit/rounds.h"

#define IDLE_MS	    150
#define PATIENCE_MS 60000 /* of a test */
#define MANY	    40
#define MOST_FILES  253 /* that Linux sends at once */

static struct fixture f;

static int start(void **state)
{
	(void)state;
	fixture_start(&f, IDLE_MS);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

static unsigned open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Until as many files are open as before: the server drops in its own time. */
static void assert_closes_down_to(unsigned files)
{
	unsigned now = open_files();

	for (int i = 0; i < 500 && now > files; i++) {
		sleep_ms(10);
		now = open_files();
	}
	assert_int_equal(now, files);
}

/* When the server hangs up on a client that sends a byte every 20 ms. */
static int64_t trickle_until_dropped(const char *text)
{
	int fd = connect_at(f.path);
	int64_t began = now_ms();

	while (now_ms() - began < PATIENCE_MS) {
		if (*text && send(fd, text, 1, MSG_NOSIGNAL) != 1)
			break;
		text += *text != '\0';
		char byte;
		if (recv(fd, &byte, 1, MSG_DONTWAIT) == 0)
			break;
		sleep_ms(20);
	}
	close(fd);
	return now_ms() - began;
}

static void slow_requests_are_dropped(void **state)
{
	(void)state;
	static const char *const slow[] = {
		"", /* says nothing at all */
		"GET /status HTTP/1.1\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"PATCH /vm HTTP/1.1\r\nContent-Length: 18\r\n\r\n{\"state\"",
	};

	for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
		int64_t ms = trickle_until_dropped(slow[i]);

		if (ms < IDLE_MS - 20 || ms >= PATIENCE_MS)
			fail_msg("client %zu: %lld ms", i, (long long)ms);
	}
	assert_int_equal(fake_deeds(&f.vm), 0);
}

/* The limit is for what was begun: who has been served may wait. */
static void a_served_client_may_wait(void **state)
{
	(void)state;
	struct answer a;
	int fd = connect_at(f.path);

	for (int i = 0; i < 2; i++) {
		send_text(fd, "GET /status HTTP/1.1\r\n\r\n");
		assert_int_equal(receive(fd, &a)->status, 200);
		sleep_ms(2 * IDLE_MS);
	}
	send_text(fd, "GET /sta");
	assert_true(hung_up(fd));
	close(fd);
}

static void forty_threads_of_conversation(void **state)
{
	(void)state;
	struct answer a;
	int fd[MANY];

	for (int i = 0; i < MANY; i++) {
		fd[i] = connect_at(f.path);
		send_text(fd[i], "GET /status HTTP/1.1\r\n"
				 "Connection: close\r\n\r\n");
	}
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(receive(fd[i], &a)->status, 200);
		close(fd[i]);
	}
}

static void a_storm_of_connections_leaks_nothing(void **state)
{
	(void)state;
	unsigned files = open_files();

	for (int i = 0; i < 3000; i++) {
		int fd = connect_at(f.path);

		assert_true(fd >= 0);
		if (i % 3 == 0)
			send_text(fd, "GET /status HTTP/1.1\r\n\r\n");
		if (i % 3 == 1)
			send_text(fd, "GET /sta");
		close(fd); /* mid-request, or without taking the answer */
	}
	assert_served(&f); /* after all who came before */
	assert_closes_down_to(files);
}

/* E6, E15: asks without end and never reads: neither memory nor the others
 * suffer. */
static void a_client_that_never_reads_is_dropped(void **state)
{
	(void)state;
	static const char text[] = "GET /status HTTP/1.1\r\n\r\n";
	int fd = connect_at(f.path);
	int64_t began = now_ms();

	while (send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) >
		       0 ||
	       errno == EAGAIN) {
		if (now_ms() - began > PATIENCE_MS)
			fail_msg("still connected");
		sleep_ms(errno == EAGAIN ? 10 : 0);
	}
	assert_served(&f);
	/* What it left unread fills a socket's buffer, and no more. */
	assert_true(f.vm.statuses < 4000);
	close(fd);
}

/* E12: one, and as many as can be. */
static void assert_sent_are_closed(unsigned files)
{
	char room[CMSG_SPACE(MOST_FILES * sizeof(int))] = { 0 };
	char text[] = "GET /status HTTP/1.1\r\n\r\n";
	struct iovec iov = { text, sizeof(text) - 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = room,
			      .msg_controllen =
				      CMSG_SPACE(files * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	struct answer a;
	int end[2], fd = connect_at(f.path);

	assert_int_equal(pipe(end), 0);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(files * sizeof(int));
	for (unsigned i = 0; i < files; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &end[1], sizeof(int));
	assert_int_equal(sendmsg(fd, &msg, 0), sizeof(text) - 1);
	assert_int_equal(receive(fd, &a)->status, 200);
	close(end[1]);
	assert_true(hung_up(end[0])); /* nobody else holds the pipe */
	close(end[0]);
	close(fd);
}

static void file_descriptors_sent_along_are_closed(void **state)
{
	(void)state;
	assert_sent_are_closed(1);
	assert_sent_are_closed(MOST_FILES);
}

/* Out of descriptors, the server neither spins nor forgets who waits. */
static void no_free_descriptor_is_survived(void **state)
{
	(void)state;
	enum { LIMIT = 128 };
	struct answer a;
	struct rlimit all, few;
	int taken[LIMIT], n = 0, waiting = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	memcpy(to.sun_path, f.path, sizeof(to.sun_path));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	few = (struct rlimit){ LIMIT, all.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	while ((taken[n] = dup(0)) >= 0)
		n++;
	connect(waiting, (struct sockaddr *)&to, sizeof(to));
	send_text(waiting, "GET /status HTTP/1.1\r\n\r\n");

	int64_t began = now_ms();
	unsigned waited = rounds;
	sleep_ms(300);
	waited = rounds - waited;
	int64_t ms = now_ms() - began;
	int statuses = f.vm.statuses;
	setrlimit(RLIMIT_NOFILE, &all);
	while (n)
		close(taken[--n]);
	/* Two for each time that it does not look at who comes. */
	assert_true(waited <= 2 * ms / 50 + 4);
	assert_int_equal(statuses, 0);
	assert_int_equal(receive(waiting, &a)->status, 200);
	close(waiting);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(slow_requests_are_dropped),
		TEST(a_served_client_may_wait),
		TEST(forty_threads_of_conversation),
		TEST(a_storm_of_connections_leaks_nothing),
		TEST(a_client_that_never_reads_is_dropped),
		TEST(file_descriptors_sent_along_are_closed),
		TEST(no_free_descriptor_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
