#!/usr/bin/python3 -B
"""The demo as people meet it: `make run` with no more words boots it and prints an
address; headless Chromium opens that: each part of the picture is there and says what
/api/runtime says; the buttons make the runtime work; no errors, nothing from elsewhere.

test: limit=400

The screenshot lies in build/test/demo.png; UPDATE=1 puts it where README shows it."""
import json
import os
import re
import shutil
import socket
import sys
import urllib.request

from chromium import Browser
from qemu import ROOT, MakeRun, Report

report = Report("demo")
SHOT = "apps/demo/page.png"
PARTS = {"procs": "Cores and their Ps", "tasks": "Tasks by state", "memory": "mheap", "collector": "Collections",
         "objects": "A span and its objects", "interrupts": "timer", "network": "eth0 rx 0", "log": "serving on port 80"}

# What the picture says, by the words its shapes carry, beside the answer it was made of.
PICTURE = """(() => {
	const all = s => [...document.querySelectorAll(s)], n = v => +v, sum = a => a.reduce((x, y) => x + y, 0);
	const of = (s, k) => all(s).map(e => n(e.dataset[k]));
	const text = s => all(s).map(e => n(e.textContent.replace(/,/g, "")));
	return {
		parts: Object.fromEntries(all("[data-part]").map(e => [e.dataset.part, e.textContent])),
		sizes: Object.fromEntries(all("[data-part]").map(e => [e.dataset.part, e.getBoundingClientRect().height])),
		procs: all("[data-proc]").map(e => e.dataset.state === "running"),
		runq: text("[data-runq]"), global_runq: sum(of("[data-global-runq]", "globalRunq")),
		tasks: Object.fromEntries(all("[data-count]").map(e => [e.dataset.state, n(e.dataset.count)])),
		mcache: all("[data-mcache]").map(e => [n(e.dataset.mcache), n(e.dataset.slots), n(e.dataset.free)]),
		mcentral: ["full", "partial", "unswept"].map(s => sum(of(`[data-mcentral=${s}]`, "spans"))),
		cells: new Set(all("[data-cell]").map(e => e.dataset.cell)).size,
		in_use: sum(of("[data-in-use]", "inUse")), cycles: of("[data-cycle]", "cycle"),
		shown: window.shown,
	};
})()"""


