#!/usr/bin/python3 -B
"""The console of a running image: commands typed on its serial line and asked over HTTP
show what the image does, while it does it; an unknown one names the nearest known."""
import re
import subprocess
import sys

from qemu import Guest, Report, built, free_port

report = Report("console")
port = free_port()


def http(path, *options):
    """(status, text)"""
    done = subprocess.run(["curl", "-s", "-S", "-m", "60", "-w", "\n%{http_code}", *options, f"http://127.0.0.1:{port}{path}"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    text, _, status = done.stdout.rpartition("\n")
    return status, text


def typed(guest, line, end):
    """What the console answers to a line, up to the expression that ends it."""
    guest.send(line + "\n")
    echoed = guest.expect(re.escape(line) + r"\r?\n", 60)
    begin = guest.seen
    found = echoed and guest.expect(end, 60)
    return guest.raw[begin:guest.seen].decode("utf-8", "replace").replace("\r\n", "\n") if found else ""


def packets(text):
    """{"rx 0": frames} of netstat."""
    return {f"{way} {queue}": int(frames) for way, queue, frames in re.findall(r"^\d+ +virtio-net +(rx|tx) (\d+) +(\d+)", text, re.M)}


def interrupts(text):
    """{what for: count over all cores} of irq."""
    sums = {}
    for count, name in re.findall(r"^ *\d+ +\d+ +(\d+)  (.+)$", text, re.M):
        sums[name] = sums.get(name, 0) + int(count)
    return sums


COMMANDS = ("help", "ps", "p", "mem", "mcache", "gc", "irq", "netstat", "log")
# A second card, of virtio's version 0, which the driver leaves alone and says so.
OLD = ["-netdev", "user,id=old", "-device", "virtio-net-pci,netdev=old,disable-modern=on,disable-legacy=off"]
with Guest(built("demo"), extra=OLD, ports=f"{port}:80", smp=2) as guest:
    report.check("up", guest.expect("serving on port 80"), guest.text)

    # The serial line.
    text = typed(guest, "help", r"log +the last[^\n]*\n")
    report.check("help lists all", all(re.search(rf"^{c}\b", text, re.M) for c in COMMANDS), text)
    text = typed(guest, "ps", r"\n *1 +\d+[^\n]*\n")
    report.check("ps shows tasks, their state and who started them",
                 re.search(r"^ +\d+ +\d+ +\d+ +\d+m  IO wait \(system\) +virtio_start drivers/virtio\.c:\d+$", text, re.M) and
                 re.search(r"\d+ IO wait", text), text)
    text = typed(guest, "p", r"global queue: \d+\r?\n")
    report.check("p shows both cores", re.search(r"^ 0 (running|idle|scheduling)", text, re.M) and
                 re.search(r"^ 1 (running|idle|scheduling)", text, re.M), text)
    text = typed(guest, "netsta", r"help lists all\)\r?\n")
    report.check("an unknown command is an error, with the nearest known one",
                 text == 'unknown command "netsta"; the nearest known one is netstat (help lists all)\n', text)
    guest.send("irx\x7fq\n")
    report.check("backspace takes a letter back", guest.expect(r"VECTOR +CORE +COUNT  FOR", 60), guest.text[-500:])
    guest.send("\n \n" + "x" * 1000 + "\n")
    report.check("a line that is too long does no harm", guest.expect(r'unknown command "x+"', 60), guest.text[-500:])
    guest.send("\x14")
    report.check("Ctrl-T still shows all stacks", guest.expect(r"\d+ goroutines: [^\n]*\n(.*\n)*?goroutine \d+ \[", 60), guest.text[-500:])

    # HTTP.
    for command in COMMANDS:
        status, text = http(f"/debug/{command}")
        report.check(f"/debug/{command}", status == "200" and len(text) > 20, (status, text))
    status, text = http("/debug/")
    report.check("/debug/ is help", status == "200" and text.startswith("help "), (status, text))
    status, text = http("/debug/memm")
    report.check("an unknown one is 404, with the nearest known", status == "404" and "the nearest known one is mem " in text, (status, text))
    status, text = http("/debug/runtime")
    report.check("/debug/runtime is JSON", status == "200" and text.startswith('{"now":') and '"caches":[' in text, text[:200])

    # What changes is seen.
    before, irqs = packets(http("/debug/netstat")[1]), interrupts(http("/debug/irq")[1])
    for _ in range(10):
        http("/debug/p")
    after, later = packets(http("/debug/netstat")[1]), interrupts(http("/debug/irq")[1])
    report.check("packets are counted by queue, both ways", sum(v for k, v in after.items() if k[0] == "r") >= 10 + sum(
        v for k, v in before.items() if k[0] == "r") and sum(v for k, v in after.items() if k[0] == "t") >= 10 + sum(
        v for k, v in before.items() if k[0] == "t"), (before, after))
    report.check("interrupts are counted by vector", later.get("virtio-net queue 0", 0) > irqs.get("virtio-net queue 0", 0) and
                 later.get("timer", 0) >= irqs.get("timer", 0) > 0, (irqs, later))
    status, text = http("/debug/netstat")
    report.check("netstat shows addresses and connections", "eth0 " in text and " 10.0.2.15" in text and
                 re.search(r"^tcp +(0\.0\.0\.0|\[::\]):80 +- +LISTEN", text, re.M) and re.search(r"^tcp +\S+:80 +10\.0\.2\.2:\d+ +ESTABLISHED", text, re.M), text)
    status, text = http("/load/tasks", "-X", "POST")
    text = http("/debug/ps")[1]
    report.check("ps cuts a long list off, and says so", text.count("\n") < 110 and re.search(r"and \d{4} more: ps all", text), text[-300:])
    text = http("/debug/ps?arg=all")[1]
    report.check("ps all does not", text.count("\n") > 5000 and "ingot" not in text.splitlines()[0], text[-300:])
    n = int(re.match(r"(\d+) cycles", http("/debug/gc")[1])[1])
    http("/load/collect", "-X", "POST")
    text = http("/debug/gc")[1]
    report.check("gc shows the collection that was asked for", int(re.match(r"(\d+) cycles", text)[1]) > n and " (forced)" in text, text)
    text = http("/debug/log")[1]
    report.check("the log has levels, and what happened", re.search(r"^ +\d+\.\d{3} INFO +task \d+: load: tasks$", text, re.M) and
                 "load: collect" in text, text)
    report.check("and the card's address", re.search(r" INFO +task \d+: eth0: address 10\.0\.2\.15$", text, re.M), text)
    report.check("and what a driver had to say", re.search(r" WARN +task \d+: virtio-net at pci \S+: .*; not used$", text, re.M), text)
sys.exit(report.end())
