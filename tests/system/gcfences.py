#!/usr/bin/python3 -B
"""Tests of the collector fail when a step of it is left out.

    gcfences.py [STEP ...]

test: limit=900

As fences.py, for the steps gc_... of rt/sabotage.h: each is left out of
build/sabotage/ (a Linux process) or, where it is about the processor's own
translations, of build/mnasty/ (an image), and the test named here is run until it
fails, as it must: mostly checkmark mode says which object was forgotten.  With
nothing left out the same tests pass."""
import os
import re
import subprocess
import sys
import time

from qemu import ROOT, Report, boot

LIMIT = 120  # seconds for one step
# allocfail: with an allocation test mode on, small heaps are marked beside the tasks, too.
BESIDE, ALONE = "allocfail=1000000,", ""

HOSTED = {
    "gc_collect": ("gcmove", "carriers_beside_collections", BESIDE),
    "gc_rescan_order": ("gcmove", "carriers_beside_collections", BESIDE),
    "gc_last_collect": ("gcmove", "carriers_beside_collections", BESIDE),
    "gc_ran": ("gcmove", "carriers_beside_collections", BESIDE),
    "gc_keep": ("gcsteps", "what_timers_hold_lives", BESIDE),
    "gc_registers": ("gcsteps", "what_a_register_holds_lives", BESIDE),
    "gc_vectors": ("gcsteps", "what_a_vector_register_holds_lives", BESIDE),
    "gc_black": ("gcmove", "one_carrier_beside_collections", ALONE),
    "gc_globals": ("gcsteps", "what_globals_hold_lives", BESIDE),
    "gc_finalizers": ("gcsteps", "what_finalizers_get_lives", BESIDE),
    "gc_atomic": ("gcsteps", "what_there_was_no_memory_to_mark_lives", BESIDE),
    "gc_overflow": ("gcsteps", "what_there_was_no_memory_to_mark_lives", BESIDE),
    "gc_weak": ("weak", "after_marking_before_sweeping", ALONE),
}
BOOTED = {
    "gc_flush": ("gcmove", "carriers_beside_collections", BESIDE),
    "gc_ack": ("gcmove", "carriers_beside_collections", BESIDE),
}
DIRTY_BITS = "gc_dirty_bits"
ELSEWHERE = "gc_limit"  # gclimit.py
NO_BITS = "ingot: stores set no dirty bits"


def hosted(step, program, test, words):
    """(failed, what it printed) of one run."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GO")}
    env["GODEBUG"] = f"{words}gccheckmark=1,junkfill=1,sabotage={step}"
    env["INGOT_CORES"] = "2"
    try:
        done = subprocess.run([f"{ROOT}/build/sabotage/unit/{program}", test], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return True, "hangs"
    return done.returncode != 0, done.stdout.decode("utf-8", "replace")


def booted(step, program, test, words):
    done = boot(f"{ROOT}/build/mnasty/unit/{program}.elf", limit=LIMIT, smp=2, mem="256M", args=test,
                godebug=f"{words}gccheckmark=1,junkfill=1,sabotage={step}")
    return done.status != 0, done.text


def reason(text):
    found = re.search(r"^(gccheckmark: .*|FAIL .*|fatal error: .*|panic: .*)$", text, re.M)
    return (found[1] if found else text[-500:]).strip()


def caught(report, run, step, program, test, words):
    began = time.monotonic()
    failed = False
    while not failed and time.monotonic() - began < LIMIT:
        failed, text = run(step, program, test, words)
    took = time.monotonic() - began
    print(f"{step}: {took:.1f} s: {reason(text)[:150]}", flush=True)
    report.check(f"{step} is noticed by {test}", failed, f"not in {took:.0f} s")


def main():
    report = Report("gcfences")
    wanted = sys.argv[1:]
    targets = sorted({f"build/sabotage/unit/{p}" for p, _, _ in HOSTED.values()} |
                     {f"build/mnasty/unit/{p}.elf" for p in ("gcmove", "gcsteps")})
    if not report.builds(*targets):
        return report.end()
    with open(f"{ROOT}/rt/sabotage.h", encoding="utf-8") as f:
        named = set(re.findall(r"^\tX\((gc_\w+)\)", f.read(), re.M)) - {DIRTY_BITS, ELSEWHERE}
    report.check("each step has its test", named == set(HOSTED) | set(BOOTED), named ^ set(HOSTED) ^ set(BOOTED))

    for run, steps in ((hosted, HOSTED), (booted, BOOTED)):
        mine = {s: steps[s] for s in wanted or steps if s in steps}
        for how in sorted(set(mine.values())):
            failed, text = run("none", *how)
            report.check(f"with nothing left out {how[1]} passes{' on metal' if run == booted else ''}", not failed,
                         text[-2000:])
        for step, how in mine.items():
            caught(report, run, step, *how)

    # A machine without these bits: the test at boot says so, and all is looked at.
    if not wanted or DIRTY_BITS in wanted:
        failed, text = booted(DIRTY_BITS, "gcmove", "one_carrier_beside_collections", BESIDE)
        report.check("without dirty bits nothing is lost", not failed and NO_BITS in text, text[-2000:])
        failed, text = booted("none", "gcsteps", "what_a_register_holds_lives", BESIDE)
        report.check("QEMU's machine has them", not failed and NO_BITS not in text, text[-2000:])
    return report.end()


sys.exit(main())
