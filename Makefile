# Ingot's one makefile.  `make help` lists the targets and settings.
#
# Variants of the same sources, each in build/<variant>/:
#   metal     the bare-metal image: boot/ + kernel/ + rt/ + musl + app
#   mdebug    metal with assertions
#   mnasty    metal with assertions, tiny queues, and rt/sabotage.h: for the soak, gcfences.py
#   host      rt/ + tests/host/ as a Linux process, native speed
#   asan      host with ASan, UBSan and assertions
#   nasty     host with assertions, tiny queues, junk fill
#   sabotage  host where single steps can be left out (rt/sabotage.h)
#   fuzz      asan that tells libFuzzer where it has been (tests/fuzz/README.md)
#
# Parts: kernel/libc.mk (C library), rt/gen/tools.mk (tools run after each
# link), boot/efi/efi.mk (UEFI loader and disk images).  Dependencies are
# generated (-MMD); changed flags rebuild through the stamps build/*/flags.

APP        ?= apps/demo
SMP        ?= 2
MEM        ?= 256M
MACHINE    ?= q35
CPU        ?= max
ARGS       ?=
FILE       ?=
CONFIG     ?=
GDB        ?=
B          := build

CC      := gcc
WARN    := -Wall -Wextra -Werror -Wno-unused-parameter -Werror=incompatible-pointer-types -Werror=int-conversion
COMMON  := -std=gnu17 -g -O2 -fno-omit-frame-pointer -fcf-protection=none -fno-strict-aliasing -MMD -MP
# Arguments have their place in the frame, because gcc's check does not know
# of what is pushed below it.
SPLIT   := -fsplit-stack -maccumulate-outgoing-args
SECTIONS := -ffunction-sections -fdata-sections
METAL   := -ffreestanding -fno-pic -mcmodel=kernel -mno-red-zone -fno-stack-protector -fno-asynchronous-unwind-tables
HOSTF   := -fno-pie -ftls-model=local-exec -fno-stack-protector -mno-red-zone

METAL_VARIANTS := metal mdebug mnasty
HOST_VARIANTS  := host asan nasty sabotage fuzz
FLAGS_metal  := $(METAL) $(SECTIONS)
FLAGS_mdebug := $(METAL) $(SECTIONS) -DINGOT_DEBUG
FLAGS_mnasty := $(METAL) $(SECTIONS) -DINGOT_DEBUG -DRUNQ_SIZE=4 -DINGOT_NASTY -DINGOT_SABOTAGE
FLAGS_host   := $(HOSTF)
# alloca: what is beyond the limit comes from the heap, and ASan would mark all between that and the stack.
FLAGS_asan   := $(HOSTF) -DINGOT_DEBUG -fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=undefined \
	--param asan-instrument-allocas=0
FLAGS_fuzz   := $(FLAGS_asan) -fsanitize-coverage=trace-pc,trace-cmp
FLAGS_nasty  := $(HOSTF) -DINGOT_DEBUG -DRUNQ_SIZE=4 -DINGOT_NASTY
FLAGS_sabotage := $(HOSTF) -DINGOT_SABOTAGE

# Functions of glibc that hosted tasks call through stubs; ASan's build has large stacks instead.
HOST_DEEP := $(shell sed -n 's/^deep //p' tests/host/glibc.list)
COMMA := ,
EMPTY :=
HOST_WRAP_host := $(HOST_DEEP:%=-Wl,--wrap=%)
HOST_WRAP_nasty := $(HOST_WRAP_host)

