/* SPDX-License-Identifier: MIT */
/* A trace file, read whole and put in order of time. */
#ifndef VMM_TRACE_FILE_H
#define VMM_TRACE_FILE_H

#include "ept/trace.h"

struct trace_file {
	struct trace_header header;
	/* By tsc; records of one tsc as they lie in the file. */
	const struct trace_record **record;
	size_t records;
	size_t rest; /* bytes of a last record that is not whole */
	char *bytes;
};

/* Read the trace at @path. What is wrong with it, or NULL. */
const char *trace_file_read(struct trace_file *t, const char *path);
void trace_file_free(struct trace_file *t);

#endif
