#!/usr/bin/python3 -B
"""Plants bugs in the scheduler, one at a time, and looks whether the tests of
tests/unit/sched.c find each: a test that cannot fail proves nothing.

    tests/system/sabotage.py [NAME]

A bug is a piece of source replaced by another: the changed file is compiled
and linked with the other objects of build/host, and the program must fail as
foretold.  Where the piece of source is no more, say so here with the new one.

test: limit=400"""
import os
import re
import subprocess
import sys

from qemu import ROOT, Report

# Name, file, old, new, test that must fail, what it must say.
BUGS = [
    ("a readied task wakes no core", "rt/proc.c", """	else if (next)
		wakep_fenced();
	else
		wakep();
}
""", """}
""", "who_receives_gets_an_idle_core", "sched_watch: P . sleeps"),
    ("a new task wakes no core", "rt/task.c", """	if (!alone)
		wakep_fenced();
""", "", "a_new_task_gets_an_idle_core", "sched_watch: P . sleeps"),
    ("who finds work wakes no other core", "rt/proc.c", """			wakep(); /* we found work, so there may be more: the next one looks */
""", "", "who_is_woken_by_a_timer_gets_an_idle_core", "sched_watch: P . sleeps"),
    ("a search is never counted as ended", "rt/proc.c", """			p->spinning = 0;
			at_sub(&sched.nmspinning, 1);
""", """			p->spinning = 0;
""", "a_new_task_gets_an_idle_core", "sched_watch: P . sleeps"),
    ("the global queue waits for an empty local one", "rt/proc.c", """		if (p->schedtick % 61 == 0 && (g""",
     """		if (false && (g""", "the_global_queue_is_not_passed_over", "FAIL the_global|still running"),
    ("a preempted task goes to the local queue", "rt/proc.c", """		globrunq_put(g);
		wakep();
	}
	schedule();""", """		runq_put(p, g, false, false);
		wakep();
	}
	schedule();""", "who_yields_waits_for_one_loop", "FAIL who_yields_waits"),
]
WORK = "build/sabotage"
PROGRAM = "build/host/unit/sched"


def recipe(target):
    """The last command of a target's recipe, and how its object comes to be."""
    text = subprocess.run(["make", "-Bn", "V=1", target], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True,
                          env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")}).stdout
    return [line for line in text.splitlines() if f"-o {target}" in line][-1]


def planted(number, source, old, new):
    """The program with the bug in it; None if old is not there exactly once."""
    with open(f"{ROOT}/{source}", encoding="utf-8") as f:
        text = f.read()
    if text.count(old) != 1:
        return None
    obj = f"build/host/{source[:-2]}.o"
    changed = f"{WORK}/{number}.{os.path.basename(source)}"
    with open(f"{ROOT}/{changed}", "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))
    program = f"{WORK}/sched{number}"
    compile_it = recipe(obj).replace(f"-o {obj}", f"-Irt -Wno-error -o {WORK}/{number}.o").replace(source, changed)
    link_it = recipe(PROGRAM).replace(f" {obj}", f" {WORK}/{number}.o").replace(PROGRAM, program)
    link_it = link_it.replace(f"{program}.o", f"{PROGRAM}.o")
    subprocess.run(compile_it, shell=True, cwd=ROOT, check=True)
    subprocess.run(link_it, shell=True, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return program


def run(program, test):
    try:
        done = subprocess.run([f"{ROOT}/{program}", test], env={**os.environ, "INGOT_CORES": "4"}, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired as e:
        return -1, (e.stdout or b"").decode("utf-8", "replace") + "\nstill running after 60 s"


def main():
    report = Report("sabotage")
    os.makedirs(f"{ROOT}/{WORK}", exist_ok=True)
    subprocess.run(["make", "-s", PROGRAM], cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
                   env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})
    for number, (name, source, old, new, test, says) in enumerate(BUGS):
        if len(sys.argv) > 1 and sys.argv[1] not in name:
            continue
        program = planted(number, source, old, new)
        if not program:
            report.check(name, False, f"{source} has changed: adapt the piece of source in tests/system/sabotage.py")
            continue
        status, text = run(program, test)
        report.check(name, status != 0 and re.search(says, text),
                     f"{test} does not find it: status {status}\n" + "\n".join(text.splitlines()[-20:]))
    return report.end()


sys.exit(main())
