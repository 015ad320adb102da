# SPDX-License-Identifier: MIT
# A small Linux to run as a guest: Debian's cloud kernel, which the capsule has,
# and an initrd with busybox and drivers for all virtio devices.

LINUX := $(BUILD)/linux

linux: $(LINUX)/initrd.cpio.gz

$(LINUX)/initrd.cpio.gz: tests/guest/linux/build tests/guest/linux/init \
	tests/capsule/tree $(CAPSULE)/initrd.cpio
	@mkdir -p $(@D)
	tests/guest/linux/build $(CAPSULE) $(@D)

# And a disk for it, with Debian on it: needs root, mmdebstrap and an archive.
debian-image: $(LINUX)/initrd.cpio.gz $(LINUX)/root.img

$(LINUX)/root.img: tests/guest/linux/debian
	@mkdir -p $(@D)
	tests/guest/linux/debian $(@D)

# What is too slow for `make test`: that Debian, and ten small Linux at once.
debian-test: all debian-image $(LINUX)/fill.cpio
	prove -v tests/guest/linux

# Those have a program of ours as process 1.
$(LINUX)/fill.cpio: tests/guest/linux/fill.c
	@mkdir -p $(LINUX)/fill
	$(CC) -static -O2 -Wall -Wextra -Werror -o $(LINUX)/fill/init $<
	cd $(LINUX)/fill && echo init | cpio -o -H newc -R 0:0 --quiet \
		>../fill.cpio

.PHONY: linux debian-image debian-test