# Files that run in interrupt context: no SSE, no split stack.
IRQ_SRCS    := rt/irq.c
NET_SRCS    := $(sort $(wildcard rt/net/*.c rt/http/*.c))
RT_SRCS     := $(filter-out $(IRQ_SRCS),$(sort $(wildcard rt/*.c)))
# Run once, seldom, or when all is lost: small before fast.
COLD_SRCS   := $(addprefix rt/,boot.c checkmark.c crt.c date.c digest.c disk.c embed.c env.c errors.c file.c filetable.c freeze.c gc.c gclimit.c gctrack.c heapverify.c leak.c mcentral.c mheap.c mprof.c mstats.c numa.c oom.c inspect.c inspectjson.c console.c log.c panic.c quote.c reach.c scavenge.c schedcheck.c schedtrace.c slot.c stop.c symtab.c taskdump.c tarfs.c timefmt.c traceback.c watchdog.c whyalive.c) \
	$(addprefix rt/http/,client.c debug.c events.c files.c mux.c types.c url.c) $(addprefix rt/net/,addr.c dial.c iface.c netstat.c sntp.c timeouts.c udp.c) $(addprefix kernel/,acpi.c bootmem.c config.c console.c cpu.c devirq.c fatal.c fbcon.c font.c ioapic.c kept.c kvmclock.c main.c numa.c percore.c plat.c power.c print.c smp.c stackmap.c track.c trap.c vm.c walltime.c) boot/pvhinfo.c \
	$(addprefix drivers/,i6300esb.c nvme.c nvme_pci.c pci.c probe.c virtio.c virtio_balloon.c virtio_console.c virtio_mmio.c virtio_pci.c virtio_rng.c)
RT_ASM      := $(sort $(wildcard rt/*.S))
KERNEL_SRCS := $(sort $(wildcard boot/*.c kernel/*.c drivers/*.c))
# What of drivers/ touches no machine is in hosted programs too, for its tests.
HOST_DRIVERS := $(addprefix drivers/,virtio.c virtqueue.c virtio_blk.c virtio_net.c virtio_rng.c nvme.c)
KERNEL_ASM  := $(sort $(wildcard kernel/*.S boot/*.S))
HOST_SRCS   := $(sort $(wildcard tests/host/*.c))
HOST_ASM    := tests/host/glibc.S
UNIT_TESTS  := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/*.c)))

# As many jobs as cores unless -j says otherwise.
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif
MAKEFLAGS += --no-print-directory

# V=1 shows whole commands instead of one short line each.
SAY := $(if $(V),@:,@echo)
QUIET := $(if $(V),,@)

.PHONY: all help run test check soak fuzz image images examples bench counts figures reference check-deps check-stack deps clean gdb
.DELETE_ON_ERROR:
.SECONDARY:
all: $(B)/metal/app/$(notdir $(abspath $(APP))).elf ## build the image of APP

# ---- the machine's packages ------------------------------------------------
# Before anything is built, whatever was asked for: a goal's own rule would run
# beside the compiler under -j.  No work (and no process but sh) when all is there.

GOALS := $(or $(MAKECMDGOALS),all)
ifneq ($(filter-out help clean deps,$(GOALS)),)
ifeq ($(findstring n,$(firstword -$(MAKEFLAGS))),)
# The tests make the reference, and look at the demo's page.
ifneq ($(shell tests/deps.sh $(filter bench,$(GOALS)) $(if $(filter test reference t/reference,$(GOALS)),reference) \
	$(if $(filter test t/demo,$(GOALS)),browser) $(if $(filter test t/gdb,$(GOALS)),gdb) \
	$(if $(filter test fuzz t/fuzz $(B)/fuzz/%,$(GOALS)),fuzz) >&2 && echo ok),ok)
$(error cannot go on without these packages)
endif
endif
endif

deps: ## install what is missing (Debian packages, as root or through sudo)
	@tests/deps.sh bench reference browser gdb fuzz

# ---- flags: a change rebuilds ------------------------------------------------

# $(call stamp,FILE,TEXT[,COMMAND]): when TEXT differs from what FILE holds,
# runs the command and rewrites it.
define stamp
ifneq ($$(strip $$(file <$(1))),$$(strip $(2)))
$$(shell mkdir -p $(dir $(1))$(if $(3),; $(3)))
$$(file >$(1),$$(strip $(2)))
endif
endef
$(foreach v,$(METAL_VARIANTS) $(HOST_VARIANTS),$(eval $(call stamp,$(B)/$(v)/flags,$(CC) $(COMMON) $(WARN) $(SPLIT) $(FLAGS_$(v)))))
FLAGS_STAMP := $(B)/metal/flags

include kernel/libc.mk
-include rt/gen/tools.mk boot/efi/efi.mk

# ---- compiling -----------------------------------------------------------------

# On metal the compiler's own headers and musl's are the only ones.
GCC_INC := $(shell $(CC) -print-file-name=include 2>/dev/null)
SYSINC_metal := -nostdinc -isystem $(GCC_INC) -isystem $(LIBC_INC)
SYSINC_mdebug := $(SYSINC_metal)
SYSINC_mnasty := $(SYSINC_metal)
# Programs see musl's first, as on any system with musl.
APPINC_metal := -nostdinc -isystem $(LIBC_INC) -isystem $(GCC_INC) -Irt
APPINC_mdebug := $(APPINC_metal)
APPINC_mnasty := $(APPINC_metal)
APPINC_host := -Irt
APPINC_asan := -Irt
APPINC_nasty := -Irt
APPINC_sabotage := -Irt
APPINC_fuzz := -Irt
NEED_metal := $(LIBC_HEADERS)
NEED_mdebug := $(LIBC_HEADERS)
NEED_mnasty := $(LIBC_HEADERS)

include rt/net/net.mk

# $(1) variant.  One rule for each kind of source.
define variant
CC_$(1) = $$(SAY) "  CC    $$@"; mkdir -p $$(@D) && $$(CC) $$(COMMON) $$(if $$(filter $$(COLD_SRCS),$$<),-Os) $$(FLAGS_$(1))
$(B)/$(1)/$(IRQ_SRCS:.c=.o): $(IRQ_SRCS) $(B)/$(1)/flags | $(NEED_$(1))
	$$(CC_$(1)) $(WARN) $(SYSINC_$(1)) -mgeneral-regs-only -c -o $$@ $$<
$(B)/$(1)/rt/%.o: rt/%.c $(B)/$(1)/flags | $(NEED_$(1))
	$$(CC_$(1)) $(WARN) $(SYSINC_$(1)) $(SPLIT) -c -o $$@ $$<
$(B)/$(1)/kernel/%.o: kernel/%.c $(B)/$(1)/flags | $(NEED_$(1))
	$$(CC_$(1)) $(WARN) $(SYSINC_$(1)) -mgeneral-regs-only -I. -c -o $$@ $$<
$(B)/$(1)/boot/%.o: boot/%.c $(B)/$(1)/flags | $(NEED_$(1))
	$$(CC_$(1)) $(WARN) $(SYSINC_$(1)) -mgeneral-regs-only -I. -c -o $$@ $$<
$(B)/$(1)/drivers/%.o: drivers/%.c $(B)/$(1)/flags | $(NEED_$(1))
	$$(CC_$(1)) $(WARN) $(SYSINC_$(1)) $(SPLIT) -I. -c -o $$@ $$<
$(B)/$(1)/%.o: %.S $(B)/$(1)/flags
	$$(CC_$(1)) $(WARN) -I. -c -o $$@ $$<
$(B)/$(1)/tests/host/glibc.o: tests/host/glibc.S tests/host/glibc.list $(B)/$(1)/flags
	$$(CC_$(1)) $(WARN) '-DHOST_DEEP=$(subst $(EMPTY) ,$(COMMA),$(HOST_DEEP))' -c -o $$@ $$<
$(B)/$(1)/tests/host/%.o: tests/host/%.c $(B)/$(1)/flags
	$$(CC_$(1)) $(WARN) -Irt -c -o $$@ $$<
$(B)/$(1)/unit/%.o: tests/unit/%.c $(B)/$(1)/flags | $(NEED_$(1))
	$$(CC_$(1)) $(WARN) $(APPINC_$(1)) -I. $(SPLIT) -c -o $$@ $$<
endef
$(foreach v,$(METAL_VARIANTS) $(HOST_VARIANTS),$(eval $(call variant,$(v))))

# ---- linking ---------------------------------------------------------------------

METAL_LIB = $(patsubst %.S,$(B)/$(1)/%.o,$(KERNEL_ASM) $(RT_ASM)) $(patsubst %.c,$(B)/$(1)/%.o,$(KERNEL_SRCS) $(RT_SRCS) $(IRQ_SRCS))
HOST_LIB = $(patsubst %.c,$(B)/$(1)/%.o,$(RT_SRCS) $(IRQ_SRCS) $(HOST_SRCS) $(HOST_DRIVERS)) $(patsubst %.S,$(B)/$(1)/%.o,$(RT_ASM) $(if $(HOST_WRAP_$(1)),$(HOST_ASM)))

# POSTLINK (rt/gen/tools.mk) fills the pointer maps and the symbol table into
# the linked file; when it fails there is no file.
LINK_metal = $(CC) -nostdlib -static -no-pie -Wl,-T,linker.ld,--gc-sections,-z,max-page-size=0x1000,-z,noexecstack,--build-id=none,--no-warn-rwx-segments
LINK_host = $(CC) -no-pie $(SYMTAB_LDFLAGS) -Wl,-z,now
HOST_CHECK = $(if $(HOST_WRAP_$(1)), && tests/host/glibc.sh $$@)
link = $(SAY) "  LINK  $@"; mkdir -p $(@D) && $(1) -o $@ $(filter %.o %.a,$^) $(2) && $(POSTLINK)

define metallink
$(B)/$(1)/unit/%.elf: $(B)/$(1)/unit/%.o $(call METAL_LIB,$(1)) $(B)/$(1)/libnet.a $(LIBC) linker.ld $(TOOLS)
	$$(call link,$$(LINK_metal),-lgcc)
endef
define hostlink
$(B)/$(1)/unit/%: $(B)/$(1)/unit/%.o $(call HOST_LIB,$(1)) $(B)/$(1)/libnet.a $(TOOLS)
	$$(call link,$$(LINK_host) $$(FLAGS_$(1)) $$(HOST_WRAP_$(1)),-lpthread -lm)$(call HOST_CHECK,$(1))
endef
$(foreach v,$(METAL_VARIANTS),$(eval $(call metallink,$(v))))
$(foreach v,$(HOST_VARIANTS),$(eval $(call hostlink,$(v))))

# ---- applications --------------------------------------------------------------

# The files of folder $(1) that go into its image, for embed_fs().
embedded = $(if $(wildcard $(1)/embed/.),$(shell find $(1)/embed -type f | LC_ALL=C sort | sed 's/ /\\ /g'))
define embed
$(B)/$(1)/app/$(3)/embed.files.o: rt/gen/mkembed.sh $(call embedded,$(2)) $(B)/$(1)/app/$(3)/flags
	$$(SAY) "  EMBED $$@"; rt/gen/mkembed.sh $(2)/embed >$$(@:.o=.s) && $$(CC) -c -o $$@ $$(@:.o=.s)
endef
# $(1) variant, $(2) folder, $(3) its name: the objects of an application.
app_objs = $(patsubst $(2)/%.c,$(B)/$(1)/app/$(3)/%.o,$(sort $(wildcard $(2)/*.c))) \
	$(if $(wildcard $(2)/embed/.),$(B)/$(1)/app/$(3)/embed.files.o)

# $(1) variant, $(2) folder, $(3) its name.  Every *.c in it is compiled.  The
# stamp holds folder, sources and files to embed: another folder of the same name, or a source
# that went away, is built anew, and what the old ones depended on is forgotten.
# Warnings are errors for programs of this tree.
define app
$(eval $(call stamp,$(B)/$(1)/app/$(3)/flags,$(abspath $(2)) $(sort $(wildcard $(2)/*.c)) $(call embedded,$(2)),rm -f $(B)/$(1)/app/$(3)/*.d))
$(B)/$(1)/app/$(3)/%.o: $(2)/%.c $(B)/$(1)/flags $(B)/$(1)/app/$(3)/flags | $(NEED_$(1))
	$$(CC_$(1)) $(if $(filter $(CURDIR)/%,$(abspath $(2))),$(WARN),$(filter-out -Werror,$(WARN))) $(APPINC_$(1)) $(SPLIT) -c -o $$@ $$<
$(if $(wildcard $(2)/embed/.),$(call embed,$(1),$(2),$(3)))
endef
define app_metal
$(call app,$(1),$(2),$(3))
$(B)/$(1)/app/$(3).elf: $(call app_objs,$(1),$(2),$(3)) $(call METAL_LIB,$(1)) $(B)/$(1)/libnet.a $(LIBC) linker.ld $(TOOLS)
	$$(call link,$$(LINK_metal),-lgcc)
endef
define app_host
$(call app,$(1),$(2),$(3))
$(B)/$(1)/app/$(3)/$(3): $(call app_objs,$(1),$(2),$(3)) $(call HOST_LIB,$(1)) $(B)/$(1)/libnet.a $(TOOLS)
	$$(call link,$$(LINK_host) $$(FLAGS_$(1)) $$(HOST_WRAP_$(1)),-lpthread -lm)$(call HOST_CHECK,$(1))
endef

# All of apps/, the guests of the system tests, the benchmarks, and APP wherever it lies.
# APP=hello is apps/hello where there is no folder hello.
APP_DIR := $(patsubst %/,%,$(if $(wildcard $(APP)/.),$(APP),$(or $(wildcard apps/$(APP)),$(APP))))
APP_NAME := $(notdir $(abspath $(APP_DIR)))
ifneq ($(filter run all image gdb check-stack,$(GOALS)),)
ifeq ($(wildcard $(APP_DIR)/.),)
$(error APP=$(APP): there is no such folder)
endif
ifeq ($(wildcard $(APP_DIR)/*.c),)
$(error APP=$(APP): there is no C source (*.c) in that folder)
endif
endif
ifneq ($(FILE),)
ifeq ($(wildcard $(FILE)),)
$(error FILE=$(FILE): there is no such file)
endif
endif
APPS := $(sort $(patsubst %/,%,$(dir $(wildcard apps/*/*.c tests/system/guest/*/*.c tests/bench/*.c))))
APP_DIRS := $(filter-out $(if $(filter-out $(APPS),$(APP_DIR)),%/$(APP_NAME)),$(APPS)) $(filter-out $(APPS),$(APP_DIR))
$(foreach d,$(APP_DIRS),$(foreach v,$(METAL_VARIANTS),$(eval $(call app_metal,$(v),$(d),$(notdir $(abspath $(d)))))))
$(foreach d,$(APP_DIRS),$(foreach v,$(HOST_VARIANTS),$(eval $(call app_host,$(v),$(d),$(notdir $(abspath $(d)))))))

# The examples, as images and hosted; each in all variants when it is APP.
EXAMPLES := $(patsubst %/main.c,%,$(sort $(wildcard apps/examples/*/main.c)))
$(foreach d,$(filter-out %/$(APP_NAME),$(EXAMPLES)),$(eval $(call app_metal,metal,$(d),$(notdir $(d))))$(eval \
	$(call app_host,host,$(d),$(notdir $(d)))))
