#!/bin/sh
# Installs the Debian packages that building and testing need, if any is missing.
#
#   deps.sh [bench] [reference] [browser] [gdb] [fuzz]
#                       also what the comparison with Go needs; what makes the
#                       reference of ingot.h; what looks at the demo's page (100 MB,
#                       half a minute); gdb, for the test of kernel/gdb.py;
#                       libFuzzer
#
# Says in one line what it installs and why.  When all was there at the last
# look, and neither this file nor dpkg's records changed since, it starts no
# further process.
set -u
cd "$(dirname "$0")/.." || exit 1
stamp=build/deps
for group; do
	stamp=$stamp-$group
done
if [ -e "$stamp" ] && [ "$stamp" -nt tests/deps.sh ] && ! [ /var/lib/dpkg/status -nt "$stamp" ]; then
	exit 0
fi

want="gcc:compiler binutils:linker libc6-dev:hosted_tests make:build python3:test_drivers g++:a_test_of_the_pointer_maps
qemu-system-x86:runs_the_image ovmf:UEFI_firmware_for_QEMU gnu-efi:UEFI_loader
mtools:disk_image dosfstools:disk_image gdisk:disk_image
curl:asks_the_web_server redis-tools:asks_the_cache wrk:loads_the_web_server
spin:checks_the_scheduler's_models libdw-dev:pointer_maps_from_debug_data pkg-config:finds_libdw
dpkg-dev:unpacks_musl's_source xz-utils:unpacks_musl's_source ca-certificates:fetches_musl's_source"
for group; do
	case $group in
	bench) want="$want golang-go:peer_of_the_benchmarks golang-golang-x-sync-dev:peer_of_an_example" ;;
	fuzz) want="$want libclang-rt-dev:libFuzzer" ;;
	gdb) want="$want gdb:the_test_of_its_script" ;;
	browser) want="$want chromium-headless-shell:looks_at_the_demo's_page fonts-dejavu-core:letters_on_it" ;;
	reference) want="$want doxygen:the_header's_reference" ;;
	esac
done

missing= why=
for w in $want; do
	p=${w%%:*}
	case $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null) in
	installed) ;;
	*)
		missing="$missing $p"
		why="$why, $p ($(echo "${w#*:}" | tr _ ' '))"
		;;
	esac
done

if [ -n "$missing" ]; then
	if ! command -v apt-get >/dev/null; then
		echo "deps: missing:${why#,}; this machine has no apt-get, please install them by hand" >&2
		exit 1
	fi
	root=
	if [ "$(id -u)" != 0 ]; then
		if ! command -v sudo >/dev/null; then
			echo "deps: missing:${why#,}; as root, please run: apt-get update && apt-get install$missing" >&2
			exit 1
		fi
		root=sudo
	fi
	echo "deps: installing${why#,}"
	mkdir -p build
	install() {
		$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >build/deps.log 2>&1
	}
	# The package lists may be missing or stale: then fetch them and try again.
	if ! install; then
		$root apt-get update -q >build/deps.log 2>&1
		if ! install; then
			cat build/deps.log >&2
			echo "deps: that failed, for the reason above; as root, please run: apt-get update && apt-get install$missing" >&2
			exit 1
		fi
	fi
fi
mkdir -p build && : >"$stamp"
