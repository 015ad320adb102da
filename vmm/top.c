/* SPDX-License-Identifier: MIT */
/* Ask, draw, listen to the keyboard for a second, and again. */
#include "vmm/top.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vmm/api.h"
#include "vmm/clock.h"
#include "vmm/ctl_order.h"
#include "vmm/screen.h"

#define PERIOD_MS 1000
#define TIMEOUT_S 5
#define ESC	  27
#define DEL	  127

/* What a person may change, and is asked for. */
static const struct question {
	char key;
	const char *ask;
	bool (*make)(struct order *o, const char *text, struct complaint *why);
} questions[] = {
	{ 'c', "cap on resident memory, as in 64M: ", order_resident },
	{ 'p', "policy: ", order_policy },
	{ 'b', "balloon, as in 64M, or 0: ", order_balloon },
};

#define QUESTIONS (sizeof(questions) / sizeof(questions[0]))

struct top {
	const struct target *t;
	struct top_sample now, before;
	const struct question *asking; /* NULL: nothing */
	char typed[48];
	struct complaint said; /* the last line, when nothing is asked, */
	unsigned said_for; /* so many samples long */
	bool done;
	int lost; /* 0; -errno: the VM gave no answer */
};

#define SAY_SAMPLES 4

static void say(struct top *top, const char *what, const char *why)
{
	complaint_set(&top->said, "%s%s%.200s", what, *why ? ": " : "", why);
	top->said_for = SAY_SAMPLES;
}

static bool is_gone(int error)
{
	return error == -ENOENT || error == -ECONNREFUSED ||
	       error == -ECONNRESET || error == -EPIPE;
}

/* One that does not answer in time may yet do so. */
static void take_sample(struct top *top)
{
	struct top_sample next;

	top->lost = top_ask(&next, top->t->path);
	if (top->lost) {
		top->done = is_gone(top->lost);
		say(top, "no answer", strerror(-top->lost));
		return;
	}
	if (top->said_for)
		top->said_for--;
	top_free(&top->before);
	top->before = top->now;
	top->now = next;
}

static void send_order(struct top *top, const struct order *o)
{
	char *answer = NULL;
	int status = api_call(top->t->path, o->method, o->target, o->json,
			      TIMEOUT_S, &answer);
	json_t *fault = answer ? json_loads(answer, 0, NULL) : NULL;
	const char *why =
		json_string_value(json_object_get(fault, "fault_message"));

	if (status == 204)
		say(top, "done", "");
	else
		say(top, status < 0 ? "no answer" : "refused",
		    why		 ? why
		    : status < 0 ? strerror(-status)
				 : "");
	json_decref(fault);
	free(answer);
}

static void answer_question(struct top *top)
{
	struct complaint why;
	struct order o;

	if (*top->typed && top->asking->make(&o, top->typed, &why))
		send_order(top, &o);
	else if (*top->typed)
		say(top, "refused", why.text);
	top->asking = NULL;
}

static void type(struct top *top, int key)
{
	size_t len = strlen(top->typed);

	if (key == ESC)
		top->asking = NULL;
	else if (key == '\r')
		answer_question(top);
	else if (key == DEL && len)
		top->typed[len - 1] = 0;
	else if (key > ' ' && key < DEL && len + 1 < sizeof(top->typed))
		top->typed[len] = (char)key;
}

static void toggle_pause(struct top *top)
{
	const char *state =
		json_string_value(json_object_get(top->now.status, "state"));
	struct order o = order_state(
		state && !strcmp(state, "paused") ? "Resumed" : "Paused");

	send_order(top, &o);
}

static void press(struct top *top, int key)
{
	if (top->asking) {
		type(top, key);
		return;
	}
	if (key == 'q')
		top->done = true;
	if (key == ' ')
		toggle_pause(top);
	for (unsigned i = 0; i < QUESTIONS; i++)
		if (key == questions[i].key) {
			top->asking = &questions[i];
			memset(top->typed, 0, sizeof(top->typed));
			top->said_for = 0;
		}
}

static void draw_foot(const struct top *top, struct canvas *c)
{
	canvas_row(c, c->rows - 1);
	canvas_line(c, INK_PLAIN);
	canvas_row(c, c->rows - 1);
	if (top->asking)
		canvas_print(c, INK_PLAIN, "%s%s", top->asking->ask,
			     top->typed);
	else if (top->said_for)
		canvas_print(c, INK_YELLOW, "%s", top->said.text);
	else
		canvas_print(c, INK_DIM,
			     "c cap  p policy  b balloon  space pause  q quit");
}

static void repaint(const struct top *top)
{
	struct canvas c;
	unsigned rows, columns;

	screen_size(&rows, &columns);
	if (!rows || !columns || !canvas_make(&c, rows, columns))
		return;
	top_draw(&c, &top->now, &top->before);
	draw_foot(top, &c);
	screen_show(&c, top->asking);
	canvas_free(&c);
}

/* Keys until it is time for the next sample. */
static void listen(struct top *top, int64_t until)
{
	while (!top->done) {
		int64_t left = until - clock_ms();
		int key = left > 0 ? screen_key((int)left) : SCREEN_NONE;

		if (key == SCREEN_NONE)
			return;
		press(top, key);
		repaint(top);
	}
}

static int watch(struct top *top)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !screen_open()) {
		warnx("top: not a terminal that can show it; --once prints one "
		      "view");
		return 1;
	}
	while (!top->done) {
		int64_t until = clock_ms() + PERIOD_MS;

		repaint(top);
		listen(top, until);
		if (!top->done)
			take_sample(top);
	}
	screen_close();
	if (top->lost)
		printf("VM %s has ended\n", top->t->vm);
	return 0;
}

/* One view, with the rates of a second. */
static int print_once(struct top *top)
{
	struct canvas c;

	nanosleep(&(struct timespec){ .tv_sec = PERIOD_MS / 1000 }, NULL);
	take_sample(top);
	if (top->lost || !canvas_make(&c, 40, 80)) {
		warnx("top: VM %s: %s", top->t->vm,
		      strerror(top->lost ? -top->lost : ENOMEM));
		return 1;
	}
	top_draw(&c, &top->now, &top->before);
	canvas_write(&c, stdout);
	canvas_free(&c);
	return 0;
}

int cmd_top(int argc, char **argv)
{
	bool once = argc == 2 && !strcmp(argv[1], "--once");
	struct target t;
	struct top top = { .t = &t };
	char *status;
	int r;

	if (argc < 1 || (argc > 1 && !once))
		return complain_usage("top", "want VM [--once]", NULL);
	if (!target_find(&t, "top", argv[0]))
		return 2;
	if (call(&t, "GET", "/status", NULL, &status))
		return 1; /* it said why */
	free(status);
	take_sample(&top);
	r = once ? print_once(&top) : watch(&top);
	top_free(&top.now);
	top_free(&top.before);
	return r;
}
