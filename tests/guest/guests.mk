# SPDX-License-Identifier: MIT
# Guests of the tests' own, made like the bundled one's programs: what each is
# for, its first file says.

TEST_GUESTS := $(addprefix $(BUILD)/tests/guest/, \
	virtio.elf dma.elf wreck.elf rude.elf net.elf ports.elf walk.elf \
	share/sum.elf)
BENCH_GUESTS := $(BUILD)/tests/bench/smp.elf $(BUILD)/tests/bench/blk.elf
FLAT := $(addprefix $(BUILD)/tests/guest/,flat.bin low.bin)
START := tests/guest/virtio/start.S tests/guest/virtio/say.c

$(BUILD)/tests/guest/virtio.elf: $(call guest_objects, \
	$(wildcard tests/guest/virtio/*.[cS]))
$(BUILD)/tests/guest/dma.elf: $(call guest_objects, \
	$(START) $(wildcard tests/guest/dma/*.c))
$(BUILD)/tests/guest/wreck.elf: $(call guest_objects, \
	$(START) tests/guest/dma/driver.c tests/guest/wreck/wreck.c)
$(BUILD)/tests/guest/rude.elf: $(call guest_objects, \
	$(START) tests/guest/dma/driver.c tests/guest/rude/rude.c)
$(BUILD)/tests/guest/ports.elf: $(call guest_objects, $(START) \
	tests/guest/ports/ports.c)
$(BUILD)/tests/guest/net.elf: $(call guest_objects, $(START) \
	tests/guest/virtio/driver.c $(wildcard tests/guest/net/*.c))
$(BUILD)/tests/guest/walk.elf: $(call guest_objects,tests/guest/walk/walk.S)
$(BUILD)/tests/guest/share/sum.elf: $(call guest_objects, \
	tests/guest/share/sum.S)
$(BUILD)/tests/bench/smp.elf: $(call guest_objects, \
	$(wildcard tests/bench/smp/*) guest/lib/format.c guest/lib/string.c)
$(BUILD)/tests/bench/blk.elf: $(call guest_objects, \
	tests/guest/virtio/start.S tests/bench/blk-guest/blk.c)

$(TEST_GUESTS) $(BENCH_GUESTS):
	@mkdir -p $(@D)
	$(GUEST_LD) $(GUEST_LDFLAGS) -Ttext=0x200000 -e start -o $@ $^

# Flat binaries, loaded by multiboot.
$(BUILD)/tests/guest/flat.bin: AT = 0x400000
$(BUILD)/tests/guest/flat.bin: $(call guest_objects,tests/guest/flat/flat.S)
$(BUILD)/tests/guest/low.bin: AT = 0x8000
$(BUILD)/tests/guest/low.bin: $(call guest_objects,tests/guest/flat/low.S)

$(FLAT):
	@mkdir -p $(@D)
	$(GUEST_LD) $(GUEST_LDFLAGS) -Ttext=$(AT) -e start -o $@.elf $^
	objcopy -O binary $@.elf $@

-include $(wildcard $(GUEST_OBJ)/user/tests/*/*/*.d)
