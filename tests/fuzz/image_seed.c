/* SPDX-License-Identifier: MIT */
/* Write a good image to stdout, for the fuzzer to start from. */
#include <stdio.h>

#include "tests/unit/image_fixture.h"

int main(void)
{
	struct elf elf = good_elf();

	return fwrite(&elf, sizeof(elf), 1, stdout) != 1;
}
