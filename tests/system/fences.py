#!/usr/bin/python3 -B
"""Tests of the memory model and the scheduler fail when a step of the runtime is left out.

    fences.py [STEP ...]

test: limit=900

rt/sabotage.h names the steps; build/sabotage/ is the hosted variant that can leave
one out.  For each, the test named here runs for longer and longer slices until it
fails, as it must: by a failed check, the runtime's own report, or by hanging.  With
nothing left out the same tests pass.  That variant's litmus.c uses api_atomic.h
without its order, so its shapes that x86 weakens must fail, too."""
import os
import re
import subprocess
import sys
import time

from qemu import ROOT, Report

# Most fail in the first slice.  How long it takes is luck: two cores must meet in
# a window of nanoseconds; so the last ones are long.
SLICES = (100, 400, 1600, 6400, 25600, 60000)  # ms
HANGS = 15  # seconds beyond the slice

HAPPENS, LITMUS, SCHED = "happens_before", "litmus", "sched"
STEPS = {
    "lock": "a_send_comes_before_its_receive",
    "wakep_fence": "no_wake_up_is_lost",
    "wakep_order": "no_wake_up_is_lost",
    "idle_look": "no_wake_up_is_lost",
    "on_cpu": "a_receive_comes_before_the_end_of_its_send",
    "runq_tail": "a_groups_tasks_come_before_the_end_of_its_wait",
    "park_status": "an_unlock_comes_before_the_next_lock",
    "chan_handoff": "a_value_comes_whole",
    "select_done": "select_is_as_send_and_receive",
    "sema_fence": "no_release_is_lost",
    "sema_look": "no_release_is_lost",
    "mutex_lock": "an_unlock_comes_before_the_next_lock",
    "mutex_unlock": "an_unlock_comes_before_the_next_lock",
    "rwmutex_count": "readers_come_between_writers",
    "wait_group_add": "done_comes_before_the_end_of_wait",
    "once_order": "the_call_comes_before_once_returns",
    "cond_ticket": "a_signal_comes_before_the_end_of_its_wait",
    "context_order": "a_cancel_comes_before_what_sees_it",
}
# What tests/unit/sched.c finds: whole runs, so their length does not matter.
TURNS = {
    "ready_wakep": "who_receives_gets_an_idle_core",
    "go_wakep": "a_new_task_gets_an_idle_core",
    "yield_wakep": "who_yields_to_a_preempted_task_gets_its_core",
    "found_wakep": "who_is_woken_by_a_timer_gets_an_idle_core",
    "spinning_count": "a_new_task_gets_an_idle_core",
    "tick_61": "the_global_queue_is_not_passed_over",
    "preempt_local": "who_yields_waits_for_one_loop",
    "quiet_order": "a_core_that_goes_out_of_use_leaves_its_task",
}
SHAPES = ("store_buffering", "store_forwarding", "r")


def run(program, step, ms, tests):
    """(failed, how) of one run."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GO")}
    env["GODEBUG"] = f"sabotage={step},quantum=20" if step == "yield_wakep" else f"sabotage={step}"
    if program == SCHED:
        env["INGOT_CORES"] = "4"
    try:
        done = subprocess.run([f"{ROOT}/build/sabotage/unit/{program}", f"ms={ms}", *tests], env=env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=ms / 1000 * len(tests) + HANGS, check=False)
    except subprocess.TimeoutExpired:
        return True, "hangs"
    text = done.stdout.decode("utf-8", "replace")
    found = re.search(r"^(FAIL .*|fatal error: .*|panic: .*)$", text, re.M)
    return done.returncode != 0, found[1] if found else text[-500:]


def caught(report, program, step, test, name):
    began = time.monotonic()
    for ms in SLICES:
        failed, how = run(program, step, ms, [test])
        if failed:
            print(f"{name}: {time.monotonic() - began:.1f} s: {how[:150]}", flush=True)
            break
    report.check(f"{name} is noticed by {test}", failed, f"not in {time.monotonic() - began:.0f} s")


def main():
    report = Report("fences")
    wanted = sys.argv[1:]
    if not report.builds(*(f"build/sabotage/unit/{p}" for p in (HAPPENS, LITMUS, SCHED))):
        return report.end()
    with open(f"{ROOT}/rt/sabotage.h", encoding="utf-8") as f:
        named = set(re.findall(r"^\tX\((?!gc_)(\w+)\)", f.read(), re.M)) - {"none"}
    report.check("each step has its test", named == set(STEPS) | set(TURNS), named ^ set(STEPS) ^ set(TURNS))

    for program, steps in ((HAPPENS, STEPS), (SCHED, TURNS)):
        mine = [s for s in wanted or steps if s in steps]
        tests = sorted(set(steps[s] for s in mine))
        if tests:
            failed, how = run(program, "none", 20, tests)
            report.check(f"{program}: with nothing left out they pass", not failed, how)
        for step in mine:
            caught(report, program, step, steps[step], step)
    for shape in () if wanted else SHAPES:
        caught(report, LITMUS, "none", shape, f"atomics without their order, {shape},")
    return report.end()


sys.exit(main())
