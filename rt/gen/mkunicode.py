#!/usr/bin/python3
"""Prints rt/unicode_tables.h from Python's own copy of Unicode (14.0 in Debian 12).

Classes are sorted ranges of code points, a word each: the first, and in the low
RANGE_BITS how many follow.  Case mappings are ranges in which
every `step`-th code point maps to itself plus a constant: Latin's pairs, where
capital and small letters alternate, make step 2."""
import sys
import unicodedata

if unicodedata.unidata_version != "14.0.0":
    sys.exit(f"mkunicode.py: this Python has Unicode {unicodedata.unidata_version}, the table is of 14.0.0")

CODES = [c for c in range(0x110000)]
RANGE_BITS = 11 # what 21 bits of a code point leave of 32


def simple(c, up):
    """The simple mapping: Python has the full one, which may be several characters."""
    if c == 0x130 and not up:
        return 0x69
    full = chr(c).upper() if up else chr(c).lower()
    if len(full) == 1:
        return ord(full)
    title = chr(c).title()
    return ord(title) if up and len(title) == 1 else c


def ranges(test):
    out = []
    for c in CODES:
        if not test(unicodedata.category(chr(c))):
            continue
        if out and out[-1][1] == c - 1 and c - out[-1][0] < 1 << RANGE_BITS:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def mappings(up):
    out = []  # lo, hi, step, delta
    for c in CODES:
        d = simple(c, up) - c
        if d == 0:
            continue
        last = out[-1] if out else None
        if last and last[3] == d and c - last[1] in (1, 2) and (last[0] == last[1] or c - last[1] == last[2]):
            last[2] = c - last[1]
            last[1] = c
        else:
            out.append([c, c, 1, d])
    return out


def print_ranges(name, what, test):
    print(f"\n/* {what} */\nstatic const uint32_t {name}[] = {{")
    print_rows([f"{a << RANGE_BITS | b - a:#x}" for a, b in ranges(test)])


def print_rows(rows):
    line = ""
    for r in rows:
        if len(line) + len(r) > 88:
            print("\t" + line.rstrip())
            line = ""
        line += r + ", "
    print("\t" + line.rstrip() + "\n};")


print("/* unicode_tables.h: printed by rt/gen/mkunicode.py; do not edit. */")
print(f"#define RANGE_BITS {RANGE_BITS}")
print_ranges("letters", "L", lambda k: k[0] == "L")
print_ranges("uppers", "Lu", lambda k: k == "Lu")
print_ranges("lowers", "Ll", lambda k: k == "Ll")
print_ranges("digits", "Nd", lambda k: k == "Nd")
print_ranges("numbers", "N", lambda k: k[0] == "N")
print_ranges("puncts", "P", lambda k: k[0] == "P")
print_ranges("prints", "L, M, N, P, S", lambda k: k[0] in "LMNPS")
for name, up in (("to_upper", True), ("to_lower", False)):
    print(f"\nstatic const struct case_range {name}[] = {{")
    print_rows([f"{{ {a:#x}, {b:#x}, {s}, {d} }}" for a, b, s, d in mappings(up)])
