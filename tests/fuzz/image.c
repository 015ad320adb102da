/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a guest image: refused with a line, or taken and within the
 * rules. tests/fuzz/fuzz.mk says how to run it.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/image_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(const char *path, const struct ram *ram)
{
	struct complaint why = { "" };
	struct image im;

	if (image_open(&im, path, NULL, ram, &why)) {
		if (!image_holds(&im, ram))
			abort();
		image_close(&im);
	} else if (!why.text[0] || im.fd != -1) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const uint64_t sizes[] = { UINT64_C(64) << 20, UINT64_C(8)
								      << 30 };
	static int file = -1;
	char path[32];

	if (file < 0)
		file = memfd_create("image", MFD_CLOEXEC);
	if (file < 0 || ftruncate(file, 0) ||
	    pwrite(file, bytes, len, 0) != (ssize_t)len)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	for (unsigned i = 0; i < 2; i++) {
		struct ram ram = ram_layout(sizes[i]);

		check(path, &ram);
	}
	return 0;
}
