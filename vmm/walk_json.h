/* SPDX-License-Identifier: MIT */
/* The two-dimensional walk as JSON: an array of its references, in the order
 * in which the hardware would make them. */
#ifndef VMM_WALK_JSON_H
#define VMM_WALK_JSON_H

#include <jansson.h>

#include "vmm/explain.h"

/*
 * Of each reference: stage, level; gpa: of the entry (stage 1), or what it is
 * read for (stage 2); table: the gpa of the table it lies in, null for one of
 * our own, whose address is the host's; index: which of its 512 entries; entry,
 * null where it is a host address; decoded: it in words; answer: what it comes
 * to, in a word or two.
 */
json_t *walk_json(const struct explain *e);

/* A tier's name; a slot that was released meanwhile lies in none. */
const char *tier_or_none(const char *tier);

#endif
