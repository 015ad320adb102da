/* SPDX-License-Identifier: MIT */
/* The kernel's half of every address space. */
#ifndef GUEST_MM_KMAP_H
#define GUEST_MM_KMAP_H

#include <stddef.h>
#include <stdint.h>

#include "guest/boot/machine.h"
#include "guest/mm/addr.h"

/* Build the tables (mm/layout.h), the lower half empty, and switch to them. */
void kmap_init(const struct machine *m);

/* Map the page of device registers at @at, uncached. Panics when out of frames. */
volatile void *mmio_map(pa_t at);

/* The kernel's own root: nothing in the lower half. */
extern pa_t kernel_root;

/* The root of a new address space with the kernel's half in it, in *root. */
bool kmap_new_root(pa_t *root);

#endif