examples: $(foreach d,$(notdir $(EXAMPLES)),$(B)/metal/app/$(d).elf $(B)/host/app/$(d)/$(d)) ## all of apps/examples, as images and as Linux processes

# The image without debug data: what sizes are measured of.
%.stripped: %.elf
	$(SAY) "  STRIP $@"; strip --strip-all -o $@ $<

include tests/fuzz/fuzz.mk

# ---- running ----------------------------------------------------------------------

# The word counter needs a text; every Debian system has this one.
ifeq ($(APP)$(FILE),apps/wordcount)
FILE := $(firstword $(wildcard /usr/share/common-licenses/GPL-3) README.md)
endif
SETTINGS := GOMAXPROCS GOGC GOMEMLIMIT GODEBUG NET PANIC
export APP SMP MEM MACHINE CPU ARGS FILE CONFIG GDB PORTS $(SETTINGS)

# The demo's page gets a port of this machine's by itself: 8080, or the next that is free.
ifeq ($(APP_DIR)$(PORTS),apps/demo)
FORWARD = port=$$(tests/freeport.py 8080) && echo "booting $(APP_DIR) on $(SMP) cores; its page will be http://localhost:$$port/" && \
	PORTS="$$port:80" ARGS="$${ARGS:-http://localhost:$$port/}"
