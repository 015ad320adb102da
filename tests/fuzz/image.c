/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a guest image: refused with a line, or taken, within the rules,
 * and told about its machine. tests/fuzz/fuzz.mk says how to run it. Three
 * bytes come first:
 *
 *     0  what the rest is: the image itself, or damage to a good one of some
 *        format, in pieces of an offset (two bytes), a length and so many
 *        bytes; FORMAT in the environment decides that for a whole run
 *     1  the size of an initrd, as a power of two; above 40: none
 *     2  whether RAM ends below 4 GiB, and what reads are like
 *
 * The files are in memory, so that no system call slows a run down.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/bzimage_fixture.h"
#include "tests/unit/image_fixture.h"
#include "tests/unit/multiboot_fixture.h"
#include "vmm/boot.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum format { RAW, ELF, BZIMAGE, ELF32, FLAT, FORMATS };

static const char *const format_name[FORMATS] = { "raw", "elf", "bzimage",
						  "elf32", "flat" };
static enum format only = FORMATS; /* FORMATS: the first byte decides */

enum medium { BELOW_4_GIB = 1, SHORT_READS = 2, SHRUNK = 4 };

union good {
	struct elf elf;
	struct bzimage bzimage;
	struct elf32 elf32;
	struct flat flat;
	uint8_t byte[sizeof(struct elf)];
};

/* The two files there are, and what is done with them. */
enum { IMAGE = 1000, INITRD };
static const uint8_t *image;
static size_t image_bytes;
static uint64_t initrd_bytes;
static uint8_t medium;
static unsigned opened, reads;

int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_fstat(int fd, struct stat *st);
ssize_t __wrap_pread(int fd, void *to, size_t len, off_t at);
int __real_close(int fd);
int __wrap_devtree_build(void *to, size_t room, const struct boot_config *c);
int __real_devtree_build(void *to, size_t room, const struct boot_config *c);

/* Nothing else is opened but by these names. */
int __wrap_open(const char *path, int flags, ...)
{
	(void)flags;
	opened++;
	return *path == 'k' ? IMAGE : INITRD;
}

int __wrap_close(int fd)
{
	if (fd != IMAGE && fd != INITRD)
		return __real_close(fd);
	opened--;
	return 0;
}

int __wrap_fstat(int fd, struct stat *st)
{
	*st = (struct stat){ .st_mode = S_IFREG };
	st->st_size = (off_t)(fd == IMAGE ? image_bytes : initrd_bytes);
	if (medium & SHRUNK)
		st->st_size += 512;
	return 0;
}

static size_t readable(int fd, size_t len, uint64_t at)
{
	uint64_t size = fd == IMAGE ? image_bytes : initrd_bytes;

	if (at >= size)
		return 0;
	if ((medium & SHORT_READS) && len > 1000)
		len = 1000;
	return len < size - at ? len : size - at;
}

ssize_t __wrap_pread(int fd, void *to, size_t len, off_t at)
{
	size_t n = readable(fd, len, (uint64_t)at);

	if ((medium & SHORT_READS) && ++reads % 2) {
		errno = EINTR;
		return -1;
	}
	if (fd == IMAGE)
		memcpy(to, image + at, n);
	else
		memset(to, 0, n);
	return (ssize_t)n;
}

/* What the tree says depends on the image in one bit only; libfdt would take
 * half of a run's time to say it again. */
int __wrap_devtree_build(void *to, size_t room, const struct boot_config *c)
{
	static uint8_t tree[2][2][BOOT_TREE];
	static int size[2][2];
	bool low = medium & BELOW_4_GIB;
	int *n = &size[low][c->lab];

	if (!*n)
		*n = __real_devtree_build(tree[low][c->lab], BOOT_TREE, c);
	if (*n < 0 || (size_t)*n > room)
		abort();
	memcpy(to, tree[low][c->lab], (size_t)*n);
	return *n;
}

/* A good image of each format. */
static union good good[FORMATS];

static const size_t good_bytes[FORMATS] = {
	[ELF] = sizeof(struct elf),
	[BZIMAGE] = sizeof(struct bzimage),
	[ELF32] = sizeof(struct elf32),
	[FLAT] = sizeof(struct flat),
};

static void make_good(void)
{
	good[ELF].elf = good_elf();
	good[BZIMAGE].bzimage = good_bzimage();
	good[ELF32].elf32 = good_elf32();
	good[FLAT].flat = good_flat();
}

static void damage(uint8_t *to, size_t size, const uint8_t *bytes, size_t len)
{
	while (len > 3) {
		size_t at = (bytes[0] | (size_t)bytes[1] << 8) % size;
		size_t n = bytes[2] & 7;

		bytes += 3;
		len -= 3;
		n = n < len ? n : len;
		n = n < size - at ? n : size - at;
		memcpy(to + at, bytes, n);
		bytes += n;
		len -= n;
	}
}

static void set_image(enum format format, const uint8_t *bytes, size_t len)
{
	static union good bad;

	image = bytes;
	image_bytes = len;
	if (format == RAW)
		return;
	image = bad.byte;
	image_bytes = good_bytes[format];
	memcpy(bad.byte, good[format].byte, image_bytes);
	damage(bad.byte, image_bytes, bytes, len);
}

/* All that is written for the guest lies below 1 MiB. */
static bool write_low(void *ctx, gpa_t at, const void *from, size_t len)
{
	static uint8_t low[1 << 20];

	(void)ctx;
	if (!range_within(at.v, len, sizeof(low)))
		abort();
	memcpy(low + at.v, from, len);
	return true;
}

static void check_boot(const struct image *im, const struct ram *ram)
{
	const struct boot_config c = { .ram = ram,
				       .image = im,
				       .cmdline = "x",
				       .cpus = 2,
				       .lab = im->lab,
				       .virtio = 3 };
	const struct boot_memory m = { write_low, NULL };
	struct complaint why = { "" };
	struct boot_cpu cpu;

	if (!boot_write(&c, m, &cpu, &why) && !why.text[0])
		abort();
}

static void check(const char *initrd, const struct ram *ram)
{
	struct complaint why = { "" };
	struct image im;

	if (image_open(&im, "kernel", initrd, ram, &why)) {
		if (!image_holds(&im, ram) || !im.initrd_bytes != !initrd)
			abort();
		check_boot(&im, ram);
		image_close(&im);
	} else if (!why.text[0] || im.fd != -1 || im.initrd != -1) {
		abort();
	}
	if (opened)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("FORMAT");

	(void)argc;
	(void)argv;
	make_good();
	if (!name)
		return 0;
	for (only = RAW; only < FORMATS; only++)
		if (!strcmp(name, format_name[only]))
			return 0;
	fprintf(stderr, "image: no such FORMAT: %s\n", name);
	exit(2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct ram ram;
	bool initrd;

	if (len < 3)
		return 0;
	initrd = bytes[1] <= 40;
	initrd_bytes = initrd ? UINT64_C(1) << bytes[1] : 0;
	medium = bytes[2];
	ram = ram_layout(UINT64_C(64) << (medium & BELOW_4_GIB ? 20 : 27));
	set_image(only < FORMATS ? only : bytes[0] % FORMATS, bytes + 3,
		  len - 3);
	check(initrd ? "initrd" : NULL, &ram);
	return 0;
}
