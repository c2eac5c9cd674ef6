#!/bin/sh
# bootmem.sh: the memory map's rules (kernel/bootmem.c), run as a Linux program
# under ASan and UBSan.
#
#   tests/system/bootmem.sh [SEED]
cd "$(dirname "$0")/../.." || exit 2
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
${CC:-gcc} -std=gnu17 -g -O1 -Wall -Wextra -fsanitize=address,undefined -fno-sanitize-recover -I. \
	-o "$tmp/t" tests/system/bootmem_test.c kernel/bootmem.c && "$tmp/t" "$@"
