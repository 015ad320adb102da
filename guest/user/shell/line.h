/* SPDX-License-Identifier: MIT */
/*
 * A line of input, edited as it is typed: cursor keys, Home and End (also
 * control-A and -E), backspace, delete, control-U and -K, control-C gives the
 * line up, control-D ends; up and down go through the lines before.
 */
#pragma once

#include <stdbool.h>

#define LINE_BYTES 256

/* Show @prompt and read a line, without its end. False: there is no more. */
bool line_read(const char *prompt, char line[LINE_BYTES]);
