/* SPDX-License-Identifier: MIT */
#include "vmm/screen.h"

#include <curses.h>
#include <signal.h>
#include <stdlib.h>

#define ESC_MS 25 /* what follows an ESC later is no part of its key */

static SCREEN *screen;
static volatile sig_atomic_t ended;

static void on_end(int sig)
{
	ended = sig;
}

/* The first one ends the wait for a key; the terminal is given back then. */
static void catch_ends(void)
{
	const struct sigaction end = { .sa_handler = on_end,
				       .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGHUP, &end, NULL);
}

static void make_inks(void)
{
	static const short colour[INKS] = {
		[INK_GREEN] = COLOR_GREEN, [INK_YELLOW] = COLOR_YELLOW,
		[INK_BLUE] = COLOR_CYAN,   [INK_MAGENTA] = COLOR_MAGENTA,
		[INK_RED] = COLOR_RED,
	};

	if (!has_colors() || start_color() == ERR)
		return;
	use_default_colors();
	for (short i = INK_GREEN; i < INKS; i++)
		init_pair(i, colour[i], -1);
}

bool screen_open(void)
{
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return false;
	catch_ends();
	set_escdelay(ESC_MS);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	make_inks();
	return true;
}

void screen_close(void)
{
	endwin();
	delscreen(screen);
	if (ended)
		raise(ended);
}

void screen_size(unsigned *rows, unsigned *columns)
{
	*rows = (unsigned)getmaxy(stdscr);
	*columns = (unsigned)getmaxx(stdscr);
}

static chtype look(struct glyph g)
{
	chtype c = (unsigned char)g.c;

	if (g.ink == INK_TITLE)
		return c | A_REVERSE;
	if (g.ink == INK_DIM)
		return c | A_DIM;
	return g.ink >= INK_GREEN && has_colors()
		       ? c | (chtype)COLOR_PAIR(g.ink)
		       : c;
}

void screen_show(const struct canvas *c, bool cursor)
{
	erase();
	for (unsigned row = 0; row < c->rows; row++)
		for (unsigned column = 0; column < c->columns; column++)
			mvaddch((int)row, (int)column,
				look(c->glyph[row * c->columns + column]));
	curs_set(cursor);
	if (cursor)
		move((int)c->row, (int)c->column);
	refresh();
}

int screen_key(int ms)
{
	int key;

	timeout(ms);
	key = getch();
	if (ended)
		return 'q';
	switch (key) {
	case ERR:
		return SCREEN_NONE;
	case KEY_RESIZE:
		return SCREEN_RESIZED;
	case KEY_BACKSPACE:
	case '\b':
		return 127;
	case KEY_ENTER:
	case '\n':
		return '\r';
	default:
		return key < 256 ? key : SCREEN_OTHER;
	}
}
