#!/usr/bin/python3 -B
"""Files in the image and at boot: the guest embed on metal and hosted, and a folder
embed/ that changes between builds.

test: limit=400"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from qemu import ROOT, Report, boot, built

report = Report("embed")
WANT = """binary 5120
conf/ 0
  a.conf 6
  deep/ 0
    x 1
  with space.conf 6
conf.txt 18
empty 0
hello.txt 13
read 5120 bytes, sum 652800
read binary: file already closed
read conf: invalid argument
hello, embed
open nosuch: file does not exist
open conf/deep/x/y: file does not exist
open hello.tx: file does not exist
open : invalid argument
open /: invalid argument
open /hello.txt: invalid argument
open conf/: invalid argument
open conf//a.conf: invalid argument
open ./conf: invalid argument
open conf/../conf: invalid argument
open ..: invalid argument
boot:
"""


def hosted(program, file=None):
    """(status, output) of a Linux process."""
    env = {**os.environ, **({"INGOT_FILE": file} if file else {})}
    done = subprocess.run([program], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


def make(*words):
    """Runs make: (status, output)."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MFLAGS"}
    done = subprocess.run(["make", "-j2", *words], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.returncode, done.stdout


with tempfile.TemporaryDirectory() as tmp:
    given = os.path.join(tmp, "given.txt")
    with open(given, "w", encoding="utf-8") as f:
        f.write("from outside\n")
    for text, settings in ((WANT + "end\n", {}), (WANT + "  given.txt 13\nfrom outside\nend\n", {"file": given})):
        what = "with FILE" if settings else "without FILE"
        done = boot(built("embed"), smp=2, mem="64M", **settings)
        report.check(f"metal, {what}", done.status == 0 and done.text.replace("\r", "").endswith(text), done)
        for variant in ("host", "asan", "nasty"):
            program = f"build/{variant}/app/embed/embed"
            status, out = make(program) if not settings else (0, "")
            if status == 0:
                status, out = hosted(os.path.join(ROOT, program), settings.get("file"))
            report.check(f"{variant}, {what}", status == 0 and out == text, f"status {status}\n{out}")

    # A folder that changes: of another name, so that nobody else builds it.
    app = os.path.join(tmp, "embedchange")
    shutil.copytree(os.path.join(ROOT, "apps/embedded"), app)
    image = os.path.join(ROOT, "build/host/app/embedchange/embedchange")
    words = (f"APP={app}", f"APP={app}", "build/host/app/embedchange/embedchange")

    def put(name, text):
        with open(os.path.join(app, "embed", name), "w", encoding="utf-8") as f:
            f.write(text)

    def shows(what, text):
        status, out = make(*words)
        ran = hosted(image) if status == 0 else (status, out[-2000:])
        report.check(what, ran == (0, text), f"{ran}")

    GREETING = "greeting.txt: Hello from a file in the image.\n"
    shows("the example", GREETING)
    status, out = make(*words)
    report.check("nothing changed: nothing built", status == 0 and not re.search("EMBED|LINK", out), out)
    put("a file.txt", "one\n")
    shows("a file that is new", "a file.txt: one\n" + GREETING)
    put("a file.txt", "two\n")
    stamp = os.path.getmtime(os.path.join(app, "embed/a file.txt")) + 2
    os.utime(os.path.join(app, "embed/a file.txt"), (stamp, stamp))
    shows("a file that changed", "a file.txt: two\n" + GREETING)
    os.remove(os.path.join(app, "embed/greeting.txt"))
    shows("a file that went away", "a file.txt: two\n")
    os.remove(os.path.join(app, "embed/a file.txt"))
    shows("an empty folder", "")
    shutil.rmtree(os.path.join(app, "embed"))
    shows("no folder", "")
    os.mkdir(os.path.join(app, "embed"))
    put('quote".txt', "x")
    status, out = make(*words)
    report.check("a name that cannot be is named", status != 0 and "quote" in out, out[-500:])
    shutil.rmtree(os.path.join(ROOT, "build/host/app/embedchange"), ignore_errors=True)

done = boot(os.path.join(ROOT, "build/metal/app/embedded.elf"), mem="64M")
report.check("the example on metal", done.status == 0 and "greeting.txt: Hello from a file in the image." in done.text, done)
sys.exit(report.end())
