/* SPDX-License-Identifier: MIT */
/*
 * Segment selectors. The order is not free: syscall and sysret derive SS from
 * CS by adding 8 (SDM vol. 2, SYSRET).
 */
#pragma once

#define KERNEL_CS	 0x08
#define KERNEL_SS	 0x10
#define USER_SS		 0x1b
#define USER_CS		 0x23
#define TSS_SEL		 0x28

#define IST_DOUBLE_FAULT 1
