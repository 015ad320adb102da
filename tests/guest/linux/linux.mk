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
debian-image: $(LINUX)/initrd.cpio.gz
	tests/guest/linux/debian $(LINUX)

.PHONY: linux debian-image
