/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "ept/ladder.h"

const char *const rung_name[RUNGS] = {
	[RUNG_REPORTED_FREE] = "reported_free",
	[RUNG_BALLOONED] = "ballooned",
	[RUNG_ZERO] = "zero",
	[RUNG_CLEAN] = "clean",
	[RUNG_SAME_FILLED] = "same_filled",
	[RUNG_COMPRESSED] = "compressed",
	[RUNG_FILE] = "file",
	[RUNG_REMOTE] = "remote",
};

enum rung rung_of_tier(const char *tier)
{
	static const struct {
		const char *tier;
		enum rung rung;
	} known[] = {
		{ "same", RUNG_SAME_FILLED },
		{ "ram", RUNG_COMPRESSED },
		{ "file", RUNG_FILE },
	};

	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(tier, known[i].tier))
			return known[i].rung;
	return RUNG_REMOTE;
}
