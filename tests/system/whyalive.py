#!/usr/bin/python3 -B
"""What why_alive() and heap_dump() print: roots by name, chains with offsets, who allocated."""
import re

from qemu import ROOT, Report, boot

IMAGE = "build/metal/unit/whyalive.elf"

report = Report("whyalive")
report.builds(IMAGE)
done = boot(f"{ROOT}/{IMAGE}", mem="256M")
blocks = re.findall(r"^expect: ([^\n]*)\n(.*?)^end$", done.text, re.M | re.S)
text = dict(blocks)

ADDRESS = r"0x[0-9a-f]+"


def chain(what, root, first, more):
    """The block's answer: a root that matches, then so many objects."""
    body = text.get(what, "")
    lines = body.splitlines()
    good = (len(lines) == 2 + more and re.fullmatch(rf"why_alive\({ADDRESS}\): {root}", lines[0])
            and re.fullmatch(rf"    -> object {ADDRESS}, {first}", lines[1])
            and all(re.fullmatch(rf"    \+0 -> object {ADDRESS}, 16 bytes(, allocated by .*)?", line) for line in lines[2:]))
    report.check(what, good, body or done)


report.check("the image ends well", done.status == 0, done)
chain("global global_list+0, 5 objects", r"global global_list\+0", "16 bytes", 4)
chain("global global_struct+24, 1 object", r"global global_struct\+24", "16 bytes", 0)
chain("stack of keeper, 3 objects", r"goroutine \d+, stack of keeper tests/unit/whyalive\.c:\d+", "16 bytes", 2)
chain("finalizer, 1 object",
      rf"what has a finalizer keeps what it points to: object {ADDRESS}, 16 bytes, has a finalizer", "16 bytes", 0)
chain("allocated by chain_of", r"global global_list\+0",
      r"16 bytes, allocated by chain_of tests/unit/whyalive\.c:\d+", 1)
report.check("a long chain is cut in the middle", re.search(r"\.\.\. 19960 more \.\.\.", done.text), done)
dumps = [(what, body) for what, body in blocks if what.startswith("a line of a dump: ")]
report.check("a dump has each object with its pointers",
             len(dumps) == 1 and dumps[0][0].split(": ")[1] in dumps[0][1].splitlines()
             and re.search(r"^heap dump: \d+ objects, \d+ bytes$", dumps[0][1], re.M), dumps[0][0] if dumps else done)
report.end()
