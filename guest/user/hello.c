/* SPDX-License-Identifier: MIT */
/* The smallest program that shows that all is well. */
#include <stdint.h>

#include "guest/lib/string.h"
#include "guest/user/lib/stdio.h"
#include "guest/user/lib/sys.h"

/* CPUID leaf 0 spells the vendor in EBX, EDX, ECX. */
static void cpu_vendor(char name[13])
{
	uint32_t a = 0, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	memcpy(name, &b, 4);
	memcpy(name + 4, &d, 4);
	memcpy(name + 8, &c, 4);
	name[12] = '\0';
}

static unsigned ring(void)
{
	unsigned cs;

	__asm__("mov %%cs, %0" : "=r"(cs));
	return cs & 3;
}

int main(int argc, char **argv)
{
	struct sys_info info;
	char vendor[13];

	sys_info(&info);
	cpu_vendor(vendor);
	printf("hello from ring %u: cpu %s, system calls by %s, stack at %#lx\n",
	       ring(), vendor, info.gate == GATE_SYSCALL ? "syscall" : "trap",
	       (uintptr_t)__builtin_frame_address(0));
	for (int i = 1; i < argc; i++)
		printf("argument %d: %s\n", i, argv[i]);
	return 0;
}
