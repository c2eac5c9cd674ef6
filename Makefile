# Ingot's one makefile.  `make help` lists the targets.
#
# Variants of the same sources, each in build/<variant>/:
#   metal   the bare-metal image (kernel/ + rt/ + musl + app)
#   host    rt/ + tests/host/ as a Linux process, native speed
#   asan    host with ASan, UBSan and assertions
#   nasty   host with assertions, tiny queues, junk fill
#   mdebug  metal with assertions

APP   ?= apps/wordcount
SMP   ?= 2
MEM   ?= 256M
B     := build

CC      := gcc
WARN    := -Wall -Wextra -Werror -Wno-unused-parameter -Werror=incompatible-pointer-types -Werror=int-conversion
COMMON  := -std=gnu17 -g -O2 $(WARN) -fno-omit-frame-pointer -fcf-protection=none -fno-strict-aliasing -MMD -MP
SPLIT   := -fsplit-stack
METAL   := -ffreestanding -fno-pic -mcmodel=kernel -mno-red-zone -fno-stack-protector -fno-asynchronous-unwind-tables
HOSTF   := -fno-pie -ftls-model=local-exec -fno-stack-protector

FLAGS_metal  := $(METAL)
FLAGS_mdebug := $(METAL) -DINGOT_DEBUG
FLAGS_host   := $(HOSTF)
FLAGS_asan   := $(HOSTF) -DINGOT_DEBUG -fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=undefined
FLAGS_nasty  := $(HOSTF) -DINGOT_DEBUG -DRUNQ_SIZE=4 -DINGOT_NASTY

# Files that run in interrupt context: no SSE, no split stack.
IRQ_SRCS := rt/irq.c

RT_SRCS     := $(filter-out $(IRQ_SRCS),$(sort $(wildcard rt/*.c)))
RT_ASM      := $(sort $(wildcard rt/*.S))
KERNEL_SRCS := $(sort $(wildcard kernel/*.c drivers/*.c))
KERNEL_ASM  := $(sort $(wildcard kernel/*.S boot/*.S))
HOST_SRCS   := $(sort $(wildcard tests/host/*.c))
HOST_ASM    := $(sort $(wildcard tests/host/*.S))

.PHONY: all
all: $(B)/metal/wordcount.elf

define variant
$(B)/$(1)/rt/irq.o: rt/irq.c Makefile
	@mkdir -p $$(@D)
	$(CC) $(COMMON) $(FLAGS_$(1)) -mgeneral-regs-only -c -o $$@ $$<
$(B)/$(1)/rt/%.o: rt/%.c Makefile
	@mkdir -p $$(@D)
	$(CC) $(COMMON) $(FLAGS_$(1)) $(SPLIT) -c -o $$@ $$<
$(B)/$(1)/rt/%.o: rt/%.S Makefile
	@mkdir -p $$(@D)
	$(CC) $(COMMON) $(FLAGS_$(1)) -c -o $$@ $$<
$(B)/$(1)/kernel/%.o: kernel/%.c Makefile
	@mkdir -p $$(@D)
	$(CC) $(COMMON) $(FLAGS_$(1)) -mgeneral-regs-only -I. -c -o $$@ $$<
$(B)/$(1)/%.o: %.S Makefile
	@mkdir -p $$(@D)
	$(CC) $(COMMON) $(FLAGS_$(1)) -I. -c -o $$@ $$<
$(B)/$(1)/tests/host/%.o: tests/host/%.c Makefile
	@mkdir -p $$(@D)
	$(CC) $(COMMON) $(FLAGS_$(1)) -Irt -c -o $$@ $$<
$(B)/$(1)/unit/%.o: tests/unit/%.c Makefile
	@mkdir -p $$(@D)
	$(CC) $(COMMON) $(FLAGS_$(1)) $(SPLIT) -Irt -c -o $$@ $$<
endef
$(foreach v,metal mdebug host asan nasty,$(eval $(call variant,$(v))))

HOST_LIB = $(patsubst %.c,$(B)/$(1)/%.o,$(RT_SRCS) $(IRQ_SRCS) $(HOST_SRCS)) $(patsubst %.S,$(B)/$(1)/%.o,$(RT_ASM) $(HOST_ASM))

define hostlink
$(B)/$(1)/bin/%: $(B)/$(1)/unit/%.o $(call HOST_LIB,$(1))
	@mkdir -p $$(@D)
	$(CC) -no-pie $(FLAGS_$(1)) -o $$@ $$^ -lpthread
endef
$(foreach v,host asan nasty,$(eval $(call hostlink,$(v))))

clean:
	rm -rf $(B)
-include $(shell find $(B) -name '*.d' 2>/dev/null)
