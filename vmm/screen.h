/* SPDX-License-Identifier: MIT */
/* The terminal as a page that canvases are shown on, and as a keyboard. */
#ifndef VMM_SCREEN_H
#define VMM_SCREEN_H

#include "vmm/canvas.h"

/* What is no character. */
enum {
	SCREEN_NONE = -1, /* nothing was typed in time */
	SCREEN_RESIZED = -2,
	SCREEN_OTHER = -3, /* a key that means nothing here */
};

/* Take the terminal over. False: this one is not known by terminfo. Signals
 * that end the program give it back. */
bool screen_open(void);
void screen_close(void);

void screen_size(unsigned *rows, unsigned *columns);
/* Show @c; with @cursor, the terminal's cursor at the canvas' place. */
void screen_show(const struct canvas *c, bool cursor);
/* A character, DEL for backspace, ESC, '\r', or of the above; waits at most
 * @ms. */
int screen_key(int ms);

#endif
