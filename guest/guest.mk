# SPDX-License-Identifier: MIT
#
# The bundled guest: $(BUILD)/guest/sample.elf, and its disk.img. Included by
# the top Makefile; alone: make -f guest/guest.mk build/guest/sample.elf

BUILD ?= build
WERROR ?= 1

GUEST_CC ?= $(CC)
GUEST_LD ?= ld
GUEST_OUT := $(BUILD)/guest
GUEST_OBJ := $(GUEST_OUT)/obj

GUEST_WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla \
	-Wpointer-arith -Wwrite-strings
ifeq ($(WERROR),1)
GUEST_WARNINGS += -Werror
endif

# No instruction that an emulated ring 0 may lack: plain x86-64, no vectors.
GUEST_CFLAGS := -std=gnu17 -O2 -g -I. -MMD -MP $(GUEST_WARNINGS) \
	-ffreestanding -march=x86-64 -mgeneral-regs-only -mno-red-zone \
	-fno-pic -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -fomit-frame-pointer
GUEST_KERNEL_CFLAGS := $(GUEST_CFLAGS) -mcmodel=kernel
GUEST_LDFLAGS := -nostdlib -static -z max-page-size=4096 -z noexecstack \
	--build-id=none

GUEST_KERNEL_SRC := $(wildcard guest/boot/*.[cS] guest/cpu/*.[cS] \
	guest/mm/*.c guest/fs/*.[cS] guest/dev/*.c guest/proc/*.c guest/lib/*.c)
GUEST_KERNEL_OBJ := $(patsubst %,$(GUEST_OBJ)/kernel/%.o,$(GUEST_KERNEL_SRC))

# A program is guest/user/NAME.c, or all files of guest/user/NAME/.
GUEST_PROGRAMS := hello verify poke touch work hog reap shell stress fuzz tour
GUEST_PROGRAM_ELF := $(GUEST_PROGRAMS:%=$(GUEST_OUT)/%.elf)
guest_objects = $(patsubst %,$(GUEST_OBJ)/user/%.o,$(1))
GUEST_LIBC_OBJ := $(call guest_objects,$(wildcard guest/user/lib/*.[cS] \
	guest/lib/*.c))
GUEST_USER_OBJ :=

define guest_program
GUEST_$(1)_OBJ := $$(call guest_objects,$$(wildcard guest/user/$(1).c \
	guest/user/$(1)/*.[cS]))
GUEST_USER_OBJ += $$(GUEST_$(1)_OBJ)
$$(GUEST_OUT)/$(1).elf: $$(GUEST_$(1)_OBJ)
endef
$(foreach program,$(GUEST_PROGRAMS),$(eval $(call guest_program,$(program))))

$(GUEST_OUT)/sample.elf: guest/boot/kernel.ld $(GUEST_KERNEL_OBJ)
	$(GUEST_LD) $(GUEST_LDFLAGS) -T $< -o $@ $(GUEST_KERNEL_OBJ)

$(GUEST_PROGRAM_ELF): guest/user/user.ld $(GUEST_LIBC_OBJ)
	$(GUEST_LD) $(GUEST_LDFLAGS) -S -T guest/user/user.ld -o $@ \
		$(filter %.o,$^)

# The same bytes from the same programs.
$(GUEST_OUT)/disk.img $(GUEST_OUT)/rom.img: guest/disk/make \
	$(wildcard guest/disk/etc/*) $(GUEST_PROGRAM_ELF)
	$< $@ $(GUEST_PROGRAM_ELF)

$(GUEST_OBJ)/kernel/guest/fs/rom.S.o: $(GUEST_OUT)/rom.img

$(GUEST_OBJ)/kernel/%.o: %
	@mkdir -p $(@D)
	$(GUEST_CC) $(GUEST_KERNEL_CFLAGS) -Wa,-I$(GUEST_OUT) -c -o $@ $<

$(GUEST_OBJ)/user/%.o: %
	@mkdir -p $(@D)
	$(GUEST_CC) $(GUEST_CFLAGS) -c -o $@ $<

-include $(patsubst %.o,%.d,$(GUEST_KERNEL_OBJ) $(GUEST_LIBC_OBJ) \
	$(GUEST_USER_OBJ))
