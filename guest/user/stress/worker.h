/* SPDX-License-Identifier: MIT */
/*
 * What each worker of the stress program has: areas and a file, both full of
 * words that follow from where they are and how often they were written.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PAGE	   4096ul
#define AREAS	   8u
#define AREA_PAGES 128u
#define FILE_PAGES 12u

/* Pages of which version 0 is not there. */
struct area {
	uint64_t at;
	uint16_t version[AREA_PAGES];
	bool shared; /* else private: a child's writes stay its own */
};

struct worker {
	uint64_t seed, state, number;
	uint64_t steps;
	unsigned cpus; /* that it has run on: a bit for each */
	struct area area[AREAS];
	uint16_t file_version[FILE_PAGES]; /* 0: a hole */
	int fd; /* negative: there is no disk to write to */
	char path[32];
};

uint64_t worker_chance(struct worker *w);

/* It is not what it should be: say so, and end the worker. */
_Noreturn void worker_fail(const struct worker *w, const char *what,
			   uint64_t where, uint64_t got, uint64_t want);

/* A system call that must work, and did not. */
void worker_check(const struct worker *w, const char *call, int64_t answer);

/* The word that begins page @page of @what, written for the @version'th time. */
uint64_t worker_stamp(const struct worker *w, uint64_t what, uint64_t page,
		      uint64_t version);

/* The steps: one of each kind, at random. */
void area_start(struct worker *w);
void area_step(struct worker *w);
/* Area @i; for a forked child: into pages that are its own. */
void area_verify(const struct worker *w, unsigned i);
void area_write_some(struct worker *w, unsigned i);
void file_step(struct worker *w);
void file_start(struct worker *w);
void file_end(struct worker *w);
