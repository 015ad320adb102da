# SPDX-License-Identifier: MIT
# make fuzz FUZZ_SECONDS=60     libFuzzer (of clang) on the image loader, then
#                               on the devices: virtio, the DMA engine, ports
#
# Damaging inputs are left as crash-* in build/fuzz; build/fuzz/image FILE (or
# virtio FILE, dma FILE, ports FILE) runs one again. What was learnt stays in
# build/fuzz/corpus, virtio-corpus, dma-corpus and ports-corpus.
# tests/fuzz/*.corpus keep the essence of that as a line of hexadecimal digits
# each; make unit replays them.

FUZZ := $(BUILD)/fuzz
FUZZ_SECONDS ?= 60
FUZZ_IMAGE := tests/fuzz/image.c $(wildcard vmm/image*.c) vmm/elf_note.c \
	vmm/complaint.c

$(FUZZ)/image: $(FUZZ_IMAGE) $(wildcard tests/unit/*_fixture.h vmm/image*.h) \
	vmm/loader.h
	@mkdir -p $(@D)
	clang -I. -D_GNU_SOURCE -std=gnu17 -O1 -g $(WARNINGS) \
		-fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -o $@ $(FUZZ_IMAGE)

$(FUZZ)/virtio: tests/fuzz/virtio.c $(wildcard tests/fuzz/*.h) \
	$(wildcard devices/virt*.[ch] devices/balloon*.[ch] \
		devices/blk_*.[ch] devices/iommu*.[ch] devices/net_*.[ch]) \
	ept/walk.c devices/thread.c
	@mkdir -p $(@D)
	clang -I. -D_GNU_SOURCE -std=gnu17 -O1 -g $(WARNINGS) \
		-fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all $(VIRTIO_WRAPS) -o $@ \
		$(filter %.c,$^) -luring

$(FUZZ)/dma: tests/fuzz/dma.c $(wildcard tests/fuzz/*.h) \
	$(wildcard devices/dma*.[ch] devices/iommu*.[ch]) ept/walk.c devices/thread.c
	@mkdir -p $(@D)
	clang -I. -D_GNU_SOURCE -std=gnu17 -O1 -g $(WARNINGS) \
		-fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all $(VIRTIO_WRAPS) -o $@ \
		$(filter %.c,$^)

$(FUZZ)/ports: tests/fuzz/ports.c $(wildcard tests/fuzz/*.h) \
	$(patsubst %,devices/%.c,bus uart rtc exit power testdev lab)
	@mkdir -p $(@D)
	clang -I. -D_GNU_SOURCE -std=gnu17 -O1 -g $(WARNINGS) \
		-fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -o $@ $(filter %.c,$^)

$(FUZZ)/%-corpus: tests/fuzz/%.corpus
	@mkdir -p $@
	perl -ne 'chomp; open F, ">$@/$$."; print F pack "H*", $$_' <$<

fuzz: $(FUZZ)/image $(FUZZ)/virtio $(FUZZ)/virtio-corpus \
	$(FUZZ)/dma $(FUZZ)/dma-corpus $(FUZZ)/ports $(FUZZ)/ports-corpus
	@mkdir -p $(FUZZ)/corpus
	for kind in 0 1 2 3 4; do \
		printf "\\$$kind\\14" >$(FUZZ)/corpus/good$$kind; done
	$(FUZZ)/image -max_total_time=$(FUZZ_SECONDS) -max_len=16384 \
		-artifact_prefix=$(FUZZ)/ $(FUZZ)/corpus
	$(FUZZ)/virtio -max_total_time=$(FUZZ_SECONDS) -max_len=256 \
		-artifact_prefix=$(FUZZ)/ $(FUZZ)/virtio-corpus
	$(FUZZ)/dma -max_total_time=$(FUZZ_SECONDS) -max_len=256 \
		-artifact_prefix=$(FUZZ)/ $(FUZZ)/dma-corpus
	$(FUZZ)/ports -max_total_time=$(FUZZ_SECONDS) -max_len=256 \
		-artifact_prefix=$(FUZZ)/ $(FUZZ)/ports-corpus

.PHONY: fuzz
