# SPDX-License-Identifier: MIT
#
# The bundled guest: $(BUILD)/guest/sample.elf. Included by the top Makefile;
# alone: make -f guest/guest.mk build/guest/sample.elf

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
	guest/mm/*.c guest/fs/*.c guest/dev/*.c guest/proc/*.[cS] guest/lib/*.c)
GUEST_KERNEL_OBJ := $(patsubst %,$(GUEST_OBJ)/kernel/%.o,$(GUEST_KERNEL_SRC))

GUEST_PROGRAMS := hello verify poke touch work tour
GUEST_PROGRAM_ELF := $(GUEST_PROGRAMS:%=$(GUEST_OUT)/%.elf)
GUEST_LIBC_SRC := guest/user/crt0.S guest/user/sys.c guest/user/stdio.c \
	$(wildcard guest/lib/*.c)
GUEST_LIBC_OBJ := $(patsubst %,$(GUEST_OBJ)/user/%.o,$(GUEST_LIBC_SRC))
GUEST_TOUR_SRC := $(wildcard guest/user/tour/*.[cS])
GUEST_TOUR_OBJ := $(patsubst %,$(GUEST_OBJ)/user/%.o,$(GUEST_TOUR_SRC))
GUEST_HELLO_OBJ := $(GUEST_OBJ)/user/guest/user/hello.c.o
GUEST_VERIFY_OBJ := $(GUEST_OBJ)/user/guest/user/verify.c.o
GUEST_POKE_OBJ := $(GUEST_OBJ)/user/guest/user/poke.c.o
GUEST_TOUCH_OBJ := $(GUEST_OBJ)/user/guest/user/touch.c.o
GUEST_WORK_OBJ := $(GUEST_OBJ)/user/guest/user/work.c.o

$(GUEST_OUT)/sample.elf: guest/boot/kernel.ld $(GUEST_KERNEL_OBJ)
	$(GUEST_LD) $(GUEST_LDFLAGS) -T $< -o $@ $(GUEST_KERNEL_OBJ)

$(GUEST_OUT)/hello.elf: $(GUEST_HELLO_OBJ)
$(GUEST_OUT)/verify.elf: $(GUEST_VERIFY_OBJ)
$(GUEST_OUT)/poke.elf: $(GUEST_POKE_OBJ)
$(GUEST_OUT)/touch.elf: $(GUEST_TOUCH_OBJ)
$(GUEST_OUT)/work.elf: $(GUEST_WORK_OBJ)
$(GUEST_OUT)/tour.elf: $(GUEST_TOUR_OBJ)
$(GUEST_PROGRAM_ELF): guest/user/user.ld $(GUEST_LIBC_OBJ)
	$(GUEST_LD) $(GUEST_LDFLAGS) -S -T guest/user/user.ld -o $@ \
		$(filter %.o,$^)

# programs.S takes the programs in as they are.
$(GUEST_OBJ)/kernel/guest/proc/programs.S.o: $(GUEST_PROGRAM_ELF)

$(GUEST_OBJ)/kernel/%.o: %
	@mkdir -p $(@D)
	$(GUEST_CC) $(GUEST_KERNEL_CFLAGS) -Wa,-I$(GUEST_OUT) -c -o $@ $<

$(GUEST_OBJ)/user/%.o: %
	@mkdir -p $(@D)
	$(GUEST_CC) $(GUEST_CFLAGS) -c -o $@ $<

-include $(patsubst %.o,%.d,$(GUEST_KERNEL_OBJ) $(GUEST_LIBC_OBJ) \
	$(GUEST_TOUR_OBJ) $(GUEST_HELLO_OBJ) $(GUEST_VERIFY_OBJ) \
	$(GUEST_POKE_OBJ) $(GUEST_TOUCH_OBJ) $(GUEST_WORK_OBJ))
