# fuzz.mk: the fuzz targets, build/fuzz/fuzz; included by the Makefile.
#
# The variant is asan with gcc's coverage calls, and only for what is fuzzed: the
# runtime's other objects are those of build/asan.  libFuzzer is Debian's, of the
# package that tests/deps.sh fuzz installs.

FUZZ_RT := $(addprefix rt/,atof.c bufio.c bufioscan.c bytes.c date.c encoding.c file.c filetable.c format.c ftoa.c quote.c strconv.c strings.c \
	stringsfunc.c tarfs.c timefmt.c unicode.c utf8.c)
FUZZ_TARGETS := $(sort $(wildcard tests/fuzz/*.c))
FUZZ_LIB = $(lastword $(sort $(wildcard /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer_no_main-x86_64.a)))
FUZZ_COVERED := $(patsubst %.c,$(B)/fuzz/%.o,$(FUZZ_RT) $(HOST_DRIVERS) kernel/bootmem.c kernel/numa.c drivers/e1000e.c)
FUZZ_WRAP := _exit __sanitizer_cov_trace_pc dma_alloc io_log blkdev_add netdev_add entropydev_add
FUZZ_CACHE := $(patsubst apps/cache/%.c,$(B)/fuzz/app/cache/%.o,$(filter-out %/main.c,$(wildcard apps/cache/*.c)))
FUZZ_OBJS = $(FUZZ_CACHE) $(patsubst tests/%.c,$(B)/fuzz/%.o,$(FUZZ_TARGETS)) $(FUZZ_COVERED) \
	$(filter-out $(FUZZ_COVERED:$(B)/fuzz/%=$(B)/asan/%),$(call HOST_LIB,asan))

$(B)/fuzz/fuzz/%.o: tests/fuzz/%.c $(B)/fuzz/flags | $(NET_READY)
	$(CC_fuzz) $(WARN) -Irt -I. $(NET_INC) $(if $(filter engine,$*),-fno-sanitize=all -fno-sanitize-coverage=trace-pc$(COMMA)trace-cmp) $(SPLIT) -c -o $@ $<
$(B)/fuzz/fuzz/fuzz: $(FUZZ_OBJS) $(B)/fuzz/libnet.a $(TOOLS)
	$(call link,$(LINK_host) $(FLAGS_fuzz) $(FUZZ_WRAP:%=-Wl$(COMMA)--wrap=%),$(FUZZ_LIB) -lstdc++ -lpthread -lm)
