"""Chromium without a window, driven over two pipes, which needs no library.

It speaks the Chrome DevTools Protocol: https://chromedevtools.github.io/devtools-protocol/.
"""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

FLAGS = [
    "--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--force-color-profile=srgb", "--hide-scrollbars"]


class Browser:
    """A running browser. Messages end with a zero byte."""

    def __init__(self):
        program = shutil.which("chromium") or shutil.which("google-chrome")
        assert program, "no Chromium here: apt-get install chromium"
        self._profile = tempfile.mkdtemp()
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        # Chromium reads its commands from descriptor 3 and answers on 4.
        shell = 'exec "$@" 3<&%d 4>&%d' % (commands, answers)
        flags = [*FLAGS, f"--user-data-dir={self._profile}"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "bash", program, *flags], pass_fds=[commands, answers],
            stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(answers)
        self._buffer, self._count = b"", 0
        self._pages = {}

    def close(self):
        self._process.terminate()
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)
        shutil.rmtree(self._profile, ignore_errors=True)

    def page(self, **options):
        """Returns a new page; see `Page`."""
        return Page(self, **options)

    def call(self, method, session=None, **parameters):
        """Sends a command and returns the answer; the pages note the events in between."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (answer := self.receive()).get("id") != self._count:
            pass
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    def receive(self):
        """Returns the next message, an answer or an event."""
        while b"\0" not in self._buffer:
            data = os.read(self._answers, 1 << 16)
            assert data, "Chromium ended"
            self._buffer += data
        text, self._buffer = self._buffer.split(b"\0", 1)
        message = json.loads(text)
        if page := self._pages.get(message.get("sessionId")):
            page.note(message.get("method"), message.get("params"))
        return message

    def attach(self, page):
        """Opens a tab for a page and returns its names as target and as session."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._pages[session] = page
        return target, session


class Page:
    """A tab. `requests` and `complaints` are of the page that is open in it."""

    def __init__(self, browser, width=1280, height=900, dark=False, scripts=True):
        self.requests, self.complaints, self._is_loaded = [], [], False
        self._browser, self._has_scripts = browser, scripts
        self._target, self._session = browser.attach(self)
        for domain in "Page", "Network", "Runtime", "Log":
            self.call(f"{domain}.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height,
            deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)

    def close(self):
        self._browser.call("Target.closeTarget", targetId=self._target)

    def call(self, method, **parameters):
        """Sends a command to the tab and returns the answer."""
        return self._browser.call(method, self._session, **parameters)

    def note(self, method, parameters):
        """Takes in an event."""
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Page.loadEventFired":
            self._is_loaded = True
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(parameters["exceptionDetails"])
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning"):
            self.complaints.append(parameters["args"])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.complaints.append(parameters["entry"])

    def open(self, url):
        """Opens an address and waits until everything of it is loaded."""
        self.requests, self.complaints, self._is_loaded = [], [], False
        self.call("Page.navigate", url=url)
        while not self._is_loaded:
            self._browser.receive()
        if self._has_scripts:
            # Whatever scripts do once the page is there.
            self.evaluate("new Promise(done => requestIdleCallback(done))")
        return self

    def evaluate(self, expression):
        """Returns the value of an expression in the page; it waits for a promise."""
        result = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def point(self, x, y):
        """Moves the mouse."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, x, y):
        """Clicks with the left button."""
        for kind in "mousePressed", "mouseReleased":
            self.call(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key, count=1):
        """Presses a key a number of times."""
        for _ in range(count):
            self.call("Input.dispatchKeyEvent", type="keyDown", key=key)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def picture(self, path):
        """Saves the whole page as PNG."""
        size = self.evaluate(
            "(() => { const e = document.documentElement;"
            " return {width: e.scrollWidth, height: e.scrollHeight}; })()")
        data = self.call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True,
            clip={"x": 0, "y": 0, "scale": 1} | size)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def pdf(self, path):
        """Prints the page to a PDF file."""
        data = self.call("Page.printToPDF", printBackground=True)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))
