# SPDX-License-Identifier: MIT
# Unit and model tests: one binary a file. A test links its own layer only,
# so a call out of the layer is a link error.

UNIT_EPT := unit/walk unit/table $(patsubst tests/%.c,%, \
	$(wildcard tests/unit/ept_*.c tests/model/*.c))
UNIT_DEVICES := $(patsubst tests/%.c,%,$(wildcard tests/unit/dev_*.c))
UNIT_VMM := $(patsubst tests/%.c,%,$(wildcard tests/unit/vmm_*.c))
UNIT_GUEST := $(filter-out unit/guest_lacks,$(patsubst tests/%.c,%, \
	$(wildcard tests/unit/guest_*.c)))
UNIT_ALL := $(UNIT_EPT) $(UNIT_DEVICES) $(UNIT_VMM) $(UNIT_GUEST)
UNIT_BIN := $(addprefix $(OUT)/tests/,$(UNIT_ALL))

$(addprefix $(OUT)/tests/,$(UNIT_EPT)): $(LIBEPT)
$(addprefix $(OUT)/tests/,$(UNIT_DEVICES)): $(LIBDEVICES) $(LIBEPT)
$(addprefix $(OUT)/tests/,$(UNIT_VMM)): $(LIBVMM) $(LIBDEVICES) $(LIBEPT)

# Parts of the guest that need no ring 0, with a direct map of their own.
# Each test takes out of the library what it does not have itself: of two the
# first is taken.
GUEST_HOSTED := $(patsubst %.c,$(OUT)/obj/%.o,$(wildcard guest/mm/*.c \
	guest/fs/*.c))
GUEST_DIRECT := -include tests/unit/guest_direct.h
LIBGUEST := $(OUT)/libguest.a

$(LIBGUEST): $(GUEST_HOSTED)
	rm -f $@ && $(AR) rcs $@ $^
$(GUEST_HOSTED): CPPFLAGS += $(GUEST_DIRECT)
$(UNIT_GUEST:%=$(OUT)/obj/tests/%.o): CPPFLAGS += $(GUEST_DIRECT)
$(UNIT_GUEST:%=$(OUT)/tests/%): WRAPS = -Wl,--allow-multiple-definition
$(UNIT_GUEST:%=$(OUT)/tests/%): $(LIBGUEST) $(OUT)/obj/tests/unit/guest_lacks.o

$(UNIT_BIN): $(OUT)/tests/%: $(OUT)/obj/tests/%.o
	@mkdir -p $(@D)
	$(CC) $(filter-out -static,$(LDFLAGS)) $(WRAPS) -o $@ $^ -lcmocka $(LDLIBS)

$(OUT)/tests/unit/vmm_nbd_desk: $(OUT)/obj/vmm/nbd/desk.o
$(OUT)/tests/unit/ept_books: | $(OUT)/tests/bench/books

# Calls that tests/unit/fail_fixture.h makes fail.
comma := ,
$(OUT)/tests/unit/ept_fail: WRAPS = $(addprefix -Wl$(comma)--wrap=, \
	pread pwrite send recv fallocate open nanosleep clock_nanosleep \
	io_uring_queue_init io_uring_submit_and_wait malloc calloc \
	aligned_alloc mmap ZSTD_createCCtx ZSTD_createDCtx)

$(OUT)/tests/unit/dev_virtqueue: WRAPS = $(addprefix -Wl$(comma)--wrap=, \
	guest_read guest_write)

# Those that tests/fuzz/virtio_host.h takes over.
VIRTIO_WRAPS := $(addprefix -Wl$(comma)--wrap=, poll pthread_create \
	pthread_join pthread_cond_wait pthread_cond_clockwait \
	io_uring_queue_init)
$(OUT)/tests/unit/dev_virtio_corpus $(OUT)/tests/unit/dev_dma_corpus: \
	WRAPS = $(VIRTIO_WRAPS)
# And those that tests/unit/ept_stage2_host.c stands in for.
$(OUT)/tests/unit/ept_stage2_host: WRAPS = $(addprefix -Wl$(comma)--wrap=, \
	uffd_zero uffd_continue)

-include $(addprefix $(OUT)/obj/tests/,$(addsuffix .d,$(UNIT_ALL)))
-include $(GUEST_HOSTED:.o=.d)

unit: $(UNIT_BIN)
	@for t in $(UNIT_BIN); do echo "== $$t"; $$t || exit 1; done

# A guest that is nothing but virtio drivers, made like the bundled one.
VIRTIO_ELF := $(BUILD)/tests/guest/virtio.elf
VIRTIO_OBJ := $(patsubst %,$(GUEST_OBJ)/user/%.o, \
	$(wildcard tests/guest/virtio/*.[cS]))

$(VIRTIO_ELF): $(VIRTIO_OBJ)
	@mkdir -p $(@D)
	$(GUEST_LD) $(GUEST_LDFLAGS) -Ttext=0x200000 -e start -o $@ $^

-include $(VIRTIO_OBJ:.o=.d)

# And one that drives the DMA engine, the IOMMU and the balloon.
DMA_ELF := $(BUILD)/tests/guest/dma.elf
DMA_OBJ := $(patsubst %,$(GUEST_OBJ)/user/%.o, tests/guest/virtio/start.S \
	$(wildcard tests/guest/dma/*.c))

$(DMA_ELF): $(DMA_OBJ)
	@mkdir -p $(@D)
	$(GUEST_LD) $(GUEST_LDFLAGS) -Ttext=0x200000 -e start -o $@ $^

-include $(DMA_OBJ:.o=.d)

# And one that gives away what it stands on.
WRECK_ELF := $(BUILD)/tests/guest/wreck.elf
WRECK_OBJ := $(patsubst %,$(GUEST_OBJ)/user/%.o, tests/guest/virtio/start.S \
	tests/guest/dma/driver.c tests/guest/wreck/wreck.c)

$(WRECK_ELF): $(WRECK_OBJ)
	@mkdir -p $(@D)
	$(GUEST_LD) $(GUEST_LDFLAGS) -Ttext=0x200000 -e start -o $@ $^

-include $(WRECK_OBJ:.o=.d)

# And one that does what none should.
RUDE_ELF := $(BUILD)/tests/guest/rude.elf
RUDE_OBJ := $(patsubst %,$(GUEST_OBJ)/user/%.o, tests/guest/virtio/start.S \
	tests/guest/dma/driver.c tests/guest/rude/rude.c)

$(RUDE_ELF): $(RUDE_OBJ)
	@mkdir -p $(@D)
	$(GUEST_LD) $(GUEST_LDFLAGS) -Ttext=0x200000 -e start -o $@ $^

-include $(RUDE_OBJ:.o=.d)

# And one that is on a network.
NET_ELF := $(BUILD)/tests/guest/net.elf
NET_OBJ := $(patsubst %,$(GUEST_OBJ)/user/%.o, tests/guest/virtio/start.S \
	tests/guest/virtio/driver.c $(wildcard tests/guest/net/*.c))

$(NET_ELF): $(NET_OBJ)
	@mkdir -p $(@D)
	$(GUEST_LD) $(GUEST_LDFLAGS) -Ttext=0x200000 -e start -o $@ $^

-include $(NET_OBJ:.o=.d)

# A guest of one file, for what the bundled one has no program for.
SUM_ELF := $(BUILD)/tests/guest/share/sum.elf

$(SUM_ELF): tests/guest/share/sum.S
	@mkdir -p $(@D)
	$(GUEST_CC) -c -o $@.o $<
	$(GUEST_LD) $(GUEST_LDFLAGS) -Ttext=0x200000 -e start -o $@ $@.o

WALK_ELF := $(BUILD)/tests/guest/walk.elf

$(WALK_ELF): tests/guest/walk/walk.S
	@mkdir -p $(@D)
	$(GUEST_CC) -c -o $@.o $<
	$(GUEST_LD) $(GUEST_LDFLAGS) -Ttext=0x200000 -e start -o $@ $@.o

# Flat binaries, loaded by multiboot.
FLAT_BIN := $(BUILD)/tests/guest/flat.bin $(BUILD)/tests/guest/low.bin

$(BUILD)/tests/guest/flat.bin: FLAT_AT := 0x400000
$(BUILD)/tests/guest/low.bin: FLAT_AT := 0x8000

$(FLAT_BIN): $(BUILD)/tests/guest/%.bin: tests/guest/flat/%.S
	@mkdir -p $(@D)
	$(GUEST_CC) -c -o $@.o $<
	$(GUEST_LD) $(GUEST_LDFLAGS) -Ttext=$(FLAT_AT) -e start -o $@.elf $@.o
	objcopy -O binary $@.elf $@

# Whole VMs, on every kind of stage 2 that this machine has.
guest-test: all capsule linux $(VIRTIO_ELF) $(DMA_ELF) $(NET_ELF) \
	$(WRECK_ELF) $(RUDE_ELF) $(SUM_ELF) $(WALK_ELF) $(FLAT_BIN)
	prove tests/guest

# Everything, as the README and CI call it: the guests last, and alone.
PARALLEL := $(MAKE) -s -j$(shell nproc)
SANITIZED := SAN=address,undefined

everything:
	$(PARALLEL) all capsule
	$(MAKE) check
	$(PARALLEL) unit
	$(PARALLEL) unit all $(SANITIZED)
	$(PARALLEL) all unit CC=clang BUILD=$(BUILD)/clang
	$(MAKE) guest-test
	TWOFOLD=$(BUILD)/san-address-undefined/twofold prove tests/guest/refuse.t

C_FILES = $(shell git ls-files '*.c' '*.h')

check:
	clang-format --dry-run --Werror $(C_FILES)
	tests/check/layers
	tests/check/headers
	tests/check/kernel-size
	tests/check/hostile
	cppcheck --quiet --error-exitcode=1 --inline-suppr -I. \
		--std=c11 --suppress=missingIncludeSystem ept devices vmm

format:
	clang-format -i $(C_FILES)

# Ratios beside baselines: each is a command of its own, too.
BENCHES := start first-touch swap tiers blk balloon cpus huge pause scale \
	trace
BENCH_BIN := $(addprefix $(OUT)/tests/bench/, \
	spawn raw_kvm packed stored books replay given record)

# A guest for two CPUs, made like the bundled one.
SMP_ELF := $(BUILD)/tests/bench/smp.elf
SMP_OBJ := $(patsubst %,$(GUEST_OBJ)/user/%.o, $(wildcard tests/bench/smp/*) \
	guest/lib/format.c guest/lib/string.c)

$(SMP_ELF): $(SMP_OBJ)
	@mkdir -p $(@D)
	$(GUEST_LD) $(GUEST_LDFLAGS) -Ttext=0x200000 -e start -o $@ $^

# And one for a disk.
BLK_ELF := $(BUILD)/tests/bench/blk.elf
BLK_OBJ := $(patsubst %,$(GUEST_OBJ)/user/%.o, tests/guest/virtio/start.S \
	tests/bench/blk-guest/blk.c)

$(BLK_ELF): $(BLK_OBJ)
	@mkdir -p $(@D)
	$(GUEST_LD) $(GUEST_LDFLAGS) -Ttext=0x200000 -e start -o $@ $^

BENCH_NBD := $(OUT)/tests/remote

bench: all $(BENCH_BIN) $(BENCH_NBD) $(SMP_ELF) $(BLK_ELF)
	@for b in $(BENCHES); do tests/bench/$$b || exit 1; done
	$(OUT)/tests/bench/replay

$(BENCH_BIN): $(OUT)/tests/bench/%: $(OUT)/obj/tests/bench/%.o $(LIBEPT)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(OUT)/tests/bench/stored: $(OUT)/obj/tests/bench/reads.o
$(OUT)/tests/bench/given: $(LIBDEVICES)
$(OUT)/tests/bench/given: LDLIBS := $(LIBDEVICES) $(LIBEPT) $(LDLIBS)

# One folder up, where it finds its helper.
$(BENCH_NBD): $(OUT)/obj/tests/bench/remote.o $(OUT)/obj/tests/bench/reads.o \
	$(LIBVMM) $(LIBDEVICES) $(LIBEPT)
	@mkdir -p $(@D)
	$(CC) $(filter-out -static,$(LDFLAGS)) -o $@ $^ $(LDLIBS) -lnbd

-include $(SMP_OBJ:.o=.d) $(BLK_OBJ:.o=.d)
-include $(BENCH_BIN:$(OUT)/%=$(OUT)/obj/%.d) \
	$(OUT)/obj/tests/bench/remote.d $(OUT)/obj/tests/bench/reads.d

coverage:
	$(MAKE) BUILD=$(BUILD)/coverage unit CFLAGS="-std=gnu17 -O0 -g \
		-pthread --coverage" LDFLAGS="-pthread --coverage"
	gcov -r -o $(BUILD)/coverage/obj/ept $(wildcard ept/*.c) | \
		grep -A1 "^File 'ept" | grep -v '^--'
	rm -f *.gcov

.PHONY: unit guest-test everything check format bench coverage
