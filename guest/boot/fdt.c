/* SPDX-License-Identifier: MIT */
#include "guest/boot/fdt.h"

#include <stddef.h>

#define FDT_MAGIC 0xd00dfeedu

/* The header's fields that we read, all big-endian, in bytes from its start. */
enum {
	HEADER_MAGIC = 0,
	HEADER_TOTAL = 4,
	HEADER_STRUCTURE = 8,
	HEADER_STRINGS = 12,
	HEADER_COMPATIBLE = 24, /* the oldest version a reader must know */
	HEADER_STRINGS_SIZE = 32,
	HEADER_STRUCTURE_SIZE = 36,
	HEADER_SIZE = 40
};

static bool inside(uint32_t at, uint32_t bytes, uint32_t room)
{
	return at <= room && bytes <= room - at;
}

/* The string at @at, or NULL if it does not end within @room. */
static const char *text_at(const char *from, uint32_t at, uint32_t room)
{
	for (uint32_t i = at; i < room; i++)
		if (!from[i])
			return from + at;
	return NULL;
}

uint32_t fdt_size(const void *blob)
{
	const uint8_t *header = blob;

	if (fdt_u32(header + HEADER_MAGIC) != FDT_MAGIC)
		return 0;
	return fdt_u32(header + HEADER_TOTAL);
}

bool fdt_open(struct fdt *t, const void *blob, uint32_t room)
{
	const uint8_t *header = blob;
	uint32_t structure, strings, total;

	if (room < HEADER_SIZE)
		return false;
	total = fdt_size(blob);
	if (total < HEADER_SIZE || total > room ||
	    fdt_u32(header + HEADER_COMPATIBLE) > 17)
		return false;
	structure = fdt_u32(header + HEADER_STRUCTURE);
	strings = fdt_u32(header + HEADER_STRINGS);
	t->structure_bytes = fdt_u32(header + HEADER_STRUCTURE_SIZE);
	t->strings_bytes = fdt_u32(header + HEADER_STRINGS_SIZE);
	if (!inside(structure, t->structure_bytes, total) ||
	    !inside(strings, t->strings_bytes, total))
		return false;
	t->structure = header + structure;
	t->strings = (const char *)header + strings;
	t->at = 0;
	return true;
}

static void skip_padding(struct fdt *t, uint32_t bytes)
{
	t->at += (bytes + 3) & ~3u;
}

static enum fdt_token read_node(struct fdt *t, struct fdt_item *item)
{
	uint32_t length = 0;

	item->name =
		text_at((const char *)t->structure, t->at, t->structure_bytes);
	if (!item->name)
		return FDT_BROKEN;
	while (item->name[length])
		length++;
	skip_padding(t, length + 1);
	return FDT_BEGIN_NODE;
}

static enum fdt_token read_property(struct fdt *t, struct fdt_item *item)
{
	if (!inside(t->at, 8, t->structure_bytes))
		return FDT_BROKEN;
	item->bytes = fdt_u32(t->structure + t->at);
	item->name = text_at(t->strings, fdt_u32(t->structure + t->at + 4),
			     t->strings_bytes);
	t->at += 8;
	if (!item->name || !inside(t->at, item->bytes, t->structure_bytes))
		return FDT_BROKEN;
	item->value = t->structure + t->at;
	skip_padding(t, item->bytes);
	return FDT_PROP;
}

enum fdt_token fdt_next(struct fdt *t, struct fdt_item *item)
{
	for (;;) {
		uint32_t token;

		if (!inside(t->at, 4, t->structure_bytes))
			return FDT_BROKEN;
		token = fdt_u32(t->structure + t->at);
		t->at += 4;
		switch (token) {
		case FDT_NOP:
			continue;
		case FDT_BEGIN_NODE:
			return read_node(t, item);
		case FDT_PROP:
			return read_property(t, item);
		case FDT_END_NODE:
		case FDT_END:
			return token;
		default:
			return FDT_BROKEN;
		}
	}
}
