# SPDX-License-Identifier: MIT
#
# make run     install what is missing, build, launch the sample guest
# make test    install what is missing, build, run every test
# make help    the other targets

BUILD ?= build
SAN ?=
WERROR ?= 1

CPPFLAGS := -I. -D_GNU_SOURCE -MMD -MP
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla \
	-Wpointer-arith -Wwrite-strings
ifeq ($(WERROR),1)
WARNINGS += -Werror
endif
CFLAGS := -std=gnu17 -O2 -g -pthread -fstack-protector-strong $(WARNINGS)
LDLIBS := -luring -llz4 -lzstd -lxxhash -lfdt -ljansson -lhttp_parser -pthread
LDFLAGS := -pthread -static

# SAN=address,undefined builds into a folder of its own, dynamically.
ifneq ($(SAN),)
comma := ,
OUT := $(BUILD)/san-$(subst $(comma),-,$(SAN))
CFLAGS += -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
LDFLAGS := -pthread -fsanitize=$(SAN)
else
OUT := $(BUILD)
endif

EPT_OBJ := $(patsubst %.c,$(OUT)/obj/%.o,$(wildcard ept/*.c))
DEVICES_OBJ := $(patsubst %.c,$(OUT)/obj/%.o,$(wildcard devices/*.c))
VMM_OBJ := $(patsubst %.c,$(OUT)/obj/%.o,$(wildcard vmm/*.c))
LIBEPT := $(OUT)/libept.a
LIBDEVICES := $(OUT)/libdevices.a
LIBVMM := $(OUT)/libvmm.a

all: $(OUT)/twofold $(BUILD)/guest/sample.elf

$(OUT)/twofold: $(OUT)/obj/vmm/main.o $(LIBVMM) $(LIBDEVICES) $(LIBEPT)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(OUT)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(LIBEPT): $(EPT_OBJ)
$(LIBDEVICES): $(DEVICES_OBJ)
$(LIBVMM): $(filter-out %/main.o,$(VMM_OBJ))
$(LIBEPT) $(LIBDEVICES) $(LIBVMM):
	@rm -f $@
	$(AR) rcs $@ $^

-include guest/guest.mk
-include tests/capsule/capsule.mk
-include tests/tests.mk

-include $(EPT_OBJ:.o=.d) $(DEVICES_OBJ:.o=.d) $(VMM_OBJ:.o=.d)

.PHONY: all
.DEFAULT_GOAL := all
