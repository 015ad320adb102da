/* SPDX-License-Identifier: MIT */
/* Man pages and completion, made from the table of commands. */
#ifndef VMM_MANUAL_PAGES_H
#define VMM_MANUAL_PAGES_H

#include "vmm/command.h"

/* twofold(1), and a command's page, in man(7)'s macros. */
void page_overview(FILE *to);
void page_command(const struct command *c, FILE *to);

/* A script for bash to source. */
void completion_bash(FILE *to);

#endif
