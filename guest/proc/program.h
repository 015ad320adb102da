/* SPDX-License-Identifier: MIT */
/* What can be asked for by name: programs of /bin, and demonstrations. */
#ifndef GUEST_PROC_PROGRAM_H
#define GUEST_PROC_PROGRAM_H

/* The name of the program that demonstrates @name, else @name itself. */
const char *program_of(const char *name);

/* All names, on one line. May sleep. */
void program_list(void);

#endif
