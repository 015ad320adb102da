/* SPDX-License-Identifier: MIT */
/*
 * A page of text with colours, of a fixed size, before it goes to a terminal or
 * a pipe. What does not fit is cut off, so that who draws needs not care how
 * narrow it is.
 */
#ifndef VMM_CANVAS_H
#define VMM_CANVAS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum ink {
	INK_PLAIN,
	INK_TITLE, /* reversed */
	INK_DIM,
	INK_GREEN,
	INK_YELLOW,
	INK_BLUE,
	INK_MAGENTA,
	INK_RED,
	INKS
};

struct canvas {
	unsigned rows, columns;
	unsigned row, column; /* where the next text goes */
	struct glyph {
		char c; /* printable ASCII */
		uint8_t ink;
	} * glyph; /* [rows * columns] */
};

/* An empty one. False: no memory. */
bool canvas_make(struct canvas *c, unsigned rows, unsigned columns);
void canvas_free(struct canvas *c);

/* Write in printf's manner; bytes that are not printable become '?'. */
__attribute__((format(printf, 3, 4))) void canvas_print(struct canvas *c,
							enum ink ink,
							const char *format,
							...);
void canvas_put(struct canvas *c, enum ink ink, char glyph);
/* The rest of the row in this colour, and on to the next. */
void canvas_line(struct canvas *c, enum ink ink);
/* Move to a column, or a row's begin. */
void canvas_column(struct canvas *c, unsigned column);
void canvas_row(struct canvas *c, unsigned row);

/* The rows as lines without colours, up to the last that is not empty. */
void canvas_write(const struct canvas *c, FILE *to);

#endif
