#!/usr/bin/python3 -B
"""rt/MEMORY_GUIDE.md: every program in it compiles, runs, and prints what is shown.

test: limit=300

A block marked "c" is a whole program; what it prints stands in the next block,
marked "output", where a line "..." stands for any lines, "..." inside a line for
anything there, and runs of blanks count as one.  Words behind "c" are settings of
the runtime (GODEBUG=gctrace=1); a block marked "c metal" is also run in QEMU, on
two cores.

All are linked into one program, which runs the one whose number it is given."""
import os
import re
import shutil
import subprocess
import sys

from qemu import ROOT, Report, boot, pattern

report = Report("guide")
NAME = "memory_guide"
FOLDER = os.path.join(ROOT, "build", "guide", NAME)
with open(os.path.join(ROOT, "rt/MEMORY_GUIDE.md"), encoding="utf-8") as f:
    TEXT = f.read()


def make(*words):
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k not in ("MFLAGS", "APP", "FILE")}
    done = subprocess.run(["make", "-j2", f"APP={FOLDER}", *words], cwd=ROOT, env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode == 0, done.stdout


def shows(lines, text):
    return pattern(lines).fullmatch(text.replace("\r", "")) is not None


fences = re.findall(r"^```(\w*)([^\n]*)\n(.*?)^```", TEXT, re.M | re.S)
blocks, odd = [], []
for i, (kind, words, body) in enumerate(fences):
    if kind == "c":
        after = fences[i + 1] if i + 1 < len(fences) else ("", "", "")
        title = re.findall(r"^#+ (.*)", TEXT[:TEXT.index(body)], re.M)[-1]
        if after[0] != "output" or "int main(void)" not in body:
            odd.append(f"{title}: no main, or no output behind it")
        blocks.append((words.split(), body, after[2].splitlines(), title))
    elif kind == "output" and fences[i - 1][0] != "c":
        odd.append("an output that is no program's")
report.check("shows programs with their output", len(blocks) >= 20 and not odd, (len(blocks), odd))

# The subjects of the guide, in this order.
wanted = ["Tasks", "Stack and heap", "new and make", "Memory blocks", "The collector", "The memory model", "Best practices", "Patterns"]
chapters = re.findall(r"^## \d+\. ([^\n]*)", TEXT, re.M)
report.check("takes its subjects in order", len(chapters) == len(wanted) and
             all(c.startswith(w) for c, w in zip(chapters, wanted)), chapters)

# Its figures are README's.
with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
    readme = f.read()
for row, says in (("yield", r"(\d+) for a yield"), ("spawn, run, end", r"(\d+) to start one, run it"),
                  ("channel round trip", r"(\d+) for a value to another"),
                  ("allocate 16 bytes, collection included", r"(\d+) instructions for 16 bytes")):
    there = re.search(rf"^\| {re.escape(row)} \| ([\d,]+) instructions", readme, re.M)
    here = re.search(says, re.sub(r"\s+", " ", TEXT))
    report.check(f"says of {row} what README says", there and here and there[1] == here[1], (there and there[1], here and here[1]))

shutil.rmtree(FOLDER, ignore_errors=True)
os.makedirs(FOLDER)
driver = '#include <stdlib.h>\n#include "ingot.h"\n'
for i, (_, body, _, _) in enumerate(blocks):
    line = TEXT[:TEXT.index(body)].count("\n") + 1
    with open(os.path.join(FOLDER, f"block{i:02}.c"), "w", encoding="utf-8") as f:
        f.write(f'int block{i}(void);\n#line {line} "rt/MEMORY_GUIDE.md"\n' + body.replace("int main(void)", f"int block{i}(void)"))
    driver += f"int block{i}(void);\n"
driver += "static int (*const blocks[])(void) = { " + ", ".join(f"block{i}" for i in range(len(blocks))) + " };\n"
driver += """int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (argc > 2)
			println("=== %s", argv[i]);
		int status = blocks[atoi(argv[i])]();
		if (status != 0)
			return status;
	}
	return 0;
}
"""
with open(os.path.join(FOLDER, "main.c"), "w", encoding="utf-8") as f:
    f.write(driver)

hosted, metal = f"build/host/app/{NAME}/{NAME}", f"build/metal/app/{NAME}.elf"
good, said = make(hosted, metal)
if report.check("its programs compile", good, said[-3000:]):
    on_metal = []
    for i, (words, _, shown, title) in enumerate(blocks):
        env = {**os.environ, "INGOT_CORES": "2", **dict(w.split("=", 1) for w in words if "=" in w)}
        try:
            done = subprocess.run([os.path.join(ROOT, hosted), str(i)], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, timeout=60, check=False)
            status, text = done.returncode, done.stdout
        except subprocess.TimeoutExpired as late:
            status, text = None, (late.stdout or b"").decode("utf-8", "replace")
        report.check(f"program {i} ({title}): prints what is shown", status == 0 and shows(shown, text),
                     f"status {status}; it shows\n" + "\n".join(shown) + "\nand printed\n" + text)
        if "metal" in words:
            on_metal.append(i)
    done = boot(os.path.join(ROOT, metal), smp=2, mem="256M", args=" ".join(str(i) for i in on_metal))
    parts = dict(re.findall(r"^=== (\d+)\n(.*?)(?=^=== |\Z)", done.text, re.M | re.S))
    report.check("some run on metal", len(on_metal) >= 5 and done.status == 0, done)
    for i in on_metal:
        report.check(f"program {i} ({blocks[i][3]}), on metal", shows(blocks[i][2], parts.get(str(i), "")),
                     "it shows\n" + "\n".join(blocks[i][2]) + "\nand printed\n" + parts.get(str(i), ""))
sys.exit(report.end())
