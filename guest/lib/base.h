/* SPDX-License-Identifier: MIT */
/* What most of the kernel uses: strings, errors, printing, and breaking it. */
#pragma once

#include "guest/lib/broken.h"
#include "guest/lib/errno.h"
#include "guest/lib/print.h"
#include "guest/lib/string.h"
