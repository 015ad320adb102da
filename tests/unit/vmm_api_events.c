/* SPDX-License-Identifier: MIT */
/* The stream of events: who listens is told what happens, in order, and who
 * does not listen costs nobody anything. Directly, and passed on. */
#include "tests/unit/api_fixture.h"
#include "tests/unit/capture.h"

#include <fcntl.h>
#include <jansson.h>

#include "vmm/api_forward.h"
#include "vmm/ctl.h"

static struct fixture f;

static int start(void **state)
{
	struct complaint why = { "" };

	(void)state;
	fixture_folder(&f);
	f.vm.events = events_create();
	if (!api_start(&f.api, f.path, fake_control(&f.vm), &why))
		fail_msg("%s", why.text);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fixture_stop(&f);
	events_destroy(f.vm.events);
	return 0;
}

static int listener(const char *path)
{
	int fd = connect_at(path);
	struct answer a;

	send_text(fd, "GET /events HTTP/1.1\r\n\r\n");
	assert_int_equal(receive(fd, &a)->status, 200);
	assert_non_null(strstr(a.head, "Transfer-Encoding: chunked\r\n"));
	return fd;
}

/* The next chunk of a stream, without its frame. False: it has ended. */
static bool chunk(int fd, char *to, size_t room)
{
	char size[16] = "";
	size_t len = 0, want;

	while (len < sizeof(size) - 1 && !strstr(size, "\r\n"))
		if (read(fd, size + len++, 1) != 1)
			return false;
	want = strtoul(size, NULL, 16) + 2;
	assert_true(want < room);
	for (len = 0; len < want; len++)
		if (read(fd, to + len, 1) != 1)
			return false;
	to[want - 2] = '\0';
	return want > 2;
}

static json_int_t heard(int fd, const char *want, const char *detail)
{
	const char *what, *more;
	json_int_t seq, us;
	char text[512];
	json_t *line;

	assert_true(chunk(fd, text, sizeof(text)));
	assert_int_equal(text[strlen(text) - 1], '\n');
	line = json_loads(text, 0, NULL);
	assert_int_equal(json_unpack_ex(line, NULL, JSON_STRICT,
					"{s:I, s:I, s:s, s:s}", "seq", &seq,
					"time_us", &us, "event", &what,
					"detail", &more),
			 0);
	assert_string_equal(what, want);
	assert_string_equal(more, detail);
	assert_true(us > INT64_C(1000000) * 1000000000);
	json_decref(line);
	return seq;
}

static void listeners_are_told_in_order(void **state)
{
	int a, b;

	(void)state;
	events_tell(f.vm.events, "before", "");
	a = listener(f.path);
	events_tell(f.vm.events, "paused", "asked \"to\"\n\xff");
	assert_int_equal(heard(a, "paused", "asked \"to\"\n?"), 2);
	b = listener(f.path);
	events_tell(f.vm.events, "resumed", "");
	events_tell(f.vm.events, "resident", "65536");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(heard(i ? b : a, "resumed", ""), 3);
		assert_int_equal(heard(i ? b : a, "resident", "65536"), 4);
	}
	close(a);
	events_tell(f.vm.events, "policy", "lru");
	heard(b, "policy", "lru");
	assert_served(&f);
	close(b);
}

/* E6: 256 KiB, then it has to go; the others have missed nothing. */
static void who_does_not_listen_is_dropped(void **state)
{
	int deaf = listener(f.path), good = listener(f.path);
	char detail[224], rest[4096];
	ssize_t n;

	(void)state;
	memset(detail, 'x', sizeof(detail));
	detail[200] = '\0';
	for (unsigned i = 0; i < 8 * EVENTS; i++) {
		events_tell(f.vm.events, "much", detail);
		assert_int_equal(heard(good, "much", detail), i + 1);
	}
	/* What it was sent before; then the end. */
	size_t most = 0;
	while ((n = read(deaf, rest, sizeof(rest))) > 0)
		most += (size_t)n;
	assert_int_equal(n, 0);
	assert_true(most < (size_t)8 * EVENTS * 200);
	events_tell(f.vm.events, "more", "");
	heard(good, "more", "");
	close(deaf);
	close(good);
}

