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
	guest/fs/*.c) guest/boot/tree.c)
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
$(addprefix $(OUT)/tests/unit/,ept_fail ept_fail_stage2): \
	WRAPS = $(addprefix -Wl$(comma)--wrap=, \
	pread pwrite send recv fallocate open nanosleep clock_nanosleep \
	io_uring_queue_init io_uring_submit_and_wait malloc calloc \
	aligned_alloc mmap ZSTD_createCCtx ZSTD_createDCtx)

$(OUT)/tests/unit/ept_stalled: WRAPS = -Wl,--wrap=fallocate
$(OUT)/tests/unit/ept_batch: \
	WRAPS = -Wl,--wrap=fallocate,--wrap=madvise

# And that of tests/unit/rounds.h.
$(addprefix $(OUT)/tests/unit/,vmm_api_crowd vmm_api_device vmm_api_hostile): \
	WRAPS = -Wl,--wrap=epoll_wait

$(OUT)/tests/unit/dev_virtqueue: WRAPS = $(addprefix -Wl$(comma)--wrap=, \
	guest_read guest_write)

# Those that tests/fuzz/virtio_host.h takes over.
VIRTIO_WRAPS := $(addprefix -Wl$(comma)--wrap=, poll pthread_create \
	pthread_join pthread_cond_wait pthread_cond_clockwait setpriority \
	io_uring_queue_init)
$(OUT)/tests/unit/dev_virtio_corpus $(OUT)/tests/unit/dev_dma_corpus: \
	WRAPS = $(VIRTIO_WRAPS)
# And those that tests/unit/ept_stage2_host.c stands in for.
$(OUT)/tests/unit/ept_stage2_host: WRAPS = $(addprefix -Wl$(comma)--wrap=, \
	uffd_zero uffd_continue)

-include $(addprefix $(OUT)/obj/tests/,$(addsuffix .d,$(UNIT_ALL)))
-include $(GUEST_HOSTED:.o=.d)

# Each runs each time, beside the others: a line if all is well, else all that
# it says.
RUN_UNIT := $(addprefix run-,$(UNIT_ALL))

unit: $(RUN_UNIT)
$(RUN_UNIT): run-%: $(OUT)/tests/%
	@$< >$<.log 2>&1 || { cat $<.log; echo "not ok $<"; exit 1; }
	@echo "ok $<"; grep SKIP $<.log || true

# Whole VMs, on every kind of stage 2 that this machine has, some tests at once:
# what one changes on the host (huge pages, a control group, a namespace, a
# trace) is its own. The longest first, so that none runs alone at the end.
GUEST_LONG := $(patsubst %,tests/guest/%.t,tour verify trace broken linux \
	pressure control nbd balloon many top observe dma)
GUEST_TESTS := $(GUEST_LONG) \
	$(filter-out $(GUEST_LONG),$(wildcard tests/guest/*.t))

guest-test: all capsule linux $(TEST_GUESTS) $(FLAT)
	prove --timer -j$(shell nproc) $(GUEST_TESTS)

# Everything, as the README and CI call it: the guests last.
PARALLEL := $(MAKE) -s -j$(shell nproc)
SANITIZED := SAN=address,undefined

everything:
	$(PARALLEL) all capsule
	$(PARALLEL) check
	$(PARALLEL) unit
	$(PARALLEL) unit all $(SANITIZED)
	$(PARALLEL) all unit CC=clang BUILD=$(BUILD)/clang
	TWOFOLD=$(BUILD)/san-address-undefined/twofold prove tests/guest/refuse.t
	$(PARALLEL) guest-test

CHECKS := $(wildcard tests/check/*)

check: $(CHECKS)
$(CHECKS):
	$@

format:
	clang-format -i $(shell git ls-files '*.c' '*.h')

# Ratios beside baselines: each is a command of its own, too.
BENCHES := start first-touch swap tiers blk balloon cpus huge pause scale \
	trace
BENCH_BIN := $(addprefix $(OUT)/tests/bench/, \
	spawn until raw_kvm packed stored books replay given record)

BENCH_NBD := $(OUT)/tests/remote

bench: all $(BENCH_BIN) $(BENCH_NBD) $(BENCH_GUESTS)
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

-include $(BENCH_BIN:$(OUT)/%=$(OUT)/obj/%.d) \
	$(OUT)/obj/tests/bench/remote.d $(OUT)/obj/tests/bench/reads.d

coverage:
	$(MAKE) BUILD=$(BUILD)/coverage unit CFLAGS="-std=gnu17 -O0 -g \
		-pthread --coverage" LDFLAGS="-pthread --coverage"
	gcov -r -o $(BUILD)/coverage/obj/ept $(wildcard ept/*.c) | \
		grep -A1 "^File 'ept" | grep -v '^--'
	rm -f *.gcov

.PHONY: unit $(RUN_UNIT) guest-test everything check $(CHECKS) format bench \
	coverage
