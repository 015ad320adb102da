/* SPDX-License-Identifier: MIT */
/* `twofold top VM`: what a running VM does, once a second. */
#ifndef VMM_TOP_H
#define VMM_TOP_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "vmm/canvas.h"
#include "vmm/ctl_call.h"

/* Answers of the VM at one moment; NULL: it gave none. */
struct top_sample {
	json_t *status, *map, *ghosts, *balloon;
};

/* 0; -errno: no answer, and *s is empty. Free it in both cases. */
int top_ask(struct top_sample *s, const char *path);
void top_free(struct top_sample *s);

/* The number that @path leads to ("memory.resident_bytes"); 0: there is none.
 */
double top_number(const json_t *from, const char *path);

/* Draw @now, and how fast it went since @before (may be empty), in all rows
 * but the last. */
void top_draw(struct canvas *c, const struct top_sample *now,
	      const struct top_sample *before);
/* Guest memory from the canvas' row on, in up to @rows. */
void top_draw_map(struct canvas *c, const json_t *map, unsigned rows);

/* @argv: the words behind "top". The exit status: 0 also when the VM ended
 * while it was watched; 1: no VM, or no terminal; 2: not understood. */
int cmd_top(int argc, char **argv);

#endif
