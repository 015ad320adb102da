/* SPDX-License-Identifier: MIT */
/* How a guest of the tests speaks, and ends. */
#ifndef TESTS_GUEST_VIRTIO_SAY_H
#define TESTS_GUEST_VIRTIO_SAY_H

#include <stdint.h>

/* To the UART. */
void say(const char *text);
_Noreturn void end(uint32_t status);
/* End with @step, saying @what failed, unless @good. */
void want(int good, uint32_t step, const char *what);

#endif
