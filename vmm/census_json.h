/* SPDX-License-Identifier: MIT */
#ifndef VMM_CENSUS_JSON_H
#define VMM_CENSUS_JSON_H

#include "ept/census.h"

/* GET /memory/map: {"cell_bytes": N, "counted_bytes": N, "states": [NAME, ...],
 * "regions": [{"gpa": "0x...", "share": BOOL, "cells": [[PAGES, ...], ...]}]}
 * A cell has a number for each state, of the pages that were counted: all, or
 * counted_bytes of a cell. At most 48 KiB. Malloced; NULL: no memory. */
char *census_json(const struct census *c);

#endif
