#!/usr/bin/python3 -B
"""The programs of apps/examples, hosted and booted, print what their output.txt says; so
do the Go programs beside them, where Go is; and each is short beside its Go program.

    tests/system/examples.py [NAME ...]
    tests/system/examples.py --update     rewrites apps/examples/README.md

test: limit=600"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

from qemu import ROOT, Report, boot, built

HERE = os.path.join(ROOT, "apps/examples")
PAGE = os.path.join(HERE, "README.md")
RATIO = 1.4
# In the order in which one learns them.
CHAPTERS = {
    "Tasks and channels": "goroutines channels timeout workers pipeline sieve treewalk mergesort bounded crawler "
                          "ratelimit tickers contexts errgroup",
    "Shared memory": "mutex rwmutex once condition atomic syncmap bufferpool",
    "Values": "slices maps strings builder runes numbers sorting containers priority immutable values dates hashes",
    "Functions, errors, types": "defer recover errors interfaces generics",
    "Memory": "arena finalizer",
    "Input and output": "readers scanner embedding echo webserver",
}
ORDER = [name for names in CHAPTERS.values() for name in names.split()]
HEAD = """# Examples

Short programs, one for each thing that a Go programmer learns, beside the Go program that does the same. A folder
holds `main.c`, `main.go` and what both print, `output.txt`. To boot one, and to run the other:

    make run APP=apps/examples/sieve
    go run apps/examples/sieve/main.go

`make t/examples` builds them all, runs each as a Linux process and booted in QEMU, compares what they print, where Go
is installed runs the Go programs as well, and compares the lengths: lines that are neither blank nor comment, of which
the C program may have 1.4 times as many. This page is made by `tests/system/examples.py --update`.
"""
COMMENT = re.compile(r'''"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|(?P<comment>//(?!go:)[^\n]*|/\*.*?\*/)''', re.S)


def read(name, file):
    with open(os.path.join(HERE, name, file), encoding="utf-8") as f:
        return f.read()


def lines(source):
    """Lines that are neither blank nor comment."""
    code = COMMENT.sub(lambda m: "" if m["comment"] else m[0], source)
    return sum(line.strip() != "" for line in code.splitlines())


def concept(name):
    """The first line of the Go program, a comment."""
    return re.match(r"// (.*)", read(name, "main.go"))[1]


def page():
    """README.md, from the programs."""
    out = [HEAD]
    for chapter, names in CHAPTERS.items():
        out += [f"## {chapter}\n", "| example | what it shows | Go | C | C / Go |", "|---|---|---|---|---|"]
        for name in names.split():
            go, c = lines(read(name, "main.go")), lines(read(name, "main.c"))
            out.append(f"| [{name}](#{name}) | {concept(name)} | {go} | {c} | {c / go:.2f} |")
        out.append("")
    for name in ORDER:
        out.append(f"## {name}\n\n<table><tr><th>Go</th><th>C</th></tr><tr valign=\"top\"><td>\n\n"
                   f"```go\n{read(name, 'main.go')}```\n\n</td><td>\n\n```c\n{read(name, 'main.c')}```\n\n"
                   f"</td></tr></table>\n\nBoth print:\n\n```text\n{read(name, 'output.txt')}```\n")
    return "\n".join(out)


def hosted(name, cores):
    """(status, output) of it as a Linux process."""
    env = {**os.environ, "INGOT_CORES": str(cores)}
    try:
        done = subprocess.run([f"{ROOT}/build/host/app/{name}/{name}"], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as e:
        return None, str(e)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def go(name):
    """(status, output) of the Go program, or of its build."""
    program = f"{ROOT}/build/test/go-{name}"
    env = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOTOOLCHAIN": "local", "GOFLAGS": "",
           "GOCACHE": f"{ROOT}/build/go-cache"}
    status, out = 0, b""
    for command in (["go", "build", "-o", program, "main.go"], [program]):
        if status == 0:
            done = subprocess.run(command, cwd=os.path.join(HERE, name), env=env, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)
            status, out = done.returncode, done.stdout
    return status, out.decode("utf-8", "replace")


def judge(name):
    """(what, good, evidence) of each case of one example, and what could not be told: (what, reason)."""
    want, cases, skipped = read(name, "output.txt"), [], []
    for cores in (1, 4):
        ran = hosted(name, cores)
        cases.append((f"{name} hosted, {cores} cores", ran == (0, want), f"{ran} and not\n{want}"))
    done = boot(built(name), machine="microvm", smp=2, mem="64M")
    cases.append((f"{name} booted", done.status == 0 and done.text == want, f"{done}\n  and not\n{want}"))
    source, short = read(name, "main.go"), lines(read(name, "main.c"))
    cases.append((f"{name} is short", short <= RATIO * lines(source), f"{short} lines, the Go program {lines(source)}"))
    if not shutil.which("go"):
        pass
    elif "golang.org/x/" in source and not os.path.isdir("/usr/share/gocode/src/golang.org/x/sync"):
        skipped.append((f"{name} in Go", "golang-golang-x-sync-dev is not installed (make deps)"))
    else:
        ran = go(name)
        cases.append((f"{name} in Go", ran == (0, want), f"{ran} and not\n{want}"))
    return cases, skipped


def main(words):
    if words == ["--update"]:
        with open(PAGE, "w", encoding="utf-8") as f:
            f.write(page())
        return 0
    report = Report("examples")
    folders = sorted(d for d in os.listdir(HERE) if os.path.isdir(os.path.join(HERE, d)))
    report.check("are all in the page's chapters", sorted(ORDER) == folders, set(ORDER) ^ set(folders))
    with open(PAGE, encoding="utf-8") as f:
        report.check("README.md is made of them as they are", f.read() == page(), "run tests/system/examples.py --update")
    others = set(os.listdir(os.path.join(ROOT, "apps"))) | set(os.listdir(os.path.join(ROOT, "tests/system/guest")))
    report.check("have names of their own", not others & set(folders), others & set(folders))
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k not in ("MFLAGS", "APP", "FILE", "ARGS")}
    made = subprocess.run(["make", "-k", f"-j{os.cpu_count()}", "examples"], cwd=ROOT, env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if not report.check("are built", made.returncode == 0, made.stdout[-3000:]):
        return report.end()
    if not shutil.which("go"):
        report.skip("the Go programs", "Go is not installed (make deps)")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for cases, skipped in pool.map(judge, words or ORDER):
            for case in cases:
                report.check(*case)
            for case in skipped:
                report.skip(*case)
    return report.end()


sys.exit(main(sys.argv[1:]))
