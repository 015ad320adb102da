/* SPDX-License-Identifier: MIT */
/* The user's terminal, while a guest has it. */
#ifndef VMM_TERMINAL_H
#define VMM_TERMINAL_H

/*
 * If @fd is a terminal: give every key to its reader at once and unechoed,
 * but for those that send signals (Ctrl-C, Ctrl-Z). Output stays as it is. For
 * a job in the background, @fd has no input from now on.
 */
void terminal_raw(int fd);

/* Undo terminal_raw, if it did anything. Safe in a signal handler. */
void terminal_restore(void);

#endif
