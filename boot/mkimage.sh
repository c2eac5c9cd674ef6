#!/bin/sh
# mkimage.sh: makes a bootable UEFI disk image: a GPT disk with one EFI system
# partition (FAT32) that holds the loader, a kernel, its command line, boot
# modules, and EFI/INGOT/CONFIG.TXT, SETTINGS or a form for who has the stick
# (kernel/config.c).  The file is what one writes to a USB stick.
#
#   boot/mkimage.sh KERNEL.elf OUT.img [-c "command line"] [-s SETTINGS] [-m FILE]...
#
# The loader is BOOTX64.EFI from $EFI_LOADER, else build/efi/BOOTX64.EFI.
# The limits are those of boot/boot_info.h (8 modules, names of 63 bytes, a
# command line of 4095 bytes) and of FAT.
#
# Needs no root and no loop device: sgdisk writes the tables into the file,
# mkfs.vfat and mtools work at the partition's offset.  The same input gives the
# same bytes: fixed GUIDs, volume id and times, nothing of the host's.
# The output is written beside its place and renamed, so OUT.img is whole or
# as it was before.
set -eu
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C.UTF-8 TZ=UTC MTOOLS_SKIP_CHECK=1 SOURCE_DATE_EPOCH=1700000000
unset MTOOLSRC MTOOLS_FAT_COMPATIBILITY MTOOLS_LOWER_CASE || true

MAX_MODULES=8 MAX_NAME=63 MAX_CMDLINE=4095 MAX_CONFIG=4095
MIB=1048576
PART_START=2048		# sectors of 512 bytes: 1 MiB, aligned for any medium
# FAT32 wants 65525 clusters at least; with one sector each that is 33 MiB.
MIN_PART_MIB=34
DISK_GUID=16D6F7A4-1A2B-4C3D-8E4F-494E474F5431
PART_GUID=16D6F7A4-1A2B-4C3D-8E4F-494E474F5432
VOLUME_ID=494E4754

fail() { echo "mkimage: $*" >&2; exit 1; }
usage() { echo 'usage: mkimage.sh KERNEL.elf OUT.img [-c "command line"] [-s SETTINGS] [-m FILE]...' >&2; exit 2; }

[ $# -ge 2 ] || usage
kernel=$1 out=$2
shift 2
loader=${EFI_LOADER:-build/efi/BOOTX64.EFI}
for tool in sgdisk mkfs.vfat mmd mcopy mdir strip truncate; do
	command -v $tool >/dev/null || fail "$tool is missing; apt install gdisk dosfstools mtools binutils"
done
[ -f "$kernel" ] || fail "kernel $kernel: no such file"
[ -f "$loader" ] || fail "loader $loader: no such file"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp" "$out.part"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$tmp/modules"
: >"$tmp/order"
cmdline= nmodules=0 settings=
while getopts c:s:m: opt; do
	case $opt in
	c) cmdline=$OPTARG ;;
	s)	settings=$OPTARG
		[ -f "$settings" ] || fail "settings $settings: no such file"
		[ "$(stat -L -c %s -- "$settings")" -le $MAX_CONFIG ] || fail "settings $settings: longer than $MAX_CONFIG bytes" ;;
	m)	name=${OPTARG##*/}
		[ -f "$OPTARG" ] || fail "module $OPTARG: no such file"
		[ "$(printf %s "$name" | wc -c)" -le $MAX_NAME ] ||
			fail "module $name: name longer than $MAX_NAME bytes"
		case $name in
		*[\\:*?\"\<\>\|]* | *[[:cntrl:]]* | *. | *" ") fail "module $name: FAT cannot hold this name" ;;
		esac
		# FAT's names do not differ in case alone.
		! grep -qixF -e "$name" "$tmp/order" || fail "module $name: a second one of this name"
		nmodules=$((nmodules + 1))
		[ $nmodules -le $MAX_MODULES ] || fail "module $name: more than $MAX_MODULES modules"
		# A link: mcopy reads through it, and its size is asked for below.
		ln -s "$(realpath -- "$OPTARG")" "$tmp/modules/$name"
		printf '%s\n' "$name" >>"$tmp/order" ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -eq 0 ] || usage
[ "$(printf %s "$cmdline" | wc -c)" -le $MAX_CMDLINE ] ||
	fail "the command line is longer than $MAX_CMDLINE bytes"

strip -o "$tmp/KERNEL.ELF" "$kernel" || fail "$kernel cannot be stripped; is it an ELF file?"
printf '%s\n' "$cmdline" >"$tmp/CMDLINE.TXT"
sed 's/$/\r/' >"$tmp/CONFIG.TXT" <<END
# Settings for this image, below those that it was made with (CMDLINE.TXT).
# Take the # away from what you need.
#NET=192.168.1.10/24,gateway=192.168.1.1,dns=192.168.1.1
#GOGC=100
#panic=reboot
#-- arguments of main
END

# Content in MiB, rounded up file by file, and 2 % for clusters and tables.
mib=2
for f in "$loader" "$tmp/KERNEL.ELF" "$tmp"/modules/*; do
	[ -e "$f" ] || continue
	size=$(stat -L -c %s -- "$f")
	[ "$size" -lt 4294967295 ] || fail "${f##*/}: FAT holds no file of 4 GiB or more"
	mib=$((mib + (size + MIB - 1) / MIB))
done
mib=$((mib + mib / 50))
[ $mib -ge $MIN_PART_MIB ] || mib=$MIN_PART_MIB

# 1 MiB before the partition, 1 MiB behind it for the second partition table.
rm -f "$out.part"
truncate -s $(((mib + 2) * MIB)) "$out.part"
sgdisk --clear --set-alignment=2048 --disk-guid=$DISK_GUID \
	--new=1:$PART_START:$((PART_START + mib * 2048 - 1)) --typecode=1:ef00 \
	--partition-guid=1:$PART_GUID --change-name=1:INGOT "$out.part" >"$tmp/log" 2>&1 ||
	{ cat "$tmp/log" >&2; fail "sgdisk failed"; }
mkfs.vfat --invariant --offset=$PART_START -h $PART_START -F 32 -i $VOLUME_ID -n INGOT \
	"$out.part" $((mib * 1024)) >"$tmp/log" 2>&1 ||
	{ cat "$tmp/log" >&2; fail "mkfs.vfat failed"; }

fs=$out.part@@1M
put() { # put SOURCE TARGET: as a plain file with a fixed time
	mcopy -D s -i "$fs" "$1" "::$2" </dev/null || fail "$2 does not go into the image"
}
mmd -i "$fs" ::/EFI ::/EFI/BOOT ::/EFI/INGOT ::/EFI/INGOT/MODULES
put "$loader" /EFI/BOOT/BOOTX64.EFI
put "$tmp/KERNEL.ELF" /EFI/INGOT/KERNEL.ELF
[ -z "$cmdline" ] || put "$tmp/CMDLINE.TXT" /EFI/INGOT/CMDLINE.TXT
put "${settings:-$tmp/CONFIG.TXT}" /EFI/INGOT/CONFIG.TXT
while IFS= read -r name; do
	put "$tmp/modules/$name" "/EFI/INGOT/MODULES/$name"
done <"$tmp/order"
[ "$(mdir -b -i "$fs" ::/EFI/INGOT/MODULES | wc -l)" -eq $nmodules ] || fail "not all modules went into the image"
mv "$out.part" "$out"
echo "$out: $((mib + 2)) MiB; to write it to a USB stick: dd if=$out of=/dev/sdX bs=4M" >&2
