/* SPDX-License-Identifier: MIT */
/*
 * The census: how many pages of each stretch of guest memory are in which
 * state, for a map that a person can look at.
 *
 *     region      |<--------------- 5.5 MiB -------------->|
 *     blocks      |  2 MiB  |  2 MiB  |  1.5 |                aligned
 *     cells       |    0    |    1    |   2  |                one or more each
 *
 * A block is what one table of level 1 describes: 512 entries, or a larger
 * entry that says it for all of them. The lock is held for one block at a time,
 * less than a microsecond; so the cells of a guest at work are of different
 * moments. There are at most CENSUS_CELLS cells, and of a cell of more than 16
 * blocks only 16 are counted, which bounds it to some milliseconds whatever the
 * size of memory.
 */
#ifndef EPT_CENSUS_H
#define EPT_CENSUS_H

#include "ept/stage2.h"

#define CENSUS_CELLS 1024

enum census_state {
	CENSUS_ABSENT,
	CENSUS_MAPPED,
	CENSUS_UNMAPPED, /* in memory, under watch */
	CENSUS_MOVING, /* arriving or leaving */
	CENSUS_STORED,
	CENSUS_POISONED,
	CENSUS_STATES
};

/* A state's name, as reports have it. */
extern const char *const census_name[CENSUS_STATES];

struct census {
	uint64_t cell_pages; /* 512 or a power of two times that */
	unsigned counted; /* blocks of a cell that are; 0: all */
	unsigned regions;
	struct census_region {
		gfn_t first; /* of its first cell: aligned to cell_pages */
		unsigned cell, cells; /* its cells in cell[] */
		bool share; /* of a file; else RAM */
	} region[STAGE2_REGIONS];
	unsigned cells;
	uint32_t cell[CENSUS_CELLS][CENSUS_STATES]; /* pages */
};

/* Any thread, no lock held. */
void stage2_census(struct stage2 *s, struct census *c);

#endif
