/* SPDX-License-Identifier: MIT */
#include "vmm/census_json.h"

#include "vmm/safe_json.h"

static json_t *cell_json(const uint32_t pages[CENSUS_STATES])
{
	json_t *cell = json_array();

	for (unsigned i = 0; i < CENSUS_STATES; i++)
		json_array_append_new(cell, json_integer(pages[i]));
	return cell;
}

static json_t *region_json(const struct census *c,
			   const struct census_region *r)
{
	json_t *cells = json_array();

	for (unsigned i = 0; i < r->cells; i++)
		json_array_append_new(cells, cell_json(c->cell[r->cell + i]));
	return json_pack("{s:o, s:b, s:o}", "gpa", safe_hex(gpa_of(r->first).v),
			 "share", r->share, "cells", cells);
}

char *census_json(const struct census *c)
{
	const uint64_t counted = c->counted
					 ? c->counted * (uint64_t)LEVEL_ENTRIES
					 : c->cell_pages;
	json_t *states = json_array(), *regions = json_array(), *map;
	char *text;

	for (unsigned i = 0; i < CENSUS_STATES; i++)
		json_array_append_new(states, json_string(census_name[i]));
	for (unsigned i = 0; i < c->regions; i++)
		json_array_append_new(regions, region_json(c, &c->region[i]));
	map = json_pack("{s:I, s:I, s:o, s:o}", "cell_bytes",
			safe_count(c->cell_pages << PAGE_SHIFT),
			"counted_bytes", safe_count(counted << PAGE_SHIFT),
			"states", states, "regions", regions);
	text = json_dumps(map, JSON_COMPACT);
	json_decref(map);
	return text;
}
