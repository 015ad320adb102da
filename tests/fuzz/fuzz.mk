# SPDX-License-Identifier: MIT
# make fuzz FUZZ_SECONDS=60     libFuzzer (of clang) on the image loaders, then
#                               on the devices: virtio, the DMA engine, ports
#
# One loader for long: make build/fuzz/image, then
#     FORMAT=bzimage build/fuzz/image -runs=10000000 -max_len=256 FOLDER
# (elf, bzimage, elf32, flat, or raw with -max_len=16384); FOLDER keeps what was
# learnt.
#
# Damaging inputs are left as crash-* in build/fuzz; build/fuzz/image FILE (or
# virtio FILE, dma FILE, ports FILE) runs one again. What was learnt stays in
# build/fuzz/corpus, virtio-corpus, dma-corpus and ports-corpus.
# tests/fuzz/*.corpus keep the essence of that as a line of hexadecimal digits
# each; make unit replays them.

FUZZ := $(BUILD)/fuzz
FUZZ_SECONDS ?= 60
FUZZ_IMAGE := tests/fuzz/image.c $(wildcard vmm/image*.c) vmm/elf_note.c \
	$(wildcard vmm/boot*.c) vmm/acpi.c vmm/aml.c vmm/devtree.c \
	vmm/complaint.c
# What it has in the place of files, and of work that is always the same.
IMAGE_WRAPS := $(addprefix -Wl$(comma)--wrap=, open close fstat pread \
	devtree_build)
FORMATS := raw elf bzimage elf32 flat

$(FUZZ)/image: $(FUZZ_IMAGE) $(wildcard tests/unit/*_fixture.h vmm/image*.h) \
	vmm/loader.h vmm/boot.h
	@mkdir -p $(@D)
	clang -I. -D_GNU_SOURCE -std=gnu17 -O2 -g $(WARNINGS) \
		-fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all $(IMAGE_WRAPS) -o $@ $(FUZZ_IMAGE) \
		-lfdt

$(FUZZ)/virtio: tests/fuzz/virtio.c $(wildcard tests/fuzz/*.h) \
	$(wildcard devices/virt*.[ch] devices/balloon*.[ch] \
		devices/blk_*.[ch] devices/iommu*.[ch] devices/net_*.[ch]) \
	ept/walk.c
	@mkdir -p $(@D)
	clang -I. -D_GNU_SOURCE -std=gnu17 -O2 -g $(WARNINGS) \
		-fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all $(VIRTIO_WRAPS) -o $@ \
		$(filter %.c,$^) -luring

$(FUZZ)/dma: tests/fuzz/dma.c $(wildcard tests/fuzz/*.h) \
	$(wildcard devices/dma*.[ch] devices/iommu*.[ch]) ept/walk.c
	@mkdir -p $(@D)
	clang -I. -D_GNU_SOURCE -std=gnu17 -O2 -g $(WARNINGS) \
		-fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all $(VIRTIO_WRAPS) -o $@ \
		$(filter %.c,$^)

$(FUZZ)/ports: tests/fuzz/ports.c $(wildcard tests/fuzz/*.h) \
	$(patsubst %,devices/%.c,bus uart rtc exit power testdev lab)
	@mkdir -p $(@D)
	clang -I. -D_GNU_SOURCE -std=gnu17 -O2 -g $(WARNINGS) \
		-fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -o $@ $(filter %.c,$^)

$(FUZZ)/%-corpus: tests/fuzz/%.corpus
	@mkdir -p $@
	perl -ne 'chomp; open F, ">$@/$$."; print F pack "H*", $$_' <$<

fuzz: $(FUZZ)/image $(FUZZ)/virtio $(FUZZ)/virtio-corpus \
	$(FUZZ)/dma $(FUZZ)/dma-corpus $(FUZZ)/ports $(FUZZ)/ports-corpus
	for format in $(FORMATS); do \
		mkdir -p $(FUZZ)/corpus/$$format; \
		printf '\0\14\0' >$(FUZZ)/corpus/$$format/good; \
		FORMAT=$$format $(FUZZ)/image -max_len=16384 \
			-max_total_time=$$(($(FUZZ_SECONDS) / 5)) \
			-artifact_prefix=$(FUZZ)/$$format- \
			$(FUZZ)/corpus/$$format || exit 1; \
	done
	$(FUZZ)/virtio -max_total_time=$(FUZZ_SECONDS) -max_len=256 \
		-artifact_prefix=$(FUZZ)/ $(FUZZ)/virtio-corpus
	$(FUZZ)/dma -max_total_time=$(FUZZ_SECONDS) -max_len=256 \
		-artifact_prefix=$(FUZZ)/ $(FUZZ)/dma-corpus
	$(FUZZ)/ports -max_total_time=$(FUZZ_SECONDS) -max_len=256 \
		-artifact_prefix=$(FUZZ)/ $(FUZZ)/ports-corpus

.PHONY: fuzz
