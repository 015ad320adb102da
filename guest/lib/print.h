/* SPDX-License-Identifier: MIT */
/* The kernel's printf. Format: lib/format.h; a line is cut at 512 bytes. */
#pragma once

__attribute__((format(printf, 1, 2))) void print(const char *how, ...);

/* The kernel cannot go on: say why, then end the run with EXIT_PANIC. */
_Noreturn void panic(const char *how, ...)
	__attribute__((format(printf, 1, 2)));
