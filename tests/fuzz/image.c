/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a guest image: refused with a line, or taken and within the
 * rules. tests/fuzz/fuzz.mk says how to run it. The first byte says what the
 * rest is: the image itself, or damage to a good one of some format, in pieces
 * of an offset (two bytes), a length and so many bytes. The second one is the
 * size of an initrd, as a power of two; above 40: none.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/bzimage_fixture.h"
#include "tests/unit/image_fixture.h"
#include "tests/unit/multiboot_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum kind { RAW, ELF, BZIMAGE, ELF32, FLAT, KINDS };

union good {
	struct elf elf;
	struct bzimage bzimage;
	struct elf32 elf32;
	struct flat flat;
	uint8_t byte[sizeof(struct elf)];
};

/* A good image of a kind, and its size. */
static size_t good(union good *g, enum kind kind)
{
	switch (kind) {
	case ELF:
		g->elf = good_elf();
		return sizeof(g->elf);
	case BZIMAGE:
		g->bzimage = good_bzimage();
		return sizeof(g->bzimage);
	case ELF32:
		g->elf32 = good_elf32();
		return sizeof(g->elf32);
	default:
		g->flat = good_flat();
		return sizeof(g->flat);
	}
}

static void damage(uint8_t *image, size_t size, const uint8_t *bytes,
		   size_t len)
{
	while (len > 3) {
		size_t at = (bytes[0] | (size_t)bytes[1] << 8) % size;
		size_t n = bytes[2] & 7;

		bytes += 3;
		len -= 3;
		n = n < len ? n : len;
		n = n < size - at ? n : size - at;
		memcpy(image + at, bytes, n);
		bytes += n;
		len -= n;
	}
}

static int memory_file(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

static void write_file(int fd, const void *bytes, size_t len)
{
	if (ftruncate(fd, 0) || pwrite(fd, bytes, len, 0) != (ssize_t)len)
		abort();
}

static void write_image(int fd, const uint8_t *bytes, size_t len)
{
	enum kind kind = bytes[0] % KINDS;
	static union good g;
	size_t size;

	bytes += 2;
	len -= 2;
	if (kind == RAW) {
		write_file(fd, bytes, len);
		return;
	}
	size = good(&g, kind);
	damage(g.byte, size, bytes, len);
	write_file(fd, &g, size);
}

static void check(const char *path, const char *initrd, const struct ram *ram)
{
	struct complaint why = { "" };
	struct image im;

	if (image_open(&im, path, initrd, ram, &why)) {
		if (!image_holds(&im, ram) || !im.initrd_bytes != !initrd)
			abort();
		image_close(&im);
	} else if (!why.text[0] || im.fd != -1 || im.initrd != -1) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const uint64_t sizes[] = { UINT64_C(64) << 20, UINT64_C(8)
								      << 30 };
	static int file = -1, initrd = -1;
	char path[32], initrd_path[32];

	if (len < 2)
		return 0;
	if (file < 0) {
		file = memory_file("image");
		initrd = memory_file("initrd");
	}
	write_image(file, bytes, len);
	if (bytes[1] <= 40 && ftruncate(initrd, INT64_C(1) << bytes[1]))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	snprintf(initrd_path, sizeof(initrd_path), "/proc/self/fd/%d", initrd);
	for (unsigned i = 0; i < 2; i++) {
		struct ram ram = ram_layout(sizes[i]);

		check(path, bytes[1] <= 40 ? initrd_path : NULL, &ram);
	}
	return 0;
}
