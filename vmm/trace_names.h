/* SPDX-License-Identifier: MIT */
#ifndef VMM_TRACE_NAMES_H
#define VMM_TRACE_NAMES_H

#include "ept/trace.h"

/* Whence a page came or whither it went, one word. */
const char *trace_source_name(unsigned source);

#endif
