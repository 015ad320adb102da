/* SPDX-License-Identifier: MIT */
#include "vmm/trace_names.h"

static const char *const source_names[] = {
	[TRACE_SOURCE_NONE] = "none",	    [TRACE_SOURCE_MEMORY] = "memory",
	[TRACE_SOURCE_ZERO] = "zero",	    [TRACE_SOURCE_FILE] = "file",
	[TRACE_SOURCE_SWAP] = "swap",	    [TRACE_SOURCE_CLEAN] = "clean",
	[TRACE_SOURCE_BALLOON] = "balloon", [TRACE_SOURCE_REPORT] = "report",
	[TRACE_SOURCE_SHARED] = "shared",
};

_Static_assert(sizeof(source_names) / sizeof(source_names[0]) == TRACE_SOURCES,
	       "every source has a name");

const char *trace_source_name(unsigned source)
{
	return source < TRACE_SOURCES ? source_names[source] : "unknown";
}
