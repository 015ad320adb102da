/* SPDX-License-Identifier: MIT */
/* What a trace's numbers are called, wherever they are shown. */
#ifndef VMM_TRACE_NAMES_H
#define VMM_TRACE_NAMES_H

#include "vmm/trace_file.h"

/* One word each; "unknown" for a number that has no name. */
const char *trace_source_name(unsigned source); /* whence, whither */
const char *trace_kind_name(unsigned kind); /* of events */
const char *trace_fault_name(unsigned fault);
const char *trace_why_name(unsigned why); /* enum lab_fault_kind */
const char *trace_stage_name(unsigned stage); /* enum trace_stage */

/* The reference that missed: "data", or "table1" to "table4". */
const char *trace_level_name(unsigned level);

/* "ring+walk": into to[32]. */
void trace_how_text(unsigned how, char to[32]);

#endif
