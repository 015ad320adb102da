# SPDX-License-Identifier: MIT
# The capsule's image: a small Linux with KVM, for QEMU (vmm/capsule.h). The
# program itself is added at launch, so a new build needs no new image.

CAPSULE := $(BUILD)/capsule

capsule: $(CAPSULE)/initrd.cpio

$(CAPSULE)/initrd.cpio: tests/capsule/build tests/capsule/tree \
	tests/capsule/init
	@mkdir -p $(@D)
	tests/capsule/build $(@D)

.PHONY: capsule
