/* SPDX-License-Identifier: MIT */
/* The API's socket file: who gets it, who may use it; and the caller's end. */
#include "tests/unit/api_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/un.h>
#include <sys/wait.h>

static struct fixture f;

static int folder(void **state)
{
	(void)state;
	fixture_folder(&f);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

static bool start_at(const char *path, struct api **api, struct complaint *why)
{
	why->text[0] = '\0';
	return api_start(api, path, fake_control(&f.vm), why);
}

static void assert_starts(void)
{
	struct complaint why;

	if (!start_at(f.path, &f.api, &why))
		fail_msg("%s", why.text);
}

static void assert_refused(const char *path, const char *because)
{
	struct complaint why;
	struct api *api = NULL;

	assert_false(start_at(path, &api, &why));
	assert_null(api);
	assert_non_null(strstr(why.text, because));
	assert_null(strchr(why.text, '\n'));
}

/* A socket file that its listener left behind. */
static void leave_socket(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
}

/* E13. */
static void only_the_owner_may_connect(void **state)
{
	(void)state;
	struct stat st;
	mode_t old = umask(0);

	assert_starts();
	umask(old);
	assert_int_equal(stat(f.path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
}

/* E16. */
static void a_stale_socket_is_replaced(void **state)
{
	(void)state;
	leave_socket(f.path);
	assert_starts();
	assert_served(&f);
}

static void a_socket_in_use_is_refused(void **state)
{
	(void)state;
	assert_starts();
	assert_refused(f.path, "in use");
	assert_served(&f);
}

static void other_files_are_left_alone(void **state)
{
	(void)state;
	char link[100];
	int fd = open(f.path, O_CREAT | O_WRONLY, 0600);

	close(fd);
	assert_refused(f.path, "in use");
	assert_int_equal(unlink(f.path), 0);

	/* A link to a stale socket is not ours to replace either. */
	snprintf(link, sizeof(link), "%s/link", f.folder);
	leave_socket(f.path);
	assert_int_equal(symlink(f.path, link), 0);
	assert_refused(link, "in use");
	assert_int_equal(unlink(link), 0);
	assert_int_equal(unlink(f.path), 0);
}

static void bad_paths_are_refused(void **state)
{
	(void)state;
	char path[110];

	assert_refused("", "empty");
	assert_refused("/no/such/folder/s", "No such file");
	memset(path, 'a', sizeof(path));
	path[108] = '\0';
	assert_refused(path, "at most 107");
	assert_refused("/", "in use");
}

/* The server removes the file it made, not one that took its place. */
static void a_foreign_file_is_not_removed(void **state)
{
	(void)state;
	assert_starts();
	assert_int_equal(unlink(f.path), 0);
	leave_socket(f.path);
	api_stop(f.api);
	f.api = NULL;
	assert_int_equal(unlink(f.path), 0);
}

static void *race(void *arg)
{
	struct complaint why;

	*(bool *)arg = false;
	struct api *api;
	*(bool *)arg = start_at(f.path, &api, &why);
	return *(bool *)arg ? api : NULL;
}

/* Of those who find a stale socket at the same time, one gets it. */
static void one_of_many_wins(void **state)
{
	(void)state;
	enum { RACERS = 8 };

	for (int round = 0; round < 20; round++) {
		pthread_t thread[RACERS];
		bool won[RACERS];
		int winners = 0;
		void *api;

		leave_socket(f.path);
		for (int i = 0; i < RACERS; i++)
			pthread_create(&thread[i], NULL, race, &won[i]);
		for (int i = 0; i < RACERS; i++) {
			pthread_join(thread[i], &api);
			winners += won[i];
			if (api)
				f.api = api;
		}
		assert_int_equal(winners, 1);
		assert_served(&f);
		api_stop(f.api);
		f.api = NULL;
	}
}

static void a_call_gives_status_and_body(void **state)
{
	(void)state;
	char *body = NULL;

	assert_starts();
	assert_int_equal(api_call(f.path, "GET", "/status", NULL, 5, &body),
			 200);
	assert_non_null(strstr(body, "\"name\":\"fake\""));
	free(body);
	assert_int_equal(api_call(f.path, "PUT", "/memory/resident",
				  "{\"resident_bytes\":4096}", 5, &body),
			 204);
	assert_string_equal(body, "");
	free(body);
	assert_int_equal(f.vm.resident, 4096);
	assert_int_equal(
		api_call(f.path, "PUT", "/memory/resident", "{}", 5, NULL),
		400);
}

static void a_call_to_nobody_says_why(void **state)
{
	(void)state;
	char path[120];

	assert_int_equal(api_call(f.path, "GET", "/status", NULL, 1, NULL),
			 -ENOENT);
	leave_socket(f.path);
	assert_int_equal(api_call(f.path, "GET", "/status", NULL, 1, NULL),
			 -ECONNREFUSED);
	assert_int_equal(unlink(f.path), 0);
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(api_call(path, "GET", "/status", NULL, 1, NULL),
			 -ENAMETOOLONG);
}

/* A server that reads the request and answers with @text, where ID stands for
 * the request's id; or with nothing. */
_Noreturn static void answer_with(int listener, const char *text)
{
	char request[4096] = "", answer[1024];
	int fd = accept(listener, NULL, NULL);

	if (read(fd, request, sizeof(request) - 1) <= 0 || !text)
		pause();
	const char *id = strstr(request, "X-Request-Id: ") + 14;
	const char *at = strstr(text, "ID:");
	if (at)
		snprintf(answer, sizeof(answer), "%.*sX-Request-Id: %.*s%s",
			 (int)(at - text), text, (int)strcspn(id, "\r"), id,
			 at + 3);
	send_text(fd, at ? answer : text);
	_exit(0);
}

static int call_answered_by(const char *text, char **body)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	int status;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", f.path);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	listen(listener, 1);
	pid_t child = fork();
	if (!child)
		answer_with(listener, text);
	status = api_call(f.path, "GET", "/status", NULL, 1, body);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(listener);
	unlink(f.path);
	return status;
}

#define OK	   "HTTP/1.1 200 OK\r\n"
#define NO_CONTENT "HTTP/1.1 204 No Content\r\n"

static void odd_servers_are_survived(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int status;
	} odd[] = {
		{ NULL, -ETIMEDOUT },
		{ "", -ECONNRESET },
		{ "220 ftp ready\r\n\r\n", -EPROTO },
		{ OK "ID:\r\nContent-Length: 9\r\n\r\nhalf", -ECONNRESET },
		{ NO_CONTENT "ID:\r\n\r\n", 204 },
		/* the answer to somebody else, or to who gave no id */
		{ NO_CONTENT "X-Request-Id: 1-other\r\n\r\n", -ECONNRESET },
		{ NO_CONTENT "\r\n", -ECONNRESET },
	};
	char *body = NULL;

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		assert_int_equal(call_answered_by(odd[i].text, NULL),
				 odd[i].status);
	/* No length: the body ends with the connection. */
	assert_int_equal(call_answered_by(OK "ID:\r\n\r\nall", &body), 200);
	assert_string_equal(body, "all");
	free(body);
}

/* A serial port may still hold answers that nobody waited for. */
static void other_answers_are_passed_over(void **state)
{
	(void)state;
	char *body = NULL;

	assert_int_equal(call_answered_by(NO_CONTENT
					  "X-Request-Id: 1-other\r\n\r\n" OK
					  "Content-Length: 3\r\n\r\nold"
					  "HTTP/1.1 100 Continue\r\n\r\n"
					  "HTTP/1.1 400 Bad Request\r\n"
					  "ID:\r\nContent-Length: 4\r\n\r\n"
					  "ours",
					  &body),
			 400);
	assert_string_equal(body, "ours");
	free(body);
}

static void names_become_paths(void **state)
{
	(void)state;
	char path[108], name[120];

	unsetenv("XDG_RUNTIME_DIR");
	assert_true(api_path("vm1", path));
	assert_string_equal(path, "/run/twofold/vm1.sock");
	setenv("XDG_RUNTIME_DIR", "relative", 1);
	assert_true(api_path("vm1", path));
	assert_string_equal(path, "/run/twofold/vm1.sock");
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	assert_true(api_path("123", path));
	assert_string_equal(path, "/run/user/7/twofold/123.sock");
	assert_true(api_path("./a", path));
	assert_string_equal(path, "./a");

	/* 107 bytes and the NUL fit, one more does not. */
	memset(name, 'a', sizeof(name));
	memcpy(name, "./", 2);
	name[107] = '\0';
	assert_true(api_path(name, path));
	name[107] = 'a';
	name[108] = '\0';
	assert_false(api_path(name, path));
}

static void the_folder_is_private(void **state)
{
	(void)state;
	char path[100];
	struct stat st;

	snprintf(path, sizeof(path), "%s/twofold", f.folder);
	setenv("XDG_RUNTIME_DIR", f.folder, 1);
	assert_int_equal(api_make_folder(), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(api_make_folder(), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(rmdir(path), 0);

	/* Not through a link, where others could lead us. */
	assert_int_equal(symlink("/tmp", path), 0);
	assert_int_equal(api_make_folder(), -ENOTDIR);
	assert_int_equal(unlink(path), 0);
	setenv("XDG_RUNTIME_DIR", "/no/such/folder", 1);
	assert_int_equal(api_make_folder(), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_the_owner_may_connect),
		TEST(a_stale_socket_is_replaced),
		TEST(a_socket_in_use_is_refused),
		TEST(other_files_are_left_alone),
		TEST(bad_paths_are_refused),
		TEST(a_foreign_file_is_not_removed),
		TEST(one_of_many_wins),
		TEST(a_call_gives_status_and_body),
		TEST(a_call_to_nobody_says_why),
		TEST(odd_servers_are_survived),
		TEST(other_answers_are_passed_over),
		TEST(names_become_paths),
		TEST(the_folder_is_private),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
