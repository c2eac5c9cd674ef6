#!/bin/sh
# Boots an image in QEMU with its serial port on the terminal, and ends with
# the image's own exit status.
#
#   qemu.sh IMAGE.elf|DISK.img [more QEMU options]
#   qemu.sh --line      only prints the boot command line of these settings
#
# Settings come from the environment:
#   SMP MEM CPU     cores, memory, CPU model (2, 256M, max)
#   MACHINE         q35 or microvm; a disk image boots by UEFI, always on q35
#   DISK            what a disk image is attached to: virtio ahci nvme usb
#   FILE            handed over as a boot module
#   ARGS            words for main, after "--"
#   PORTS           a network, and TCP ports of this machine for the guest's:
#                   "8080:80 2222:22" (127.0.0.1 only)
#   NET             the guest's address, if not by DHCP (rt/net/iface.c)
#   GOMAXPROCS GOGC GOMEMLIMIT GODEBUG PANIC    the runtime's settings
#   CONFIG          a file of settings (kernel/config.c); a disk image has its own
#   BOOT            further words of the boot command line, before "--"
#   GDB=1           wait for gdb on port 1234
#   TIMEOUT         kill QEMU after so many seconds and end with status 124
#   ACCEL           QEMU's accelerator (tcg,thread=multi)
#
# A bad file, command line or QEMU itself gives status 125.
set -u
image=$1
shift
[ "$image" = --line ] || [ -e "$image" ] || { echo "qemu.sh: $image: there is no such image" >&2; exit 125; }
: "${SMP:=2}" "${MEM:=256M}" "${CPU:=max}" "${MACHINE:=q35}" "${DISK:=virtio}" "${ACCEL:=tcg,thread=multi}"

line=${BOOT:-}
for name in GOMAXPROCS GOGC GOMEMLIMIT GODEBUG NET; do
	eval "value=\${$name:-}"
	[ -z "$value" ] || line="$line $name=$value"
done
[ -z "${PANIC:-}" ] || line="$line panic=$PANIC"
if [ -n "${FILE:-}" ]; then
	[ -r "$FILE" ] && [ -f "$FILE" ] || { echo "FILE=$FILE: there is no such file, or it cannot be read" >&2; exit 125; }
	# QEMU passes on neither the name of a module nor an empty one.
	case $image in
	*.elf) line="$line module=$(basename "$FILE" | tr ' \t' '__')" ;;
	esac
fi
[ -z "${ARGS:-}" ] || line="$line -- $ARGS"
line=${line# }
[ "$image" != --line ] || { echo "$line"; exit 0; }

case $MACHINE in
q35 | uefi) set -- -machine q35 "$@" ;;
microvm) set -- -machine microvm -global virtio-mmio.force-legacy=false "$@" ;;
*) echo "MACHINE=$MACHINE: q35, microvm and uefi are known" >&2; exit 125 ;;
esac
case $image in
*.img)
	case $DISK in
	virtio) dev="-device virtio-blk-pci,drive=boot" ;;
	ahci) dev="-device ich9-ahci,id=ahci -device ide-hd,bus=ahci.0,drive=boot" ;;
	nvme) dev="-device nvme,serial=ingot,drive=boot" ;;
	usb) dev="-device qemu-xhci -device usb-storage,drive=boot" ;;
	*) echo "DISK=$DISK: virtio, ahci, nvme and usb are known" >&2; exit 125 ;;
	esac
	# $dev is meant to split into words.
	set -- -drive if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE.fd \
		-drive if=pflash,format=raw,snapshot=on,file=/usr/share/OVMF/OVMF_VARS.fd \
		-drive if=none,id=boot,format=raw,snapshot=on,file="$image" $dev "$@"
	;;
*)
	set -- -kernel "$image" -append "$line" "$@"
	if [ -n "${CONFIG:-}" ]; then
		[ -f "$CONFIG" ] || { echo "CONFIG=$CONFIG: there is no such file" >&2; exit 125; }
		set -- -fw_cfg "name=opt/ingot/config,file=$CONFIG" "$@"
	fi
	[ -z "${FILE:-}" ] || ! [ -s "$FILE" ] || set -- -initrd "$FILE" "$@"
	;;
esac
if [ -n "${PORTS:-}" ]; then
	forward=
	for p in $PORTS; do
		case $p in
		*[!0-9:]* | *:*:* | :* | *:) echo "PORTS=$PORTS: want HOST:GUEST ..." >&2; exit 125 ;;
		*:*) forward="$forward,hostfwd=tcp:127.0.0.1:${p%:*}-:${p#*:}" ;;
		*) echo "PORTS=$PORTS: want HOST:GUEST ..." >&2; exit 125 ;;
		esac
	done
	nic=virtio-net-pci
	[ "$MACHINE" != microvm ] || nic=virtio-net-device
	set -- -netdev "user,id=net$forward" -device "$nic,netdev=net" "$@"
fi
if [ "${GDB:-}" = 1 ]; then
	echo "waiting for gdb; in another terminal: gdb $image -ex 'target remote :1234' -ex 'hbreak ingot_main' -ex continue" >&2
	set -- -s -S "$@"
fi

[ -z "${TIMEOUT:-}" ] || limit="timeout --foreground $TIMEOUT"
${limit:-} qemu-system-x86_64 -accel "$ACCEL" -cpu "$CPU" -smp "$SMP" -m "$MEM" -nodefaults -no-user-config \
	-display none -serial stdio -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=4 "$@"
rc=$?
# Power-off is 0; the debug port gives 2 * status + 1; 1 is QEMU's own failure.
case $rc in
0) exit 0 ;;
124) echo "qemu.sh: still running after $TIMEOUT s: killed" >&2; exit 124 ;;
1) exit 125 ;;
esac
[ $((rc % 2)) = 1 ] && exit $(((rc - 1) / 2))
exit 125
