/* SPDX-License-Identifier: MIT */
#include "tests/guest/virtio/say.h"

#include "guest/abi.h"

void say(const char *text)
{
	for (; *text; text++)
		__asm__ volatile("outb %0, %1"
				 :
				 : "a"(*text), "Nd"((uint16_t)ABI_UART_PORT));
}

_Noreturn void end(uint32_t status)
{
	__asm__ volatile("outl %0, %1" : : "a"(status), "Nd"(ABI_EXIT_PORT));
	for (;;)
		;
}

void want(int good, uint32_t step, const char *what)
{
	if (good)
		return;
	say("failed: ");
	say(what);
	say("\n");
	end(step);
}
