"""A headless Chromium for the tests of this folder, driven by its DevTools
protocol through a pipe: no library, no port.

    with Browser(width, height) as b:
        b.open("http://127.0.0.1:8080/")
        b.wait("document.title != ''")
        print(b.eval("document.title"))
        b.screenshot("page.png")"""
import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

NAMES = ("chromium-headless-shell", "chromium")


class Browser:
    def __init__(self, width=1280, height=900, dark=False):
        path = next((p for p in map(shutil.which, NAMES) if p), None)
        if not path:
            raise FileNotFoundError("no chromium-headless-shell; tests/deps.sh browser installs it")
        self.folder = tempfile.TemporaryDirectory()
        here, theirs = os.pipe()  # it reads commands from its descriptor 3 and answers on 4
        back, mine = os.pipe()
        command = [path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                   "--remote-debugging-pipe", f"--user-data-dir={self.folder.name}", f"--window-size={width},{height}"]
        if dark:
            command.append("--blink-settings=preferredColorScheme=0")
        shell = f'exec "$@" 3<&{here} 4>&{mine}'
        with open(f"{self.folder.name}/log", "wb") as log:
            self.process = subprocess.Popen(["bash", "-c", shell, "bash", *command], pass_fds=(here, mine), stdout=log,
                                            stderr=log, start_new_session=True)
        os.close(here)
        os.close(mine)
        self.to, self.back = theirs, os.fdopen(back, "rb", buffering=0)
        self.buffer, self.last, self.errors = b"", 0, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.page(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self.to)
        self.back.close()
        self.folder.cleanup()

    def answer(self):
        while b"\0" not in self.buffer:
            data = self.back.read(65536)
            if not data:
                with open(f"{self.folder.name}/log", encoding="utf-8", errors="replace") as log:
                    raise RuntimeError("Chromium ended: " + log.read()[-2000:])
            self.buffer += data
        one, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, session=None, **params):
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        while True:
            got = self.answer()
            if got.get("method") == "Runtime.exceptionThrown":
                self.errors.append(got["params"]["exceptionDetails"])
            elif got.get("method") == "Log.entryAdded" and got["params"]["entry"]["level"] == "error":
                self.errors.append(got["params"]["entry"])
            if got.get("id") == self.last:
                if "error" in got:
                    raise RuntimeError(f"{method}: {got['error']}")
                return got["result"]

    def page(self, method, **params):
        return self.call(method, self.session, **params)

    def open(self, url):
        self.page("Page.navigate", url=url)

    def eval(self, expression):
        """The value of an expression, which JSON can say; a promise is awaited."""
        got = self.page("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in got:
            raise RuntimeError(f"{expression}: {got['exceptionDetails']}")
        return got["result"].get("value")

    def wait(self, expression, limit=60):
        """Until the expression is true; its value, or False past the limit."""
        until = time.monotonic() + limit
        while time.monotonic() < until:
            value = self.eval(expression)
            if value:
                return value
            time.sleep(0.1)
        return False

    def screenshot(self, path, whole=True):
        got = self.page("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        with open(path, "wb") as f:
            f.write(base64.b64decode(got["data"]))
