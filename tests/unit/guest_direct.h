/* SPDX-License-Identifier: MIT */
/* Before every file of the guest that runs on the host: a direct map here. */
#ifndef TESTS_GUEST_DIRECT_H
#define TESTS_GUEST_DIRECT_H

#include "guest/mm/layout.h"

#undef DIRECT_BASE
#define DIRECT_BASE 0x200000000000

#endif
