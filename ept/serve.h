/* SPDX-License-Identifier: MIT */
/* The resolver of faults, for ept/fault.c: see serve.c. The lock is held by the
 * caller of both; serve drops it meanwhile. */
#ifndef EPT_SERVE_H
#define EPT_SERVE_H

#include "ept/state.h"

/* Serve one fault: its page is mapped, and its thread woken. False: the page
 * cannot be had, and its owner knows. It is counted once, however often it has
 * to be tried. */
bool serve_fault(struct server *me, struct parked_fault *p);

/* Have who waits for frame @f fault again. */
void serve_again(struct stage2 *s, frame_t f);

#endif
