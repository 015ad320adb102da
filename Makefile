# SPDX-License-Identifier: MIT
#
# make run       install what is missing, build, launch the sample guest
# make test      install what is missing, build, run every test
#
# make           build: build/twofold, its helper, build/guest: kernel, disk
# make unit      unit and model tests only: seconds, no /dev/kvm
# make check     format, layers, headers, cppcheck
# make capsule   the small Linux that stands in for a missing /dev/kvm
# make linux     a small Linux to run as a guest
# make bench     ratios beside baselines, ten minutes
# make deps      install what building and testing need, nothing else
# make coverage  line coverage of the unit and model tests
# make install   PREFIX=/usr/local DESTDIR=
# make format    let clang-format lay out the sources
# make clean
#
# SAN=address,undefined  CC=clang  WERROR=0  BUILD=dir

BUILD ?= build
SAN ?=
WERROR ?= 1

# A test build audits at every so many rounds of faults or evictions.
AUDIT_EVERY := 0
CPPFLAGS = -I. -D_GNU_SOURCE -DAUDIT_EVERY=$(AUDIT_EVERY) -MMD -MP
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla \
	-Wpointer-arith -Wwrite-strings
ifeq ($(WERROR),1)
WARNINGS += -Werror
endif
CFLAGS := -std=gnu17 -O2 -g -pthread -fstack-protector-strong $(WARNINGS)
LDFLAGS := -pthread -static
LDLIBS := -luring -llz4 -lzstd -lxxhash -lfdt -ljansson -lhttp_parser -lz -lm \
	-lncursesw -ltinfo

# A sanitizer build has a folder of its own and cannot be static.
OUT := $(BUILD)
ifneq ($(SAN),)
comma := ,
OUT := $(BUILD)/san-$(subst $(comma),-,$(SAN))
CFLAGS += -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
LDFLAGS := -pthread -fsanitize=$(SAN)
AUDIT_EVERY := 200
endif

PREFIX ?= /usr/local
BIN = $(DESTDIR)$(PREFIX)/bin
LIB = $(DESTDIR)$(PREFIX)/lib/twofold
MAN = $(DESTDIR)$(PREFIX)/share/man/man1
COMPLETION = $(DESTDIR)$(PREFIX)/share/bash-completion/completions

SOURCES := $(wildcard ept/*.c devices/*.c vmm/*.c)
OBJECTS := $(SOURCES:%.c=$(OUT)/obj/%.o)
LIBEPT := $(OUT)/libept.a
LIBDEVICES := $(OUT)/libdevices.a
LIBVMM := $(OUT)/libvmm.a

# What libnbd and libslirp need would triple the start of a program, and Debian
# has no static libslirp: helpers have them.
HELPERS := $(OUT)/twofold-nbd $(OUT)/twofold-net
# The man pages and bash's completion, by a program with the same tables.
MANUAL := $(OUT)/manual/twofold.1
MANUAL_OBJECTS := $(patsubst %.c,$(OUT)/obj/%.o,$(wildcard vmm/manual/*.c))

HELPER_SOURCES := $(wildcard vmm/nbd/*.c vmm/net/*.c)
HELPER_OBJECTS := $(HELPER_SOURCES:%.c=$(OUT)/obj/%.o)

# What `twofold pressure` knows by name, found beside the program.
SCENARIOS := $(patsubst vmm/%,$(BUILD)/%,$(wildcard vmm/scenarios/*))

all: $(OUT)/twofold $(HELPERS) $(MANUAL) $(SCENARIOS) \
	$(BUILD)/guest/sample.elf $(BUILD)/guest/disk.img

$(SCENARIOS): $(BUILD)/%: vmm/%
	@mkdir -p $(@D)
	cp $< $@

$(OUT)/twofold: $(OUT)/obj/vmm/main.o $(LIBVMM) $(LIBDEVICES) $(LIBEPT)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(OUT)/twofold-nbd: HELPER_LIB := -lnbd
$(OUT)/twofold-net: HELPER_LIB := -lslirp
$(HELPERS): $(OUT)/twofold-%:
	$(CC) $(filter-out -static,$(LDFLAGS)) -o $@ \
		$(filter $(OUT)/obj/vmm/$*/%,$^) $(HELPER_LIB)

$(OUT)/twofold-nbd: $(filter $(OUT)/obj/vmm/nbd/%,$(HELPER_OBJECTS))
$(OUT)/twofold-net: $(filter $(OUT)/obj/vmm/net/%,$(HELPER_OBJECTS))

$(OUT)/obj/vmm/trace_report.o: vmm/report.html

$(OUT)/twofold-manual: $(MANUAL_OBJECTS) $(LIBVMM) $(LIBDEVICES) $(LIBEPT)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(MANUAL): $(OUT)/twofold-manual
	@mkdir -p $(@D)
	$< $(@D)

$(OUT)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(LIBEPT): $(filter $(OUT)/obj/ept/%,$(OBJECTS))
$(LIBDEVICES): $(filter $(OUT)/obj/devices/%,$(OBJECTS))
$(LIBVMM): $(filter-out %/main.o,$(filter $(OUT)/obj/vmm/%,$(OBJECTS)))
$(LIBEPT) $(LIBDEVICES) $(LIBVMM):
	@rm -f $@
	$(AR) rcs $@ $^

include guest/guest.mk
include tests/capsule/capsule.mk
include tests/guest/linux/linux.mk
include tests/guest/guests.mk
include tests/tests.mk
include tests/fuzz/fuzz.mk

# What needs nothing but a bare Debian runs make again once it is there.
deps:
	tests/deps test

run:
	tests/deps run
	$(PARALLEL) all
	@test -w /dev/kvm || $(PARALLEL) capsule
	$(BUILD)/twofold run

test: deps
	$(MAKE) everything

# The program finds what belongs to it beside itself.
install: all
	install -d $(BIN) $(LIB)/guest $(LIB)/scenarios $(MAN) $(COMPLETION)
	install $(OUT)/twofold $(HELPERS) $(LIB)
	install -m 644 $(BUILD)/guest/sample.elf $(BUILD)/guest/disk.img \
		$(LIB)/guest
	install -m 644 $(SCENARIOS) $(LIB)/scenarios
	ln -sf ../lib/twofold/twofold $(BIN)/twofold
	install -m 644 $(OUT)/manual/*.1 $(MAN)
	install -m 644 $(OUT)/manual/twofold.bash $(COMPLETION)/twofold
	for f in vmlinuz initrd.cpio; do \
		test ! -e $(BUILD)/capsule/$$f || \
		install -m 644 -D -t $(LIB)/capsule $(BUILD)/capsule/$$f; \
	done

clean:
	rm -rf $(BUILD)

-include $(OBJECTS:.o=.d) $(HELPER_OBJECTS:.o=.d) \
	$(MANUAL_OBJECTS:.o=.d)

.PHONY: all deps install run test clean
.DEFAULT_GOAL := all
