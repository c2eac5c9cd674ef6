# efi.mk: the UEFI loader, build/efi/BOOTX64.EFI, from boot/efi/*.c and GNU-EFI.
# Included by the Makefile; boot/mkimage.sh puts the result on a disk image.

EFI_B    := $(B)/efi
EFI_OBJS := $(patsubst boot/efi/%.c,$(EFI_B)/%.o,$(sort $(wildcard boot/efi/*.c)))

# The loader uses the mem* functions that the compiler calls; gnu-efi's library
# has them.  Wide characters are UTF-16, as the firmware's are.
EFI_CFLAGS := $(COMMON) $(WARN) -I. -I/usr/include/efi -I/usr/include/efi/x86_64 -DGNU_EFI_USE_MS_ABI \
	-ffreestanding -fpic -fshort-wchar -mno-red-zone -maccumulate-outgoing-args -fno-stack-protector
EFI_LDFLAGS := -nostdlib -znocombreloc -shared -Bsymbolic -T /usr/lib/elf_x86_64_efi.lds
EFI_SECTIONS := .text .sdata .data .dynamic .dynsym .rel .rela .reloc

$(eval $(call stamp,$(EFI_B)/flags,$(CC) $(EFI_CFLAGS) $(EFI_LDFLAGS) $(EFI_OBJS)))

$(EFI_B)/%.o: boot/efi/%.c $(EFI_B)/flags
	$(SAY) "  CC    $@"; $(CC) $(EFI_CFLAGS) -c -o $@ $<

# A shared object with a name left open would be loaded by no firmware.
$(EFI_B)/loader.so: $(EFI_OBJS) $(EFI_B)/flags
	$(SAY) "  LINK  $@"; ld $(EFI_LDFLAGS) /usr/lib/crt0-efi-x86_64.o $(EFI_OBJS) -o $@ -L/usr/lib -lefi -lgnuefi
	$(QUIET)! nm -u $@ | grep . || { rm -f $@; exit 1; }

$(EFI_B)/BOOTX64.EFI: $(EFI_B)/loader.so
	$(QUIET)objcopy $(addprefix -j ,$(EFI_SECTIONS)) --target=efi-app-x86_64 --subsystem=10 $< $@

-include $(wildcard $(EFI_B)/*.d)
