#!/usr/bin/python3 -B
"""A file of 1 GiB is counted, and one that does not fit the machine is refused.

test: limit=700"""
import os
import sys
import tempfile

from qemu import Report, boot, built

report = Report("big")
LINE = b"the quick Brown fox jumps over the lazy dog and ends this line\n"
assert len(LINE) == 63
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "big.txt")
    size = 1 << 30
    whole, rest = divmod(size, len(LINE))
    with open(path, "wb") as f:
        block = LINE * 16384
        for _ in range(whole // 16384):
            f.write(block)
        f.write(LINE * (whole % 16384) + LINE[:rest])
    assert os.path.getsize(path) == size
    counts = {}
    for words, times in ((LINE, whole), (LINE[:rest], 1)):
        for word in words.decode().lower().split():
            counts[word] = counts.get(word, 0) + times
    want = "".join(f"{n:7} {word}\n" for word, n in sorted(counts.items(), key=lambda e: (e[1], e[0]), reverse=True))
    done = boot(built("wordcount"), file=path, mem="2560M", limit=600)
    report.check("1 GiB", done.status == 0 and done.text == want, f"wanted\n{want}\ngot {done}")
    done = boot(built("wordcount"), file=path, mem="256M", limit=60)
    report.check("1 GiB does not fit 256 MiB", done.status not in (0, None) and done.text.strip() != "", done)
sys.exit(report.end())
