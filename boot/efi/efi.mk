# efi.mk: the UEFI loader and bootable disk images.  Included by the Makefile.
#
#   build/efi/BOOTX64.EFI    the loader (boot/efi/*.c with GNU-EFI)
#   build/NAME.img           GPT disk with the loader, NAME's kernel, CMDLINE and FILE

EFI_B    := $(B)/efi
EFI_SRCS := $(sort $(wildcard boot/efi/*.c))
EFI_OBJS := $(patsubst boot/efi/%.c,$(EFI_B)/%.o,$(EFI_SRCS))

# The loader uses the mem* functions that the compiler calls; gnu-efi's library
# has them.  Wide characters are UTF-16, as the firmware's are.
EFI_CFLAGS := -std=gnu17 -g -O2 $(WARN) -I. -I/usr/include/efi -I/usr/include/efi/x86_64 \
	-DGNU_EFI_USE_MS_ABI -ffreestanding -fpic -fshort-wchar -mno-red-zone -maccumulate-outgoing-args \
	-fno-stack-protector -fno-strict-aliasing -fcf-protection=none -MMD -MP
EFI_LDFLAGS := -nostdlib -znocombreloc -shared -Bsymbolic -T /usr/lib/elf_x86_64_efi.lds

$(EFI_B)/%.o: boot/efi/%.c boot/efi/efi.mk Makefile
	@mkdir -p $(@D)
	$(CC) $(EFI_CFLAGS) -c -o $@ $<

$(EFI_B)/loader.so: $(EFI_OBJS)
	ld $(EFI_LDFLAGS) /usr/lib/crt0-efi-x86_64.o $^ -o $@ -L/usr/lib -lefi -lgnuefi
	@test -z "$$(nm -u $@)" || { nm -u $@; rm -f $@; exit 1; }

$(EFI_B)/BOOTX64.EFI: $(EFI_B)/loader.so
	objcopy -j .text -j .sdata -j .data -j .dynamic -j .dynsym -j .rel -j .rela -j .reloc \
		--target=efi-app-x86_64 --subsystem=10 $< $@
