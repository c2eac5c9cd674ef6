#!/bin/sh
# acpi.sh: the firmware tables' reader (kernel/acpi.c), run as a Linux program
# under ASan and UBSan: a good machine, then damaged ones.
#
#   tests/system/acpi.sh [SEED [ROUNDS]]
cd "$(dirname "$0")/../.." || exit 2
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
${CC:-gcc} -std=gnu17 -g -O1 -Wall -Wextra -fsanitize=address,undefined -fno-sanitize-recover -I. \
	-o "$tmp/t" tests/system/acpi_test.c && "$tmp/t" "$@"