endif
run: $(if $(filter uefi,$(MACHINE)),image,$(B)/metal/app/$(APP_NAME).elf) ## boot APP in QEMU; its exit status is make's
	@$(FORWARD) tests/qemu.sh $(if $(filter uefi,$(MACHINE)),$(B)/$(APP_NAME).img,$<)
image: $(B)/metal/app/$(APP_NAME).elf $(B)/efi/BOOTX64.EFI ## a disk image of APP, FILE and ARGS for UEFI machines and USB sticks
	@boot/mkimage.sh $< $(B)/$(APP_NAME).img -c "$$(tests/qemu.sh --line)" $(if $(CONFIG),-s "$(CONFIG)") $(if $(FILE),-m "$(FILE)")
images: $(foreach d,$(APPS),$(B)/metal/app/$(notdir $(d)).elf) $(B)/mnasty/app/soak.elf $(B)/efi/BOOTX64.EFI $(TOOLS)
gdb: ## how to debug a running image
	@echo "make run GDB=1 ...      starts QEMU and waits for gdb, then in another terminal (gdb: ingot help):"
	@echo "gdb $(B)/metal/app/$(APP_NAME).elf -x kernel/gdb.py -ex 'target remote :1234' -ex 'hbreak ingot_main' -ex continue"

# ---- testing ------------------------------------------------------------------------

