/* SPDX-License-Identifier: MIT */
/*
 * The console gives bytes as they come and echoes nothing: what is seen is
 * written here.
 */
#include "guest/user/shell/line.h"

#include "guest/lib/string.h"
#include "guest/user/lib/stdio.h"
#include "guest/user/lib/sys.h"
#include "guest/user/lib/text.h"

#define HISTORY 32u

enum key {
	CONTROL_A = 1,
	CONTROL_C = 3,
	CONTROL_D = 4,
	CONTROL_E = 5,
	BACKSPACE = 8,
	CONTROL_K = 11,
	CONTROL_U = 21,
	ESCAPE = 27,
	DELETE_BACK = 127,
	LEFT = 256,
	RIGHT,
	UP,
	DOWN,
	HOME,
	END,
	DELETE,
	NOTHING,
	CLOSED
};

struct editor {
	const char *prompt;
	char *text;
	unsigned length, at;
	unsigned back; /* how many lines ago: of the history */
};

static char history[HISTORY][LINE_BYTES];
static unsigned remembered; /* in all, ever */

static int read_byte(void)
{
	static char buffer[64];
	static int64_t have, next;

	if (next == have) {
		have = sys_read(0, buffer, sizeof(buffer));
		next = 0;
		if (have <= 0) {
			have = 0;
			return CLOSED;
		}
	}
	return (unsigned char)buffer[next++];
}

/* ESC [ letter, ESC O letter, or ESC [ digit ~ (ECMA-48, 5.4). */
static int read_sequence(void)
{
	int first = read_byte(),
	    c = first == '[' || first == 'O' ? read_byte() : first;

	if (c >= '0' && c <= '9')
		return read_byte() == '~' && c == '3' ? DELETE : NOTHING;
	switch (c) {
	case 'A':
		return UP;
	case 'B':
		return DOWN;
	case 'C':
		return RIGHT;
	case 'D':
		return LEFT;
	case 'H':
		return HOME;
	case 'F':
		return END;
	case CLOSED:
		return CLOSED;
	default:
		return NOTHING;
	}
}

static int read_key(void)
{
	int c = read_byte();

	return c == ESCAPE ? read_sequence() : c;
}

/* The whole line anew, and the cursor where it belongs. */
static void show(const struct editor *e)
{
	printf("\r%s%s\x1b[K", e->prompt, e->text);
	if (e->at < e->length)
		printf("\x1b[%uD", e->length - e->at);
}

/* At the end, where most keys are typed, only the key is shown. */
static void insert(struct editor *e, char c)
{
	if (e->length + 1 == LINE_BYTES)
		return;
	if (e->at == e->length)
		write_all(1, &c, 1);
	memmove(e->text + e->at + 1, e->text + e->at, e->length - e->at + 1);
	e->text[e->at++] = c;
	e->length++;
	if (e->at < e->length)
		show(e);
}

/* Remove [from, to). */
static void cut(struct editor *e, unsigned from, unsigned to)
{
	memmove(e->text + from, e->text + to, e->length - to + 1);
	e->length -= to - from;
	e->at = from;
}

static void recall(struct editor *e, unsigned back)
{
	if (back > remembered || back > HISTORY)
		return;
	e->back = back;
	if (back)
		strlcpy(e->text, history[(remembered - back) % HISTORY],
			LINE_BYTES);
	else
		e->text[0] = '\0';
	e->at = e->length = (unsigned)strlen(e->text);
}

static void move(struct editor *e, int key)
{
	if (key == LEFT && e->at)
		e->at--;
	else if (key == RIGHT && e->at < e->length)
		e->at++;
	else if (key == HOME || key == CONTROL_A)
		e->at = 0;
	else if (key == END || key == CONTROL_E)
		e->at = e->length;
	else if (key == UP)
		recall(e, e->back + 1);
	else if (key == DOWN && e->back)
		recall(e, e->back - 1);
}

static void edit(struct editor *e, int key)
{
	if (key >= ' ' && key < DELETE_BACK) {
		insert(e, (char)key);
		return;
	}
	if ((key == BACKSPACE || key == DELETE_BACK) && e->at)
		cut(e, e->at - 1, e->at);
	else if (key == DELETE && e->at < e->length)
		cut(e, e->at, e->at + 1);
	else if (key == CONTROL_U)
		cut(e, 0, e->at);
	else if (key == CONTROL_K)
		cut(e, e->at, e->length);
	else
		move(e, key);
	show(e);
}

static void remember(const char *line)
{
	if (!*line)
		return;
	strlcpy(history[remembered % HISTORY], line, LINE_BYTES);
	remembered++;
}

bool line_read(const char *prompt, char line[LINE_BYTES])
{
	struct editor e = { .prompt = prompt, .text = line };

	line[0] = '\0';
	show(&e);
	for (;;) {
		int key = read_key();

		if (key == CLOSED || (key == CONTROL_D && !e.length)) {
			printf("\n");
			return false;
		}
		if (key == CONTROL_C) {
			printf("^C\n");
			cut(&e, 0, e.length);
			show(&e);
			continue;
		}
		if (key == '\r' || key == '\n') {
			printf("\n");
			remember(line);
			return true;
		}
		edit(&e, key);
	}
}
