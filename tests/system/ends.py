#!/usr/bin/python3 -B
"""How an image ends: statuses, panics, faults, deadlock, and bad boot input."""
import os
import re
import sys
import tempfile

from qemu import Report, boot, built

report = Report("ends")
ends = built("ends")


def case(what, status, *patterns, **settings):
    done = boot(ends, **{"mem": "64M", "panic": "exit", **settings})
    missing = [p for p in patterns if not re.search(p, done.text)]
    report.check(what, done.status == status and not missing, f"wanted status {status} and {missing}; got {done}")


case("returning is status 0", 0)
for n in (1, 2, 42, 127):
    case(f"main's status {n}", n, args=f"status {n}")
case("exit()", 7, args="exit 7")
case("arguments reach main", 0, r"arg 2 <a>", r"arg 3 <b c>", r"arg 4 <--x=1>", args='args a "b c" --x=1')
case("the C library on a task", 0, r"libc 1359 0\.10000000000000001 1\.414 No such file", args="libc")

# The words are Go's.
case("panic", 2, r"panic: boom 42", r"ends\.c:\d+", args="panic")
NIL = (r"panic: runtime error: invalid memory address or nil pointer dereference\r?\n"
       r"\[signal SIGSEGV: segmentation violation code=0x1 addr=0x%s pc=0x[0-9a-f]+\]\r?\n\r?\ngoroutine 1 \[running\]:")
case("nil dereference", 2, NIL % "0", r"ends\.c:\d+", args="nil")
case("wild store", 2, r"123456789000", r"ends\.c:\d+", args="wild")
case("division by zero", 2, r"integer divide by zero", r"ends\.c:\d+", args="divide")
# The chain of panics, as Go prints it.
for name, lines in (("nested", ("panic: A", "\tpanic: C", "\tpanic: B")),
                    ("again", ("panic: A [recovered]", "\tpanic: A")),
                    ("after", ("panic: B",)),
                    ("nil-in-deferred", ("panic: A", "\tpanic: runtime error: invalid memory address or nil pointer dereference",
                                         "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=")),
                    ("goexit", ("panic: B",)),
                    ("lines", ("panic: one", "\tgoroutine 9", "\tthree")),
                    ("struct", ("panic: (point) {x:1 y:2}",)),
                    ("typedef", ("panic: celsius(3)",)),
                    ("string", ("panic: text",)),
                    ("overflow", ("panic: runtime error: integer overflow",))):
    case(f"report: {name}", 2, r"(?m)^" + r"\r?\n".join(map(re.escape, lines)), r"(?m)^goroutine 1 \[running\]:", r"ends\.c:\d+",
         args=f"raise {name}")
case("call of a nil function", 2, NIL % "0", r"raise\(", args="raise call")
case("goexit of main", 2, r"no goroutines \(main called runtime\.Goexit\) - deadlock!", args="raise main-exits")
case("stack overflow", 2, r"stack overflow", r"deeper", args="overflow", mem="256M")
case("stack overflow of one task among ten thousand", 2, r"fatal error: stack overflow",
     r"goroutine \d+ \[running\]:\s+deeper\(", r"created by", args="overflow-among-many", mem="256M", smp=4)
for room in (350, 700, 1000):
    case(f"a fatal error with {room} bytes of stack", 2, r"fatal error: .*abort", r"abort_at_limit\(",
         args=f"abort-at-limit {room}")
for how, words in (("write", "map writes"), ("delete", "map writes"), ("read", "map read and map write"),
                   ("range", "map iteration and map write"), ("clone", "map clone and map write")):
    case(f"concurrent map: {how}", 2, rf"fatal error: concurrent {words}\b", args=f"map {how}")
case("deadlock", 2, r"all goroutines are asleep - deadlock!", args="deadlock")
case("abort", 2, r"abort", args="abort")
case("heap exhausted", 2, r"out of memory", r"top users by span class\n +\d+ +\d+ +\d+   with pointers", args="oom", mem="32M")
case("an object used after it was freed: junk fill shows it", 2, r"fatal error: general protection fault",
     r"ingot_main\(", args="freed", godebug="junkfill=1")
case("a finalizer that panics", 2, r"panic: finalizer of", r"panics\(", r"run_queue\(", args="finalizer")
case("more tasks than memory: the report names stacks and who wanted one", 2,
     r"out of memory: no stack for a new goroutine; \d+ goroutines have \d+ KiB of stacks", r"newproc", r"ingot_main\(", args="tasks", mem="32M")
case("a tight loop does not hold back a sleeper", 0, r"slept", args="loop", smp=1)



def heap(**settings):
    """KiB of heap and cycles after 100 MiB of garbage."""
    done = boot(ends, **{"mem": "256M", "panic": "exit", "args": "garbage", **settings})
    found = re.search(r"heap (\d+) KiB, (\d+) cycles", done.text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


off, limited, small = heap(gogc="off"), heap(gogc="off", gomemlimit="24MiB"), heap(gogc="100")
report.check("GOGC=off: no collection while memory lasts", off[1] == 0 and off[0] >= 100 << 10, off)
report.check("GOMEMLIMIT holds with GOGC=off", limited[1] > 0 and 0 < limited[0] <= 24 << 10, limited)
report.check("GOGC=100 keeps a small heap small", small[1] > limited[1] and 0 < small[0] <= 12 << 10, small)
case("schedtrace has Go's line", 0,
     r"SCHED \d+ms: gomaxprocs=2 idleprocs=\d threads=2 spinningthreads=\d needspinning=0 idlethreads=\d "
     r"runqueue=\d+ \[\d+ \d+\]", r"  P1: status=\d schedtick=\d+", r"  G\d+: status=4\(sleep\)",
     args="loop", godebug="schedtrace=5,scheddetail=1", smp=2)

# Bad input names what was wrong.
case("unknown boot parameter", 2, r"GOGCC", r"GOGC\b", boot="GOGCC=50")
case("malformed boot parameter", 2, r"GOGC=lots", gogc="lots")
case("bad core count", 2, r"GOMAXPROCS=0", gomaxprocs="0")
case("bad GODEBUG", 2, r"gctracer", godebug="gctracer=1")
case("no file is no error", 0, args="files")

with tempfile.TemporaryDirectory() as folder:
    for name, content in (("empty.txt", b""), ("small.txt", b"x"), ("odd.bin", bytes(5000))):
        path = os.path.join(folder, name)
        with open(path, "wb") as f:
            f.write(content)
        case(f"file of {len(content)} bytes", 0, rf"file 0 <{name}> {len(content)} bytes", args="files", file=path)
    done = boot(ends, file=os.path.join(folder, "nosuch"))
    report.check("missing FILE is named", done.status == 125 and "nosuch" in done.text, done)

# Too little memory: a message with the least that works, no hang.
for machine, mem in (("microvm", "2M"), ("q35", "2M")):
    done = boot(ends, machine=machine, mem=mem, limit=30)
    report.check(f"{machine} with {mem} ends with a message or works",
                 done.status == 0 or (done.status not in (None, 125) and re.search("memory", done.text)), done)
sys.exit(report.end())
