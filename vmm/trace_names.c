/* SPDX-License-Identifier: MIT */
#include "vmm/trace_names.h"

#include <stdio.h>
#include <string.h>

#include "guest/abi.h"

#define COUNT(array)	  (sizeof(array) / sizeof((array)[0]))
#define NAME_IN(names, i) name_in(names, COUNT(names), i)

static const char *name_in(const char *const names[], size_t count, unsigned i)
{
	return i < count && names[i] ? names[i] : "unknown";
}

static const char *const source_names[] = {
	[TRACE_SOURCE_NONE] = "none",	    [TRACE_SOURCE_MEMORY] = "memory",
	[TRACE_SOURCE_ZERO] = "zero",	    [TRACE_SOURCE_FILE] = "file",
	[TRACE_SOURCE_SWAP] = "swap",	    [TRACE_SOURCE_CLEAN] = "clean",
	[TRACE_SOURCE_BALLOON] = "balloon", [TRACE_SOURCE_REPORT] = "report",
	[TRACE_SOURCE_SHARED] = "shared",   [TRACE_SOURCE_THERE] = "there",
};

_Static_assert(COUNT(source_names) == TRACE_SOURCES, "every source has one");

const char *trace_source_name(unsigned source)
{
	return NAME_IN(source_names, source);
}

const char *trace_kind_name(unsigned kind)
{
	static const char *const names[] = {
		[TRACE_STAGE1] = "stage1",   [TRACE_STAGE2] = "stage2",
		[TRACE_AHEAD] = "ahead",     [TRACE_AGE] = "age",
		[TRACE_EVICT] = "evict",     [TRACE_STORE] = "store",
		[TRACE_DISCARD] = "discard",
	};

	return NAME_IN(names, kind);
}

const char *trace_fault_name(unsigned fault)
{
	static const char *const names[] = {
		[TRACE_MISSING] = "missing",
		[TRACE_MINOR] = "minor",
	};

	return NAME_IN(names, fault);
}

const char *trace_why_name(unsigned why)
{
	static const char *const names[] = {
		[LAB_FAULT_DEMAND_ZERO] = "demand_zero",
		[LAB_FAULT_DEMAND_FILE] = "demand_file",
		[LAB_FAULT_COW] = "cow",
		[LAB_FAULT_STACK] = "stack",
		[LAB_FAULT_KERNEL] = "kernel",
		[LAB_FAULT_REFUSED] = "refused",
		[LAB_FAULT_SWAP_IN] = "swap_in",
	};

	return NAME_IN(names, why);
}

const char *trace_stage_name(unsigned stage)
{
	static const char *const names[] = {
		[STAGE_QUEUED] = "queued", [STAGE_WAIT] = "wait",
		[STAGE_FETCH] = "fetch",   [STAGE_INSTALL] = "install",
		[STAGE_WAKE] = "wake",
	};

	_Static_assert(COUNT(names) == TRACE_STAGES, "every stage has one");
	return NAME_IN(names, stage);
}

const char *trace_level_name(unsigned level)
{
	static const char *const names[] = { "data", "table1", "table2",
					     "table3", "table4" };

	return NAME_IN(names, level);
}

void trace_how_text(unsigned how, char to[32])
{
	static const char *const names[] = { "ring", "registers", "walk",
					     "identity" };

	to[0] = 0;
	for (unsigned i = 0; i < COUNT(names); i++)
		if (how & 1u << i)
			snprintf(to + strlen(to), 32 - strlen(to), "%s%s",
				 *to ? "+" : "", names[i]);
}
