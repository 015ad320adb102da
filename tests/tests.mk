# SPDX-License-Identifier: MIT
# Unit and model tests: one binary a file. A test links its own layer only,
# so a call out of the layer is a link error.

UNIT_EPT := $(patsubst tests/%.c,%,$(wildcard tests/unit/ept_*.c \
	tests/model/*.c)) unit/walk unit/table
UNIT_DEVICES := $(patsubst tests/%.c,%,$(wildcard tests/unit/dev_*.c))
UNIT_VMM := $(patsubst tests/%.c,%,$(wildcard tests/unit/vmm_*.c))
UNIT_ALL := $(UNIT_EPT) $(UNIT_DEVICES) $(UNIT_VMM)
UNIT_BIN := $(addprefix $(OUT)/tests/,$(UNIT_ALL))

$(addprefix $(OUT)/tests/,$(UNIT_EPT)): $(LIBEPT)
$(addprefix $(OUT)/tests/,$(UNIT_DEVICES)): $(LIBDEVICES) $(LIBEPT)
$(addprefix $(OUT)/tests/,$(UNIT_VMM)): $(LIBVMM) $(LIBDEVICES) $(LIBEPT)

$(UNIT_BIN): $(OUT)/tests/%: $(OUT)/obj/tests/%.o
	@mkdir -p $(@D)
	$(CC) $(filter-out -static,$(LDFLAGS)) -o $@ $^ -lcmocka $(LDLIBS)

-include $(addprefix $(OUT)/obj/tests/,$(addsuffix .d,$(UNIT_ALL)))

# Every unit and model test, in order; the first failure ends it.
unit: $(UNIT_BIN)
	@for t in $(UNIT_BIN); do echo "== $$t"; $$t || exit 1; done

.PHONY: unit
