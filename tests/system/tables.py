#!/usr/bin/python3 -B
"""rt/GO_TO_INGOT.md: every snippet in its tables' Ingot column compiles, with the
declarations at its end.

test: limit=120

A snippet is an expression, a type, or, when it ends in ; or }, statements (or, with static,
typedef or main, a declaration of file level); each is
compiled in a function of its own (a type or expression by __typeof__)."""
import os
import re
import subprocess
import sys

from qemu import ROOT, Report

report = Report("tables")
FLAGS = ["-std=gnu17", "-O1", "-fsplit-stack", "-c", "-o", "/dev/null", "-Irt", "-Wall", "-Wextra", "-Werror", "-Wno-unused", "-Wno-return-type",
         "-Wno-unused-parameter", "-Werror=unused-result"]
with open(os.path.join(ROOT, "rt/GO_TO_INGOT.md"), encoding="utf-8") as f:
    TEXT = f.read()


def compiled(program):
    done = subprocess.run(["gcc", *FLAGS, "-x", "c", "-"], cwd=ROOT, input=program, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode == 0, done.stdout


def function(i, snippet):
    """The snippet in a function, on a line of its own (for the compiler's message)."""
    if re.match(r"static |typedef |int main\(", snippet):
        return f"#line {i}\n{snippet}\n"
    body = snippet if snippet[-1] in ";}" else f"__typeof__({snippet}) *made = NULL;"
    return f"error row{i}(void)\n{{\n#line {i}\n{body}\nreturn NULL;\n}}\n"


prelude = re.search(r"^## What the snippets use\n+```c\n(.*?)^```", TEXT, re.M | re.S)
report.check("declares what its snippets use", prelude)
program, where, names, odd = prelude[1], {}, set(), []
for section in re.split(r"^## ", TEXT, flags=re.M)[1:]:
    title, _, body = section.partition("\n")
    rows = [r for r in body.splitlines() if r.startswith("| ") and not r.startswith("| Go")]
    for row in rows:
        cells = [c.strip() for c in row.strip().strip("|").split(" | ")]
        if row.count(" | ") < 1 or len(cells) not in (2, 3):
            odd.append(row)
            continue
        if title.startswith("Settings"):
            continue
        for snippet in re.findall(r"`([^`]+)`", cells[1]):
            where[len(where) + 1] = (title, snippet)
            names |= set(re.findall(r"\b[a-z_]\w+(?=\()", snippet))
            program += function(len(where), snippet)
report.check("has rows of Go, Ingot and a remark", len(where) > 350 and not odd, (len(where), odd))
good, said = compiled(program)
bad = {int(i) for i in re.findall(r"^<stdin>:(\d+):\d+: error", said, re.M)}
report.check(f"its {len(where)} snippets compile", good, [where.get(i, i) for i in sorted(bad)] or said[:2000])
good, said = compiled(prelude[1] + function(1, "appendix(s, 1)") + function(2, "strconv_atoi(str, &n);"))
report.check("one with an unknown name would not, nor one that drops an error",
             not good and "appendix" in said and "unused-result" in said, said)

# Names that only the remarks mention.
with open(os.path.join(ROOT, "rt/env.c"), encoding="utf-8") as f:
    env = f.read()
settings = re.findall(r"make run ([^`]*)`", TEXT.split("## Settings")[1])
report.check("its settings exist", len(settings) >= 5 and all(f'"{part.split("=")[0]}"' in env for one in settings
             for word in one.split() for part in re.sub(r"^GODEBUG=", "GODEBUG=1,", word).split(",")), settings)
public = "".join(open(os.path.join(ROOT, "rt", f), encoding="utf-8").read()
                 for f in os.listdir(os.path.join(ROOT, "rt")) if f.startswith("api_"))
remarks = [row.split(" | ")[-1] for row in TEXT.splitlines() if row.startswith("| ")]
mentioned = {n for r in remarks for code in re.findall(r"`([^`]*)`", r) for n in re.findall(r"^([a-z]\w*_\w+)", code)}
missing = [n for n in sorted(mentioned | names) if not re.search(rf"\b{n}\b", public + program)]
report.check("the names in its remarks exist", len(mentioned) > 10 and not missing, missing)
sys.exit(report.end())
