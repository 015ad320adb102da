/* SPDX-License-Identifier: MIT */
/*
 * Linux's bzImage (Documentation/arch/x86/boot.rst):
 *
 *   0x0000  real-mode code, with the setup header at 0x1f1
 *   (setup_sects + 1) * 512   protected-mode code, its 64-bit entry 0x200
 *                             bytes in; what it unpacks itself is not looked at
 *
 * It is loaded where it prefers to be, with all the memory it wants from there.
 */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "vmm/boot.h"
#include "vmm/loader.h"

#define HEADER_AT   0x1f1u
#define MAGIC_AT    0x202u
#define MAGIC	    "HdrS"
#define BOOT_FLAG   0xaa55u
#define VERSION_MIN 0x020cu /* Linux 3.8: says whether it has a 64-bit entry */
#define SECTOR	    512u
#define ENTRY_64    0x200u
#define ALIGN_MAX   (1u << 30)

static bool recognise(const struct image_file *f)
{
	return f->head_bytes >= MAGIC_AT + 4 &&
	       !memcmp(f->head + MAGIC_AT, MAGIC, 4);
}

/* The jump over the header says where it ends: what a newer or older one has
 * beyond ours is not ours. */
static bool read_header(struct loader *l, struct setup_header *h)
{
	size_t len;

	if (!loader_read(l, HEADER_AT, h, sizeof(*h)))
		return false;
	len = MAGIC_AT + (h->jump >> 8) - HEADER_AT;
	if (len < sizeof(*h))
		memset((uint8_t *)h + len, 0, sizeof(*h) - len);
	return true;
}

static bool check_protocol(struct loader *l, const struct setup_header *h)
{
	if (h->boot_flag != BOOT_FLAG)
		return loader_refuse(l, "its boot flag is %#x, not %#x",
				     h->boot_flag, BOOT_FLAG);
	if (h->version < VERSION_MIN)
		return loader_refuse(l,
				     "its boot protocol is %u.%02u; 2.12 "
				     "(Linux 3.8) or newer is needed",
				     h->version >> 8, h->version & 0xff);
	if (!(h->loadflags & LOADED_HIGH))
		return loader_refuse(l, "a zImage, which lies below 1 MiB");
	if (!(h->xloadflags & XLF_KERNEL_64))
		return loader_refuse(l, "no 64-bit kernel");
	return true;
}

static bool check_place(struct loader *l, const struct setup_header *h)
{
	uint32_t align = h->kernel_alignment;

	if (!align || (align & (align - 1)) || align > ALIGN_MAX)
		return loader_refuse(l,
				     "its alignment %#x is no power of two up "
				     "to 1 GiB",
				     align);
	if (h->pref_address & (align - 1))
		return loader_refuse(
			l, "its address %#" PRIx64 " is no multiple of %#x",
			(uint64_t)h->pref_address, align);
	if (!range_within(h->pref_address, h->init_size, BOOT_IDENTITY))
		return loader_refuse(l,
				     "%#x bytes at %#" PRIx64
				     " are not all in the first GiB",
				     h->init_size, (uint64_t)h->pref_address);
	return true;
}

/* A signature may follow what syssize counts. */
static bool add_code(struct loader *l, const struct setup_header *h)
{
	uint64_t sectors = h->setup_sects ? h->setup_sects : 4;
	const struct image_segment s = {
		.at = { h->pref_address },
		.memory_bytes = h->init_size,
		.fd = l->file.fd,
		.file_offset = (sectors + 1) * SECTOR,
		.file_bytes = (uint64_t)h->syssize * 16,
	};

	l->im->entry = (uint32_t)h->pref_address + ENTRY_64;
	return loader_add(l, "its code", &s, l->file.bytes) &&
	       loader_check_entry(l, "64-bit");
}

static bool load(struct loader *l)
{
	struct setup_header *h = &l->im->setup;

	l->im->protocol = BOOT_LINUX;
	l->im->linux_kernel = true;
	if (!read_header(l, h))
		return false;
	l->im->initrd_max = h->initrd_addr_max;
	return check_protocol(l, h) && check_place(l, h) && add_code(l, h);
}

const struct loader_ops loader_bzimage = { "bzImage", recognise, load };
