/* SPDX-License-Identifier: MIT */
#ifndef VMM_TRACE_H
#define VMM_TRACE_H

/* `twofold trace print FILE`; @argv: the words behind "trace". The exit
 * status: 0, 1 the file cannot be read to its end, 2 not understood. */
int cmd_trace(int argc, char **argv);

#endif
