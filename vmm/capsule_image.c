/* SPDX-License-Identifier: MIT */
#include "vmm/beside.h"
#include "vmm/capsule_image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/capsule_args.h"
#include "vmm/cpio.h"
#include "vmm/share.h"

bool capsule_find_qemu(char path[PATH_MAX], struct complaint *why)
{
	const char *folders = getenv("PATH");

	if (!folders)
		folders = "/usr/bin:/bin";
	while (*folders) {
		int len = (int)strcspn(folders, ":");

		snprintf(path, PATH_MAX, "%.*s/" CAPSULE_QEMU, len, folders);
		if (!access(path, X_OK))
			return true;
		folders += len + (folders[len] == ':');
	}
	return complaint_set(why, CAPSULE_QEMU " is missing: apt-get install "
					       "qemu-system-x86");
}

/* Does the program in @fd need no other files to run? */
static bool is_static(int fd)
{
	Elf64_Ehdr e;
	Elf64_Phdr p;

	if (pread(fd, &e, sizeof(e), 0) != sizeof(e) ||
	    memcmp(e.e_ident, ELFMAG, SELFMAG))
		return false;
	for (unsigned i = 0; i < e.e_phnum; i++) {
		off_t at = (off_t)(e.e_phoff + i * sizeof(p));

		if (pread(fd, &p, sizeof(p), at) != sizeof(p) ||
		    p.p_type == PT_INTERP)
			return false;
	}
	return true;
}

static bool is_static_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool yes = fd >= 0 && is_static(fd);

	if (fd >= 0)
		close(fd);
	return yes;
}

/* This program or, where it is a sanitizer's build, the one above it. */
static bool find_program(char path[PATH_MAX], struct complaint *why)
{
	strcpy(path, "/proc/self/exe");
	if (is_static_file(path))
		return true;
	if (beside_find(path, "../twofold") && is_static_file(path))
		return true;
	return complaint_set(why, "the capsule needs a statically linked "
				  "twofold: make");
}

bool capsule_find_image(struct capsule_image *im, struct complaint *why)
{
	if (!beside_find(im->kernel, "capsule/vmlinuz") ||
	    !beside_find(im->initrd, "capsule/initrd.cpio"))
		return complaint_set(why,
				     "the capsule's image is missing: make "
				     "capsule");
	return find_program(im->program, why);
}

/* cpio_append, or with a @name cpio_copy, of the file @path. */
static bool pack_file(int to, const char *path, const char *name, mode_t mode,
		      struct complaint *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : 0;

	if (r == 0)
		r = name ? cpio_copy(to, name, mode, fd) : cpio_append(to, fd);
	if (fd >= 0)
		close(fd);
	return r ? complaint_set(why, "%s: %s", path, strerror(-r)) : true;
}

/* The file /args: a piece of shell. */
static bool pack_args(int to, const struct words *args, const char *mark,
		      struct complaint *why)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (f) {
		fprintf(f, "END=%s\nset --", mark);
		words_quote(args, f);
	}
	int r = f && !fclose(f)
			? cpio_file(to, "args", S_IFREG | 0644, text, len)
			: -ENOMEM;
	free(text);
	return r ? complaint_set(why, "the capsule's arguments: %s",
				 strerror(-r))
		 : true;
}

/* A file that cannot be shared is told in the words of a run without capsule. */
static bool pack_shares(int to, const struct run_options *o,
			struct complaint *why)
{
	struct ram ram = ram_layout(o->memory_bytes);
	struct shares shares = { .n = 0 };

	if (!shares_open(&shares, o, &ram, why))
		return false;
	shares_close(&shares);
	for (unsigned i = 0; i < o->shares; i++) {
		char name[32];

		snprintf(name, sizeof(name), &CAPSULE_SHARE[1], i);
		if (!pack_file(to, o->share[i].path, name, S_IFREG | 0444, why))
			return false;
	}
	return true;
}

static bool pack_initrd(int to, const char *initrd, struct complaint *why)
{
	return !initrd ||
	       pack_file(to, initrd, &CAPSULE_INITRD[1], S_IFREG | 0644, why);
}

int capsule_pack(const struct capsule_image *im, const struct run_options *o,
		 const char *guest, const struct words *args, const char *mark,
		 struct complaint *why)
{
	int to = memfd_create("capsule", MFD_CLOEXEC);

	if (to < 0) {
		complaint_set(why, "memfd_create: %s", strerror(errno));
		return -1;
	}
	if (pack_file(to, im->initrd, NULL, 0, why) &&
	    pack_file(to, im->program, "bin/twofold", S_IFREG | 0755, why) &&
	    pack_file(to, guest, &CAPSULE_GUEST[1], S_IFREG | 0644, why) &&
	    pack_initrd(to, o->initrd, why) && pack_shares(to, o, why) &&
	    pack_args(to, args, mark, why) && !cpio_end(to))
		return to;
	close(to);
	return -1;
}
