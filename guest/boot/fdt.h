/* SPDX-License-Identifier: MIT */
/*
 * Reader of a flattened device tree (Devicetree Specification 0.4, chapter 5):
 * one pass over the structure block, item by item. Everything it returns lies
 * inside the blob, whatever the blob says.
 */
#ifndef GUEST_BOOT_FDT_H
#define GUEST_BOOT_FDT_H

#include <stdbool.h>
#include <stdint.h>

enum fdt_token {
	FDT_BROKEN = 0,
	FDT_BEGIN_NODE = 1,
	FDT_END_NODE = 2,
	FDT_PROP = 3,
	FDT_NOP = 4,
	FDT_END = 9
};

struct fdt {
	const uint8_t *structure;
	uint32_t structure_bytes, at;
	const char *strings;
	uint32_t strings_bytes;
};

struct fdt_item {
	const char *name; /* of the node or the property */
	const uint8_t *value;
	uint32_t bytes;
};

/* The size the blob at @blob claims, 0 if it is no device tree. */
uint32_t fdt_size(const void *blob);

/* Start reading the tree in blob[room]. False: it is no tree we can read. */
bool fdt_open(struct fdt *t, const void *blob, uint32_t room);

/* The next item; FDT_END at the end, FDT_BROKEN if it makes no sense. */
enum fdt_token fdt_next(struct fdt *t, struct fdt_item *item);

/* Big-endian cells. */
static inline uint32_t fdt_u32(const uint8_t *at)
{
	uint32_t v;

	__builtin_memcpy(&v, at, sizeof(v));
	return __builtin_bswap32(v);
}

static inline uint64_t fdt_u64(const uint8_t *at)
{
	return (uint64_t)fdt_u32(at) << 32 | fdt_u32(at + 4);
}

#endif
