#!/usr/bin/python3 -B
"""The reference of ingot.h (`make reference`) is made without a warning, and every
public name of every rt/api_*.h is in it, with words of its own.

test: limit=300

The names come from the compiler: the preprocessed header's macros, declarations and
types, not from the filter that doxygen reads through."""
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

from qemu import ROOT, Report

report = Report("reference")
INTERNAL = re.compile(r"_*(rt_|RT_|INGOT_)|API_\w+_H$")


def run(*command, text=""):
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MFLAGS"}
    done = subprocess.run(command, cwd=ROOT, env=env, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.returncode, done.stdout


def public(source):
    """{name: header}: what rt/api_*.h add to what a program can say."""
    names, header, code, depth = {}, None, "", 0

    def declared(text):
        """The names that a declaration at file level makes known."""
        text = re.sub(r"__attribute__\s*\(\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\)", " ", text)
        text = re.sub(r"\s+", " ", text).strip()
        made = re.match(r"(?:typedef )?(?:struct|enum|union) (\w+) ?\{", text)
        if made and not re.match(r"(slice)_", made[1]):
            yield made[1]
        loose = re.match(r"enum \{(.*)\}", text)
        if loose:
            yield re.match(r"\s*(\w+)", loose[1])[1]
        text = re.sub(r"\{.*\}", "", text)
        if text.startswith(("_Static_assert", "#")) or not text:
            return
        if text.startswith("typedef"):
            yield (re.search(r"\( ?\* ?(\w+) ?\)", text) or re.search(r"(\w+) ?(?:\([^)]*\)|\[\w*\])* ?;?$", text))[1]
        elif "(" in text:  # a type made of __typeof__ has its own
            yield re.search(r"(\w+) ?\(", re.sub(r"__typeof__ ?\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)", "made", text))[1]
        elif text.startswith("extern"):
            for part in text.split(","):
                yield re.search(r"(\w+) ?;?$", part)[1]

    for line in source.splitlines():
        mark = re.match(r'# \d+ "(.*?)"', line)
        if mark:
            found = re.search(r"rt/(api_\w+\.h)$", mark[1])
            header = found and found[1]
            continue
        if not header:
            continue
        macro = re.match(r"#define (\w+)", line)
        if macro:
            names.setdefault(macro[1], header)
        elif not line.startswith("#"):
            code += line + "\n"
            depth += line.count("{") - line.count("}")
            while depth == 0 and re.search(r"[;}]\s*$", code):
                for one in re.findall(r"(?:[^;{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})+(?:;|(?<=\}))", code):
                    for name in declared(one):
                        names.setdefault(name, header)
                code = ""
    return {n: h for n, h in names.items() if not INTERNAL.match(n)}


status, text = run("make", "reference")
report.check("is made", status == 0, text)
report.check("without a warning", not re.search(r"warning|error", text), text)

status, text = run("gcc", "-E", "-dD", "-O1", "-Irt", "-x", "c", "-", text='#include "rt/ingot.h"\n')
report.check("the compiler reads the header", status == 0, text[-1000:])
names = public(text)
headers = {f for f in os.listdir(os.path.join(ROOT, "rt")) if f.startswith("api_")}
report.check("each header has public names", set(names.values()) == headers, headers ^ set(names.values()))
report.check("names of each kind are among them",
             {"append", "Second", "mutex_lock", "mutex", "string", "context", "io_eof", "file_whence", "January", "io_discard",
              "os_stdout", "http_handler", "cstring", "main"} <= set(names) and len(names) > 700, len(names))

# name -> the words said of it
said = {}
folder = os.path.join(ROOT, "build/reference/xml")
for file in sorted(os.listdir(folder)):
    if not re.match(r"(api_|struct|union)", file):
        continue
    for compound in ElementTree.parse(os.path.join(folder, file)).getroot().iter("compounddef"):
        for one in [compound] + list(compound.iter("memberdef")):
            name = one.findtext("name") or one.findtext("compoundname")
            parts = [one.find(p) for p in ("briefdescription", "detaileddescription")]
            words = " ".join("".join(p.itertext()) for p in parts if p is not None).strip()
            inner = [] if one is compound or one.get("kind") != "enum" else [v.findtext("name") for v in one.iter("enumvalue")]
            for n in [name] + inner[:1]:
                said[n] = said.get(n, "") + words
missing = [f"{h}: {n}" for n, h in sorted(names.items()) if n not in said]
report.check("every public name is in it", not missing, missing)
silent = [f"{h}: {n}" for n, h in sorted(names.items()) if n in said and not re.search(r"\w{2}", said[n])]
report.check("every public name has a description", not silent, silent)

page = os.path.join(ROOT, "build/reference")
with open(os.path.join(page, "index.html"), encoding="utf-8") as f:
    index = f.read()
report.check("its first page leads to every header", all(re.search(rf"<a [^>]*>{h}</a>", index) for h in headers),
             [h for h in sorted(headers) if h not in index])
odd = []
for file in os.listdir(page):
    if file.endswith(".html"):
        with open(os.path.join(page, file), encoding="utf-8") as f:
            odd += [f"{file}: {m}" for m in re.findall(r"\w*(?:_L_\w*_R_|\brt_call\w*|__VA_ARGS__)", f.read())]
report.check("it shows no internals", not odd, odd[:5])
with open(os.path.join(page, "api__value_8h.html"), encoding="utf-8") as f:
    values = re.sub(r"<[^>]*>", "", f.read())
report.check("macros are described as what they stand for", "append(s, v...): s with the values added" in values and
             "slice(byte)" in values, values[:500])
sys.exit(report.end())
