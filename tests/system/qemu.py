"""Drives whole images from outside; for the tests of this folder.

    from qemu import Report, boot, built, Guest

    report = Report("hello")
    done = boot(built("hello"), smp=4)                  # runs to its end
    report.check("prints its line", "hello" in done.text, done)

    with Guest(built("chat")) as guest:                 # step by step
        guest.expect(r"ready")
        guest.send("quit\\n")
        status = guest.wait()

    sys.exit(report.end())

Every boot goes through tests/qemu.sh, so that a test and `make run` start the
same machine.  QEMU and its children end with the test, whatever happens."""

import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BACKSTOP = 120  # seconds; against hanging only


def built(app, variant="metal"):
    """The image of an app of the tree; tests/run has built it."""
    return f"{ROOT}/build/{variant}/app/{app}.elf"


def free_port():
    """A TCP port of this machine that nobody uses, for PORTS."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Done:
    """A finished boot: status (of the image), text (its console), seconds."""

    def __init__(self, command, status, text, seconds):
        self.command, self.status, self.text, self.seconds = command, status, text, seconds

    def __str__(self):
        end = "\n".join("    " + line for line in self.text.splitlines()[-20:])
        return f"status {self.status} after {self.seconds:.1f} s\n    {self.command}\n{end}"


class Guest:
    """A booted image whose console is read and written while it runs.

    settings are those of tests/qemu.sh in lower case (smp=4, machine="microvm",
    args="a b", gogc=50, file=..., boot="word=value"); extra is a list of
    further QEMU options."""

    def __init__(self, image, extra=(), limit=BACKSTOP, **settings):
        env = {k: v for k, v in os.environ.items() if k not in (
            "SMP", "MEM", "CPU", "MACHINE", "DISK", "FILE", "ARGS", "GOMAXPROCS", "GOGC", "GOMEMLIMIT",
            "GODEBUG", "PANIC", "BOOT", "GDB", "PORTS", "NET", "CONFIG")}
        words = {k.upper(): str(v) for k, v in settings.items()}
        env.update(words)
        command = [f"{ROOT}/tests/qemu.sh", image, *extra]
        self.command = " ".join([f"{k}='{v}'" for k, v in words.items()] + ["tests/qemu.sh"] +
                                [os.path.relpath(image, ROOT)] + list(extra))
        self.start(command, env, limit)

    def start(self, command, env, limit):
        self.deadline = time.monotonic() + limit
        self.began = time.monotonic()
        self.raw = b""
        self.seen = 0  # where expect() goes on
        self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def text(self):
        """All that was printed so far; the console's \\r\\n read as \\n."""
        return self.raw.decode("utf-8", "replace").replace("\r\n", "\n")

    def read_some(self, until):
        """Reads what comes before `until`; False at the end of the output."""
        if not self.selector.select(max(0, until - time.monotonic())):
            return True
        data = self.process.stdout.read(65536)
        if data:
            self.raw += data
        return data != b""

    def expect(self, pattern, limit=None):
        """Waits until the console shows pattern (after the last match); the
        match, or None when the image ended or the limit passed."""
        until = min(self.deadline, time.monotonic() + (limit or BACKSTOP))
        while True:
            found = re.compile(pattern.encode()).search(self.raw, self.seen)
            if found:
                self.seen = found.end()
                return found
            if time.monotonic() >= until or not self.read_some(until):
                return None

    def send(self, text):
        """Types on the console."""
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def wait(self):
        """Reads to the end; the image's status, or None past the limit."""
        while time.monotonic() < self.deadline:
            if not self.read_some(self.deadline):
                break
        try:
            status = self.process.wait(max(0.1, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            status = None
        self.kill()
        return status

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stdout.close()
        self.process.stdin.close()


class MakeRun(Guest):
    """`make run WORDS`, as a person types it."""

    def __init__(self, *words, limit=2 * BACKSTOP):
        env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k not in (
            "MFLAGS", "APP", "SMP", "MEM", "CPU", "MACHINE", "DISK", "FILE", "ARGS", "GOMAXPROCS", "GOGC", "GOMEMLIMIT",
            "GODEBUG", "PANIC", "BOOT", "GDB", "PORTS", "NET", "V", "TIMEOUT")}
        self.command = " ".join(["make", "run", *words])
        self.start(["make", "run", *words], env, limit)


def boot(image, extra=(), limit=BACKSTOP, **settings):
    """Boots an image and waits for its end: a Done (status None: killed)."""
    guest = Guest(image, extra, limit, **settings)
    try:
        guest.process.stdin.close()
        while time.monotonic() < guest.deadline and guest.read_some(guest.deadline):
            pass
        try:
            status = guest.process.wait(max(0.1, guest.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            status = None
        return Done(guest.command, status, guest.text, time.monotonic() - guest.began)
    finally:
        guest.kill()


class Report:
    """Prints one line per case as tests/run wants them."""

    def __init__(self, name):
        self.name, self.bad = name, 0

    def check(self, what, good, evidence=""):
        """One case; evidence is printed when it fails."""
        if good:
            print(f"ok {self.name} {what}", flush=True)
        else:
            self.bad += 1
            print(f"FAIL {self.name} {what}: {evidence}", flush=True)
        return good

    def builds(self, *targets):
        """The case that make makes these, named from the tree's top."""
        done = subprocess.run(["make", *targets], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        return self.check("builds", done.returncode == 0, done.stdout.decode("utf-8", "replace")[-2000:])

    def skip(self, what, reason):
        print(f"skip {self.name} {what}: {reason}", flush=True)

    def end(self):
        return 1 if self.bad else 0


def pattern(lines):
    """The expression for what a text shows of an output: a line "..." stands for any
    lines, "..." inside a line for anything there, and runs of blanks count as one."""
    text = ""
    for line in lines:
        if line.strip() == "...":
            text += r"(?:.*\n)*?"
        else:
            parts = [r"[ \t]+".join(re.escape(word) for word in part.split()) for part in line.split("...")]
            text += r"[ \t]*" + r"\s*.*?\s*".join(parts) + r"[ \t]*\n"
    return re.compile(text)


if __name__ == "__main__":
    sys.exit("qemu.py is for the tests beside it; see its first lines")
