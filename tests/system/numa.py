#!/usr/bin/python3 -B
"""Two memory nodes, as the firmware's SRAT has them: what a task allocates comes from the
node of its core, and from the other when that is full.

test: limit=300"""
import re
import sys

from qemu import Report, boot, built

NODES = []
for i, cpus in enumerate(("0-1", "2-3")):
    NODES += ["-object", f"memory-backend-ram,id=m{i},size=192M", "-numa", f"node,nodeid={i},memdev=m{i},cpus={cpus}"]

report = Report("numa")
done = boot(built("numa"), NODES, smp=4, mem="384M", limit=120)
found = re.search(r"near (\d+) far (\d+)", done.text)
near, far = map(int, found.groups()) if found else (0, 1)
asked = [int(n) for n in re.findall(r"asked (\d+) times", done.text)]
report.check("two nodes are found", "2 nodes" in done.text and done.status == 0, done)
report.check("tasks of both nodes allocated", len(asked) == 2 and min(asked) > 20, done)
report.check("memory is near", near > 50 * far, done)
done = boot(built("numa"), NODES, smp=4, mem="384M", limit=120, args="fill 280")
mib = [int(n) for n in re.findall(r"has (\d+) MiB", done.text)]
report.check("a full node takes from the other", done.status == 0 and len(mib) == 2 and sum(mib) == 280 and min(mib) > 60, done)
done = boot(built("numa"), smp=2, mem="384M", limit=120)
report.check("without a table there is one", "1 nodes" in done.text and " far 0\n" in done.text and done.status == 0, done)
sys.exit(report.end())