test: ## all tests: hosted, booted under QEMU, whole images driven from outside
	+@tests/run full
check: ## the quick ring, under two minutes
	+@tests/run check
t/%: ## one test in all its rings, and how to repeat it (ON=host|asan|nasty|boot1|boot2|boot4 narrows)
	+@tests/run one $*
# On metal in nasty mode; ON=host: as a Linux process.  ARGS: words of its own, as from=ROUND.
# With APP=httpd or APP=cache: that server, under real clients, some of which break off.
MINUTES ?= 30
SOAK_SERVER := $(filter httpd cache,$(APP_NAME))
soak: $(if $(SOAK_SERVER),$(B)/metal/app/$(SOAK_SERVER).elf,$(if $(filter host,$(ON)),$(B)/nasty/app/soak/soak,$(B)/mnasty/app/soak.elf)) ## random mixes of everything tasks do, nothing lost (MINUTES=30 SEED=n SMP=4 ON=host); with APP=httpd or cache that server
ifneq ($(SOAK_SERVER),)
	@tests/system/serversoak.py $(SOAK_SERVER) $(MINUTES) '$(SEED)'
else
	@SMP=$(if $(filter file,$(origin SMP)),4,$(SMP)) tests/system/soak.py $(MINUTES) '$(SEED)' $(filter host,$(ON))
