#!/usr/bin/python3
"""Checks the direction of every include.

    tests/check-deps.py [ROOT]

The house (DESIGN, section 1) allows these and no others:

    apps, and tests that are programs (unit, bench, system/guest)
                       ingot.h, their own headers, C library headers
    rt                 rt's own headers (plat.h is the seam), compiler headers
    rt/net, rt/http    also lwIP's (llhttp's) headers
    kernel             kernel's own headers and boot/boot_info.h, compiler
                       headers; rt/plat.h and rt/sabotage.h in the files
                       named in SEAM only
    kernel/libc        C library headers, rt/plat.h, rt/crt.h
    drivers            drivers, kernel's device services, rt/ingot.h, rt/driver.h
    boot               boot's own headers, compiler headers; boot/efi also
                       GNU-EFI's
    tests/unit/virtio.c, nvme.c  drivers too: they are devices
    tests/unit/tso.c  rt/driver.h and rt/rt.h: it is a driver, and gives itself an address
    tests/host         rt/plat.h, rt/driver.h and the host's headers
    generators (gen/)  the host's headers; the rt headers whose format they write

Two further rules: no #ifdef on the platform inside rt/, and nothing outside
rt/ includes rt.h."""

import os
import re
import sys

COMPILER = {"stddef.h", "stdint.h", "stdbool.h", "stdarg.h", "stdnoreturn.h", "stdatomic.h", "limits.h",
            "stdalign.h", "float.h", "immintrin.h", "x86intrin.h", "cpuid.h"}
LIBC = {"assert.h", "ctype.h", "errno.h", "fenv.h", "float.h", "inttypes.h", "limits.h", "locale.h", "math.h",
        "search.h", "setjmp.h", "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h",
        "stdio.h", "stdlib.h", "stdnoreturn.h", "string.h", "strings.h", "getopt.h", "time.h", "wchar.h",
        "wctype.h", "sys/uio.h", "sys/types.h"}
# The files of kernel/ that implement or use the seam.
SEAM = {"kernel/plat.c", "kernel/main.c", "kernel/fatal.c", "kernel/stackmap.c", "kernel/trap.c",
        "kernel/devirq.c", "kernel/track.c"}
# Headers of musl's own that the image's C library is built with.
MUSL_INTERNAL = {"locale_impl.h", "stdio_impl.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
PLATFORM = re.compile(r"^\s*#\s*(?:if|ifdef|ifndef|elif)\b.*(__linux__|__unix__|INGOT_METAL|INGOT_HOST|KERNEL)", re.M)


def resolve(root, path, name):
    """The file of the tree that #include "name" in path means, or None."""
    for folder in (os.path.dirname(path), "", "rt", "kernel/libc"):
        candidate = os.path.normpath(os.path.join(folder, name))
        if os.path.exists(os.path.join(root, candidate)):
            return candidate
    return None


def layer(path):
    """The layer of a file of the tree."""
    if "/gen/" in path:
        return "gen"
    for prefix in ("kernel/libc", "boot/efi", "tests/host", "tests/unit", "tests/bench", "tests/system/guest"):
        if path.startswith(prefix + "/"):
            return prefix
    return path.split("/")[0]


def allowed(path, target):
    """Whether path may include the tree's file target."""
    here, there = layer(path), layer(target)
    if path in ("tests/unit/virtio.c", "tests/unit/nvme.c") and there == "drivers":
        return True
    if path == "tests/unit/tso.c" and target in ("rt/driver.h", "rt/rt.h"):
        return True
    if here in ("apps", "tests/unit", "tests/bench", "tests/system/guest"):
        return target == "rt/ingot.h" or os.path.dirname(target) == os.path.dirname(path) or target == "tests/unit/test.h"
    if here == "rt":
        return there == "rt"
    if here == "kernel":
        return there == "kernel" or target == "boot/boot_info.h" or (
            target in ("rt/plat.h", "rt/sabotage.h") and path in SEAM)
    if here == "kernel/libc":
        return target in ("rt/plat.h", "rt/crt.h") or there == "kernel/libc"
    if here == "drivers":
        return there in ("drivers", "kernel") or target in ("rt/ingot.h", "rt/driver.h")
    if here == "boot":
        return there == "boot"
    if here == "boot/efi":
        return there in ("boot", "boot/efi")
    if here == "tests/host":
        return there == "tests/host" or target in ("rt/plat.h", "rt/driver.h")
    if here == "gen":
        return target in ("rt/type.h", "rt/typeinfo.h", "rt/symtab.h", "rt/sizeclasses.h") or os.path.dirname(target) == os.path.dirname(path)
    # tests/system: programs of the host that look at one file or another.
    return here == "tests"


def allowed_system(path, name):
    """Whether path may include <name>."""
    here = layer(path)
    if here in ("rt", "kernel", "boot", "drivers"):
        if path.startswith("rt/net/") and name.startswith(("lwip/", "netif/")) or path.startswith("rt/http/") and name == "llhttp.h":
            return True
        return name in COMPILER or (here == "rt" and name.startswith("sanitizer/"))
    if here in ("apps", "tests/unit", "tests/bench", "tests/system/guest", "kernel/libc"):
        return name in LIBC | COMPILER | {"ingot.h"}
    if here == "boot/efi":
        return name in COMPILER or name == "elf.h" or name.startswith("efi")
    return True


def sources(root):
    for top in ("apps", "boot", "drivers", "kernel", "rt", "tests"):
        for folder, _, files in os.walk(os.path.join(root, top)):
            for file in sorted(files):
                if file.endswith((".c", ".h", ".S")):
                    yield os.path.relpath(os.path.join(folder, file), root)


def check(root):
    wrong = []
    for path in sources(root):
        with open(os.path.join(root, path), encoding="utf-8") as f:
            text = f.read()
        for found in INCLUDE.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            quoted, name = found.group(1) == '"', found.group(2)
            target = resolve(root, path, name) if quoted else None
            if target:
                if not allowed(path, target):
                    wrong.append(f"{path}:{line}: {layer(path)} may not include {target}")
            elif quoted and not (layer(path) == "kernel/libc" and name in MUSL_INTERNAL):
                wrong.append(f"{path}:{line}: \"{name}\" is not in the tree")
            elif not quoted and not allowed_system(path, name):
                wrong.append(f"{path}:{line}: {layer(path)} may not include <{name}>")
        if layer(path) == "rt":
            for found in PLATFORM.finditer(text):
                line = text.count("\n", 0, found.start()) + 1
                wrong.append(f"{path}:{line}: rt/ does not ask which platform it runs on")
    return wrong


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    wrong = check(root)
    for line in wrong:
        print("FAIL check-deps " + line)
    if not wrong:
        print("ok check-deps")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
