/* SPDX-License-Identifier: MIT */
#include "vmm/canvas.h"

#include <stdarg.h>
#include <stdlib.h>

bool canvas_make(struct canvas *c, unsigned rows, unsigned columns)
{
	*c = (struct canvas){ .rows = rows, .columns = columns };
	c->glyph = calloc((size_t)rows * columns + 1, sizeof(*c->glyph));
	for (size_t i = 0; c->glyph && i < (size_t)rows * columns; i++)
		c->glyph[i].c = ' ';
	return c->glyph;
}

void canvas_free(struct canvas *c)
{
	free(c->glyph);
}

static struct glyph *glyph_at(const struct canvas *c, unsigned row,
			      unsigned column)
{
	return &c->glyph[(size_t)row * c->columns + column];
}

void canvas_put(struct canvas *c, enum ink ink, char glyph)
{
	if (c->row < c->rows && c->column < c->columns)
		*glyph_at(c, c->row, c->column) = (struct glyph){
			glyph >= ' ' && glyph <= '~' ? glyph : '?', (uint8_t)ink
		};
	c->column++;
}

void canvas_print(struct canvas *c, enum ink ink, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (const char *at = text; *at; at++)
		canvas_put(c, ink, *at);
}

void canvas_line(struct canvas *c, enum ink ink)
{
	while (c->column < c->columns)
		canvas_put(c, ink, ' ');
	canvas_row(c, c->row + 1);
}

void canvas_column(struct canvas *c, unsigned column)
{
	c->column = column;
}

void canvas_row(struct canvas *c, unsigned row)
{
	c->row = row;
	c->column = 0;
}

/* The length of a row without the blanks at its end. */
static unsigned length(const struct canvas *c, unsigned row)
{
	unsigned n = c->columns;

	while (n && glyph_at(c, row, n - 1)->c == ' ')
		n--;
	return n;
}

void canvas_write(const struct canvas *c, FILE *to)
{
	unsigned rows = c->rows;

	while (rows && !length(c, rows - 1))
		rows--;
	for (unsigned row = 0; row < rows; row++) {
		for (unsigned i = 0; i < length(c, row); i++)
			fputc(glyph_at(c, row, i)->c, to);
		fputc('\n', to);
	}
}