endif
# One target or all of them, by libFuzzer: tests/fuzz/README.md.
fuzz: $(B)/fuzz/fuzz/fuzz ## fuzz parsers and drivers, a minute each (TARGET=tar SECONDS=n RUNS=n SEED=n FILE=input)
	@tests/system/fuzz.py $(or $(TARGET),all) $(or $(FILE),$(SECONDS:%=seconds=%) $(RUNS:%=runs=%) $(SEED:%=seed=%))
# The peers lie beside the tree; without them there are only our own figures.
PEERS ?= ../shared/peers/go
bench: $(B)/host/app/bench/bench ## our hosted benchmarks beside Go's, in one run (NAMES='yield spawn' for some)
	@[ ! -d "$(PEERS)" ] || (cd "$(PEERS)" && CGO_ENABLED=0 GOTOOLCHAIN=local GOCACHE="$(CURDIR)/$(B)/go-cache" go build -o "$(CURDIR)/$(B)/peers" .)
	@[ -d "$(PEERS)" ] || echo "no Go sources at PEERS=$(PEERS): only our own figures"
	@tests/bench/compare.py $< "$(if $(wildcard $(PEERS)),$(B)/peers)" $(NAMES)
counts: $(B)/metal/app/bench.elf ## executed instructions per operation, exact (UPDATE=1 writes the committed table)
	@tests/system/counts.py $(if $(UPDATE),--update,--print)
figures: $(addprefix $(B)/metal/app/,hello.stripped httpd.stripped hello.elf ends.elf idle.elf wordcount.elf) ## README's figures that need a clock and an idle machine
	@tests/bench/figures.py

reference: ## the reference of ingot.h from its comments: build/reference/index.html
	$(SAY) "  DOC   $(B)/reference/index.html"; rm -rf $(B)/reference && mkdir -p $(B) && \
	doxygen rt/gen/Doxyfile && rt/gen/reference.py --finish $(B)/reference

check-deps: ## fail on an include that points the wrong way
	@tests/check-deps.py
check-stack: $(B)/metal/app/$(APP_NAME).elf ## bound the stack that unchecked code of APP's image takes (rule S2)
	@tests/check-stack.py $<

clean: ## remove everything that was built (not the fetched sources)
	rm -rf $(filter-out $(B)/src,$(wildcard $(B)/*))

help: ## this list
	@awk -F ' ## ' '/^[a-zN%\/-]+:.* ## / { sub(/:.*/, "", $$1); sub(/%/, "NAME", $$1); printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST) | sort
	@echo "Settings: APP=folder FILE=path ARGS='words for main' CONFIG=path SMP=cores MEM=size CPU=model"
	@echo "          MACHINE=q35|microvm|uefi DISK=virtio|ahci|nvme|usb PORTS=8080:80 GDB=1 V=1"
	@echo "          the runtime's: GOMAXPROCS GOGC GOMEMLIMIT GODEBUG NET PANIC=halt|reboot[:SECONDS]|exit"
	@echo "Example:  make run APP=apps/wordcount FILE=/etc/services SMP=4 GODEBUG=gctrace=1"

# ---- generated dependencies -----------------------------------------------------
-include $(wildcard $(addprefix $(B)/,$(foreach v,$(METAL_VARIANTS) $(HOST_VARIANTS),$(v)/rt/*.d $(v)/rt/net/*.d $(v)/rt/http/*.d $(v)/llhttp/*.d $(v)/lwip/*/*.d $(v)/lwip/*/*/*.d $(v)/kernel/*.d $(v)/boot/*.d $(v)/drivers/*.d $(v)/unit/*.d $(v)/tests/host/*.d $(v)/app/*/*.d $(v)/fuzz/*.d) libc/ingot/*.d))