def picture_is_right(when, p, cores):
    """Compares what was drawn with what it was drawn of."""
    r = p["shown"]
    heap, spans, caches = r["heap"], r["heap"]["spans"], r["heap"]["caches"]
    report.check(f"{when}: cores and Ps", r["cores"] == len(r["procs"]) == cores and
                 p["procs"] == [x["state"] == "running" for x in r["procs"]] and any(p["procs"]), (p["procs"], r["procs"]))
    report.check(f"{when}: run queues", p["runq"] == [x["runq"] for x in r["procs"]] and
                 p["global_runq"] == r["global_runq"], (p["runq"], r["procs"]))
    states = {t["state"]: t["user"] + t["system"] for t in r["tasks"]}
    report.check(f"{when}: tasks by state", p["tasks"] and all(states[s] == n for s, n in p["tasks"].items()) and
                 states.get("running", 0) >= 1 and
                 abs(sum(t["user"] for t in r["tasks"]) - r["num_task"]) <= 8 + r["num_task"] // 10, (p["tasks"], r["tasks"]))
    report.check(f"{when}: mcaches", p["mcache"] and sorted(p["mcache"]) == sorted(
        [c["proc"], c["slots"], c["free"]] for c in caches) and all(c["free"] <= c["slots"] for c in caches), p["mcache"])
    report.check(f"{when}: mcentral", p["mcentral"] == [sum(s[k] for s in spans) for k in ("full", "partial", "unswept")]
                 and all(s["cached"] + s["full"] + s["partial"] + s["unswept"] == s["spans"] for s in spans), p["mcentral"])
    in_spans, mapped = sum(s["bytes"] for s in spans), [sum(c) * 8192 for c in heap["map"]]
    report.check(f"{when}: mheap", p["cells"] == len(mapped) > 100 and sum(mapped) == heap["total"] and
                 p["in_use"] == heap["in_use"] and abs(in_spans - heap["in_use"]) <= 4 << 20,
                 (p["cells"], len(mapped), in_spans, heap["in_use"]))
    report.check(f"{when}: collections", p["cycles"] == [c["number"] for c in r["gc"]][-24:] and
                 all(c["live"] <= c["heap_before"] + (4 << 20) and 0 < sum(c["stops"]) <= c["duration"] for c in r["gc"]),
                 (p["cycles"], r["gc"]))


def runtime():
    with urllib.request.urlopen(f"{address}api/runtime", timeout=60) as answer:
        return json.load(answer)


with socket.socket() as taken:
    # Whoever has 8080, it is not free now.
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind(("127.0.0.1", 8080))
        taken.listen()
    except OSError:
        pass
    guest = MakeRun()
    with guest:
        found = guest.expect(r"booting apps/demo on 2 cores; its page will be (http://localhost:(\d+)/)\r?\n", 240)
        report.check("make run says that it boots, and where the page will be", found, guest.text)
        address = found[1].decode()
        report.check("a port that is taken is passed by", int(found[2]) > 8080, address)
        up = guest.expect(r"demo: open " + re.escape(address))
        report.check("it says when it is ready", up, guest.text)
        with Browser(1140, 1000) as page:
            page.open(address)
            report.check("live data arrive", page.wait("+document.body?.dataset.seen >= 2"), page.errors)
            p = page.eval(PICTURE)
            for part, word in PARTS.items():
                report.check(f"shows {part}", word in p["parts"].get(part, "") and p["sizes"][part] > 80,
                             (p["parts"].get(part), p["sizes"].get(part)))
            picture_is_right("at rest", p, 2)
            at_rest, collected = p["shown"]["num_task"], runtime()["num_gc"]
            report.check("few tasks at rest", at_rest < 20, at_rest)

            page.eval("document.querySelector('[data-load=tasks]').click()")
            report.check("10,000 tasks are seen", page.wait("shown.num_task > 9000", 90), page.eval("shown.num_task"))
            page.eval("document.querySelector('[data-load=allocate]').click()")
            page.eval("document.querySelector('[data-load=collect]').click()")
            report.check("a collection that was asked for is seen",
                         page.wait(f"shown.num_gc > {collected} && shown.gc.some(c => c.forced)", 90), page.eval("shown.gc"))
            report.check("allocation makes further ones", page.wait(f"shown.num_gc > {collected + 2}", 90),
                         page.eval("shown.gc"))
            busy = page.eval(PICTURE)
            picture_is_right("at work", busy, 2)
            # A moment at which each P has allocated since the last collection says most.
            page.wait("new Set(shown.heap.caches.map(c => c.proc)).size === 2 && shown.heap.caches.length > 16", 20)
            os.makedirs(f"{ROOT}/build/test", exist_ok=True)
            shot = f"{ROOT}/build/test/demo.png"
            page.screenshot(shot)
            report.check("a screenshot", os.path.getsize(shot) > 30_000, os.path.getsize(shot))
            if os.environ.get("UPDATE"):
                shutil.copyfile(shot, f"{ROOT}/{SHOT}")
            with open(f"{ROOT}/{SHOT}", "rb") as f:
                kept = f.read()
            report.check("README's screenshot is small", kept[:8] == b"\x89PNG\r\n\x1a\n" and len(kept) <= 200 << 10, len(kept))

            light = page.eval("getComputedStyle(document.body).backgroundColor")
            page.page("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
            dark = page.eval("getComputedStyle(document.body).backgroundColor")
            report.check("it is dark for who likes it dark", light != dark, (light, dark))
            away = page.eval("performance.getEntriesByType('resource').map(e => e.name)")
            report.check("nothing comes from elsewhere", len(away) >= 3 and all(u.startswith(address) for u in away), away[:5])
            report.check("no error on the page", not page.errors, page.errors)
            report.check("the tasks end, and none is left", page.wait(f"shown.num_task <= {at_rest + 2}", 120),
                         page.eval("shown.num_task"))
sys.exit(report.end())
