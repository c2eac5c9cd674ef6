#!/usr/bin/python3 -B
"""The makefile: nothing is built twice, nothing stale is kept, mistakes are named.

Works in a copy of the tree that takes along what was built."""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

from qemu import ROOT, Report

report = Report("makefile")


def make(*words):
    """Runs make in the copy: (status, output, the objects it compiled)."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MFLAGS"}
    done = subprocess.run(["make", "-j2", *words], cwd=tree, env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout, set(re.findall(r"^  CC    build/(\S+)", done.stdout, re.M))


def touch(path):
    with open(os.path.join(tree, path), "a", encoding="utf-8") as f:
        f.write("\n")


def users(header, folder):
    """The sources in folder that name the header themselves."""
    return {os.path.basename(p)[:-2] for p in glob.glob(f"{tree}/{folder}/*.c")
            if re.search(rf'#include "(.*/)?{header}"', open(p, encoding="utf-8").read())}


with tempfile.TemporaryDirectory() as tmp:
    tree = os.path.join(tmp, "tree")
    os.mkdir(tree)
    for part in ("Makefile", "linker.ld", "apps", "boot", "drivers", "kernel", "rt", "tests"):
        source = os.path.join(ROOT, part)
        if os.path.isdir(source):
            shutil.copytree(source, os.path.join(tree, part))
        elif os.path.exists(source):
            shutil.copy2(source, tree)
    os.mkdir(os.path.join(tree, "build"))
    for part in ("libc", "metal", "tools", "deps"):
        subprocess.run(["cp", "-a", os.path.join(ROOT, "build", part), os.path.join(tree, "build")],
                       stderr=subprocess.DEVNULL, check=False)
    os.symlink(os.path.join(ROOT, "build/src"), os.path.join(tree, "build/src"))

    # A program of one's own, outside the tree, in two files with a header.
    app = os.path.join(tmp, "mine")
    os.mkdir(app)
    for name, text in (("main.c", '#include "ingot.h"\n#include "mine.h"\nint main(void) { return twice(2); }\n'),
                       ("twice.c", '#include "mine.h"\nint twice(int n) { return n * 2; }\n'),
                       ("mine.h", "int twice(int n);\n")):
        with open(os.path.join(app, name), "w", encoding="utf-8") as f:
            f.write(text)
    mine = f"APP={app}"
    image = os.path.join(tree, "build/metal/app/mine.elf")

    status, text, made = make("all", mine)
    report.check("builds a program outside the tree", status == 0 and os.path.exists(image), text[-2000:])
    status, text, made = make("all", mine)
    report.check("a second make compiles nothing", status == 0 and not made and "LINK" not in text, text[-2000:])

    # In a fresh clone two jobs would compile before the C library's headers are there.
    rules = re.findall(r"^(build/m(?:etal|debug|nasty)/(?!tests/host/)\S*%\.o): (\S+\.c\b.*)", make("-pnq", mine)[1], re.M)
    early = [target for target, needs in rules if "build/libc/include/" not in needs.partition(" | ")[2]]
    report.check("every object of an image waits for the headers", len(rules) >= 15 and not early, early)

    # What was generated is read, to the last file; musl's objects have their headers in libc.mk.
    status, text, made = make("all", mine, "-n", "--debug=v")
    read = set(re.findall(r"^Reading makefile '(build/[^']*\.d)'", text, re.M))
    there = {os.path.relpath(p, tree) for p in glob.glob(f"{tree}/build/**/*.d", recursive=True)}
    there = {p for p in there if not re.match(r"build/(src|libc/(?!ingot/))", p)}
    report.check("every dependency file is read", there and there == read, there ^ read)

    touch("rt/plat.h")
    status, text, made = make("all", mine)
    want = {f"metal/rt/{n}.o" for n in users("rt.h", "rt")} | {f"metal/kernel/{n}.o" for n in users("plat.h", "kernel")}
    report.check("a header rebuilds all that use it", status == 0 and want <= made, f"missing {want - made}\n{text[-500:]}")
    report.check("and nothing else", not any(m.startswith("libc/") and "ingot" not in m for m in made), made)
    report.check("and links anew", "LINK  build/metal/app/mine.elf" in text, text[-500:])

    with open(os.path.join(app, "mine.h"), "a", encoding="utf-8") as f:
        f.write("\n")
    status, text, made = make("all", mine)
    report.check("a program's header rebuilds the program only",
                 made == {"metal/app/mine/main.o", "metal/app/mine/twice.o"}, made)

    # A header that goes away must not stop make; a source that comes is linked.
    os.remove(os.path.join(app, "mine.h"))
    for name, text in (("main.c", '#include "ingot.h"\nint thrice(int n);\nint main(void) { return thrice(2); }\n'),
                       ("twice.c", "int twice(int n);\nint twice(int n) { return n * 2; }\n"),
                       ("thrice.c", "int thrice(int n);\nint thrice(int n) { return n * 3; }\n")):
        with open(os.path.join(app, name), "w", encoding="utf-8") as f:
            f.write(text)
    status, text, made = make("all", mine)
    report.check("a removed header and a new source", status == 0 and "metal/app/mine/thrice.o" in made, text[-2000:])
    os.remove(os.path.join(app, "twice.c"))
    status, text, made = make("all", mine)
    report.check("a removed source is linked away", status == 0 and "LINK" in text, text[-2000:])

    status, text, made = make("all", mine, "SPLIT=-fsplit-stack -DCHANGED_FLAGS")
    report.check("changed flags rebuild", status == 0 and want <= made, f"missing {want - made}\n{text[-500:]}")

    with open(os.path.join(app, "main.c"), "w", encoding="utf-8") as f:
        f.write('#include "ingot.h"\nint main(void) { return nobody(); }\n')
    status, text, made = make("all", mine, "SPLIT=-fsplit-stack -DCHANGED_FLAGS")
    report.check("a program that does not link fails", status != 0 and "nobody" in text, text[-500:])
    report.check("and leaves no image", not os.path.exists(image))

    # The folder moves: another one of the same name takes its place.
    moved = os.path.join(tmp, "elsewhere", "mine")
    os.makedirs(moved)
    shutil.rmtree(app)
    with open(os.path.join(moved, "main.c"), "w", encoding="utf-8") as f:
        f.write('#include "ingot.h"\nint main(void) { return 0; }\n')
    app, mine = moved, f"APP={moved}"
    status, text, made = make("all", mine)
    report.check("another folder of the same name", status == 0 and os.path.exists(image), text[-2000:])

    for words, named in ((["run", "APP=/no/such/app"], "/no/such/app"), (["run", f"APP={tree}/build"], f"{tree}/build"),
                         (["run", mine, "FILE=/no/such/file"], "/no/such/file"), (["t/no_such_test"], "no_such_test")):
        status, text, made = make(*words)
        report.check("names what is missing: " + named, status != 0 and named in text, text[-500:])

    status, text, made = make("help")
    targets = {"run", "test", "check", "image", "bench", "counts", "check-deps", "deps", "clean", "help", "all", "gdb", "t/NAME"}
    shown = {line.split()[0] for line in text.splitlines() if line.startswith("  ")}
    report.check("help lists every target", targets <= shown, f"missing {targets - shown}\n{text}")

    # An include that points the wrong way is caught.
    deps = [os.path.join(tree, "tests/check-deps.py"), tree]
    clean = subprocess.run(deps, capture_output=True, text=True, check=False)
    report.check("check-deps passes", clean.returncode == 0, clean.stdout)
    for path, line in (("rt/proc.c", '#include "../kernel/kernel.h"'), ("kernel/vm.c", '#include "rt/rt.h"'),
                       ("boot/pvhinfo.c", '#include "../rt/plat.h"'), ("rt/chan.c", "#include <stdio.h>"),
                       ("tests/system/guest/ends/ends.c", '#include "rt.h"'), ("rt/map.c", "#ifdef __linux__\n#endif")):
        full = os.path.join(tree, path)
        with open(full, encoding="utf-8") as f:
            before = f.read()
        with open(full, "w", encoding="utf-8") as f:
            f.write(before + line + "\n")
        planted = subprocess.run(deps, capture_output=True, text=True, check=False)
        report.check(f"check-deps catches {line.splitlines()[0]} in {path}",
                     planted.returncode == 1 and path in planted.stdout, planted.stdout)
        with open(full, "w", encoding="utf-8") as f:
            f.write(before)
sys.exit(report.end())
