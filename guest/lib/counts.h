/* SPDX-License-Identifier: MIT */
/*
 * What happened so far, and what is there of it: each part of the kernel counts
 * here what it does, and programs read it where it lies (SYS_INFO).
 */
#pragma once

#include "guest/proc/api.h"

extern struct sys_counts counts;
