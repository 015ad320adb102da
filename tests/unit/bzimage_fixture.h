/* SPDX-License-Identifier: MIT */
/* A good bzImage: two sectors of setup, a page of code. */
#ifndef TESTS_BZIMAGE_FIXTURE_H
#define TESTS_BZIMAGE_FIXTURE_H

#include <asm/bootparam.h>
#include <stdint.h>

#define BZ_AT	 0x1000000u
#define BZ_BYTES 0x200000u /* that it wants of memory */

struct bzimage {
	uint8_t boot[0x1f1];
	struct setup_header h;
	uint8_t setup[1024 - 0x1f1 - sizeof(struct setup_header)];
	uint8_t code[4096];
} __attribute__((packed));

static inline struct bzimage good_bzimage(void)
{
	return (struct bzimage){
		.h = { .setup_sects = 1,
		       .syssize = 4096 / 16,
		       .boot_flag = 0xaa55,
		       .jump = 0x6aeb,
		       .header = 0x53726448, /* HdrS */
		       .version = 0x020f,
		       .loadflags = LOADED_HIGH,
		       .initrd_addr_max = 0x7fffffff,
		       .kernel_alignment = 0x200000,
		       .relocatable_kernel = 1,
		       .xloadflags = XLF_KERNEL_64,
		       .cmdline_size = 2047,
		       .pref_address = BZ_AT,
		       .init_size = BZ_BYTES },
	};
}

#endif
