#!/bin/sh
# Checks that generated files in the tree are what their generators print.
cd "$(dirname "$0")/.." || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
bad=0

# current GENERATOR.c FILE
current() {
	if gcc -O1 -Wall -Wextra -Werror -o "$tmp/gen" "$1" -lm && "$tmp/gen" >"$tmp/out" && diff -u "$2" "$tmp/out"; then
		echo "ok tables $2"
	else
		echo "FAIL tables $2 differs from what $1 prints"
		bad=1
	fi
}
current rt/gen/mksizeclasses.c rt/sizeclasses.h
current rt/gen/mkziggurat.c rt/ziggurat.h
if rt/gen/mkunicode.py >"$tmp/out" && diff -u rt/unicode_tables.h "$tmp/out"; then
	echo "ok tables rt/unicode_tables.h"
else
	echo "FAIL tables rt/unicode_tables.h differs from what rt/gen/mkunicode.py prints"
	bad=1
fi
exit $bad
