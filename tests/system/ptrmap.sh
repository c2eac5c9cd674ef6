#!/bin/sh
# ptrmap.sh: the pointer maps that build/tools/ptrmap writes, for many shapes of
# types and every way we may compile; and that it refuses what it must.
#
#   tests/system/ptrmap.sh [TOOL]       default build/tools/ptrmap
#
# Prints one line per case and ends with status 1 if one failed.
cd "$(dirname "$0")/../.." || exit 2
tool=${1:-build/tools/ptrmap}
src=tests/system/ptrmap_shapes.c
CC=${CC:-gcc}
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
bad=0

ok() { echo "ok ptrmap: $1"; }
fail() { echo "FAIL ptrmap: $1"; bad=1; }

# shapes NAME FLAGS...: two units, linked, filled, run; a second run of the tool changes nothing.
shapes() {
	name=$1
	shift
	$CC -std=gnu17 -g "$@" -no-pie -c -o "$tmp/1.o" $src &&
	$CC -std=gnu17 -g "$@" -no-pie -DSECOND -c -o "$tmp/2.o" $src &&
	$CC -g "$@" -no-pie -o "$tmp/t" "$tmp/1.o" "$tmp/2.o" || { fail "$name: does not build"; return; }
	"$tool" "$tmp/t" && "$tmp/t" >"$tmp/out" || { cat "$tmp/out"; fail "$name"; return; }
	cp "$tmp/t" "$tmp/again"
	"$tool" "$tmp/again" && cmp "$tmp/t" "$tmp/again" || { fail "$name: a second run differs"; return; }
	ok "$name: $(cat "$tmp/out")"
}

# refused N NAME MESSAGE FLAGS...: the tool must refuse case N, name the source line, change nothing.
refused() {
	n=$1 name="refuses $2" message=$3
	shift 3
	$CC -std=gnu17 "$@" -DREFUSE=$n -no-pie -o "$tmp/t" $src || { fail "$name: does not build"; return; }
	cp "$tmp/t" "$tmp/before"
	"$tool" "$tmp/t" 2>"$tmp/err"
	[ $? -eq 1 ] || { fail "$name: not refused"; return; }
	grep -q "ptrmap_shapes.c:.* error: .*$message" "$tmp/err" || { cat "$tmp/err"; fail "$name: wrong message"; return; }
	cmp "$tmp/t" "$tmp/before" || { fail "$name: file changed"; return; }
	ok "$name"
}

for d in 4 5; do
	for o in 0 1 2 3; do
		shapes "O$o dwarf$d" -O$o -gdwarf-$d -Wall -Wextra -Werror
	done
	shapes "lto dwarf$d" -O2 -gdwarf-$d -flto -ffat-lto-objects
	shapes "type units dwarf$d" -O2 -gdwarf-$d -fdebug-types-section
done
shapes "gc-sections" -O2 -ffunction-sections -fdata-sections -Wl,--gc-sections
shapes "sanitizers" -O1 -fsanitize=address,undefined
shapes "split stack" -O2 -fsplit-stack

refused 1 "a packed pointer" "struct packed_ptr', member p: a pointer at an offset" -g
refused 2 "a packed uintptr_t" "struct packed_int', member p: a uintptr_t at an offset" -g
refused 3 "a size that misaligns arrays" "struct packed_size'.*not a multiple of 8" -g
refused 4 "a packed array member" "struct outer', member in\[\].p: a pointer at an offset" -g
refused 5 "a flexible array of pointers" "struct flexible', member names\[\]: a flexible array" -g
refused 6 "a flexible array of structs" "struct flexible_struct', member nodes\[\]: a flexible array" -g
refused 7 "void" "type 'void': is incomplete" -g
refused 8 "an object without debug data" "has no debug data" -g0
refused 9 "a size that differs" "another size" -g

# A type that this unit only declares is looked up in the others, else refused.
# C cannot get there, a C++ class with its key function elsewhere does.
command -v "${CXX:-g++}" >/dev/null || { echo "skip ptrmap: declarations: no C++ compiler"; exit $bad; }
cat >"$tmp/v.cc" <<'EOF'
#include "rt/type.h"
struct V { virtual void f(); char *p; long n; };
struct W { long a; V v; };
static struct {
	uint32_t magic, flags; uint64_t size; uint32_t align, nbits; uint64_t ptrwords, ptrmask, bits[1];
	W *type[0];
} rt_type_desc __attribute__((section("rt_types"), used, aligned(16))) = { RT_TYPE_MAGIC, 0, sizeof(W), 8, 1 };
int main() { return *(volatile uint64_t *)&rt_type_desc.ptrmask != 6; }
EOF
echo 'struct V { virtual void f(); char *p; long n; }; void V::f() {}' >"$tmp/def.cc"
if ${CXX:-g++} -I. -g -no-pie -o "$tmp/t" "$tmp/v.cc" "$tmp/def.cc"; then
	"$tool" "$tmp/t" && "$tmp/t" && ok "declared here, defined elsewhere" || fail "declared here, defined elsewhere"
else
	fail "declared here: does not build"
fi
if ${CXX:-g++} -I. -g -no-pie -Wl,--unresolved-symbols=ignore-all -o "$tmp/t" "$tmp/v.cc"; then
	"$tool" "$tmp/t" 2>"$tmp/err"
	[ $? -eq 1 ] && grep -q "v.cc:7: error: type 'struct W', member v: is an incomplete type" "$tmp/err" &&
		ok "refuses what is defined nowhere" || { cat "$tmp/err"; fail "refuses what is defined nowhere"; }
else
	fail "defined nowhere: does not build"
fi
exit $bad