static void events_can_be_asked_for(void **state)
{
	struct answer a;

	(void)state;
	ask(&f, &a, "GET", "/events/after/0", "");
	assert_string_equal(a.body, "{\"lost\":false,\"events\":[]}");
	events_tell(f.vm.events, "one", "");
	events_tell(f.vm.events, "two", "");
	ask(&f, &a, "GET", "/events/after/1", "");
	assert_non_null(
		strstr(a.body, "{\"lost\":false,\"events\":[{\"seq\":2,"));
	assert_null(strstr(a.body, "\"one\""));
	for (unsigned i = 0; i < EVENTS; i++)
		events_tell(f.vm.events, "many", "");
	ask(&f, &a, "GET", "/events/after/1", "");
	assert_non_null(
		strstr(a.body, "{\"lost\":true,\"events\":[{\"seq\":3,"));
	ask(&f, &a, "GET", "/events/after/", "");
	assert_int_equal(a.status, 400);
	ask(&f, &a, "GET", "/events/after/-1", "");
	assert_int_equal(a.status, 400);
	ask(&f, &a, "GET", "/events/after/18446744073709551615", "");
	assert_int_equal(a.status, 400);
}

static void ctl_prints_the_past(void **state)
{
	struct capture c;

	(void)state;
	assert_served(&f);
	events_tell(f.vm.events, "paused", "asked to");
	events_tell(f.vm.events, "resumed", "");
	c = capture_run(cmd_ctl,
			(const char *const[]){ f.path, "events", NULL });
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, "  paused     asked to\n"));
	assert_non_null(strstr(c.out, "  resumed    \n"));
	capture_free(&c);
	c = capture_run(cmd_ctl, (const char *const[]){ f.path, "events",
							"--json", NULL });
	assert_int_equal(strncmp(c.out, "{\"seq\":1,\"time_us\":", 19), 0);
	capture_free(&c);
}

/* The end of the VM is the end of the stream, in good order. */
static void a_stream_ends_with_the_vm(void **state)
{
	int fd = listener(f.path);
	char text[64];

	(void)state;
	events_tell(f.vm.events, "ended", "exit");
	api_stop(f.api);
	f.api = NULL;
	heard(fd, "ended", "exit");
	assert_int_equal(recv(fd, text, 5, MSG_WAITALL), 5);
	assert_memory_equal(text, "0\r\n\r\n", 5); /* its last chunk */
	assert_true(hung_up(fd));
	close(fd);
}

/* A second server, which knows the first by one connection only. */
static void requests_and_events_are_passed_on(void **state)
{
	char path[108];
	struct complaint why = { "" };
	int through = connect_at(f.path), a, b;
	struct api_forward *forward;
	struct api *outer;
	struct answer got;

	(void)state;
	fcntl(through, F_SETFL, O_NONBLOCK);
	forward = api_forward_create(through);
	snprintf(path, sizeof(path), "%.64s/outer.sock", f.folder);
	assert_true(
		api_serve(&outer, path, api_forward_desk(forward), 5000, &why));
	a = connect_at(path);
	b = connect_at(path);
	for (int i = 0; i < 2; i++) {
		send_request(a, "PUT", "/memory/resident",
			     "{\"resident_bytes\":9}", 20);
		send_text(b, "GET /metrics HTTP/1.1\r\n\r\n");
		assert_int_equal(receive(b, &got)->status, 200);
		assert_non_null(strstr(got.head, "Content-Type: text/plain"));
		assert_non_null(strstr(got.body, "twofold_"));
		assert_int_equal(receive(a, &got)->status, 204);
		send_text(b, "PUT /status HTTP/1.1\r\n\r\n");
		assert_int_equal(receive(b, &got)->status, 405);
		assert_non_null(strstr(got.head, "Allow: GET\r\n"));
		send_text(a, "HEAD /status HTTP/1.1\r\n"
			     "Connection: close\r\n\r\n");
		receive(a, &got); /* it has no body */
		assert_non_null(strstr(got.head, "HTTP/1.1 405 "));
		close(a);
		a = connect_at(path);
	}
	assert_int_equal(f.vm.residents, 2);
	events_tell(f.vm.events, "before", "");
	close(b);
	for (unsigned i = 0; i < 2 * EVENTS; i++)
		events_tell(f.vm.events, "past", "");
	b = listener(path);
	events_tell(f.vm.events, "paused", "why not");
	assert_int_equal(heard(b, "paused", "why not"), 2 * EVENTS + 2);
	api_stop(f.api);
	f.api = NULL;
	send_text(a, "GET /status HTTP/1.1\r\n\r\n");
	assert_int_equal(receive(a, &got)->status, 502);
	assert_non_null(strstr(got.body, "does not answer"));
	close(a);
	close(b);
	api_stop(outer);
	api_forward_destroy(forward);
	close(through);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(listeners_are_told_in_order),
		TEST(who_does_not_listen_is_dropped),
		TEST(events_can_be_asked_for),
		TEST(ctl_prints_the_past),
		TEST(a_stream_ends_with_the_vm),
		TEST(requests_and_events_are_passed_on),
	};

	alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
