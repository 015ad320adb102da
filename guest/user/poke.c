/* SPDX-License-Identifier: MIT */
/*
 * poke read|write|execute ADDRESS: one access, to see what comes of it. What
 * is refused ends this program, and this program only.
 */
#include <stdint.h>

#include "guest/lib/string.h"
#include "guest/user/lib/stdio.h"

typedef void function(void);

static int usage(void)
{
	printf("poke: read|write|execute ADDRESS (0x and hexadecimal digits, "
	       "or decimal)\n");
	return 2;
}

int main(int argc, char **argv)
{
	uint64_t at;

	if (argc != 3 || !parse_number(argv[2], &at))
		return usage();
	if (streq(argv[1], "read"))
		printf("poke: %#lx holds %#x\n", at, *(volatile uint8_t *)at);
	else if (streq(argv[1], "write"))
		*(volatile uint8_t *)at = 1;
	else if (streq(argv[1], "execute"))
		((function *)at)();
	else
		return usage();
	printf("poke: done\n");
	return 0;
}
