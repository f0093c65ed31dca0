"""A page in Chromium, driven through its DevTools pipe: tests of pages need no other package.

with chromium(path, width=1280, height=720) as page:
    page.press("ArrowRight")
    assert page.run("document.title") == "..."

Chromium is started once in each process of tests, for the first page. Each page has a context of
its own, as a new browser would be: nothing is kept from one to the next. After a test that failed,
the next one gets a new browser.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 60.0
"""Seconds for an answer: a busy machine is slow, and only a broken page never answers."""

KEYS = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
KEYS |= {"Home": 36, "End": 35, "Enter": 13, "Escape": 27, " ": 32, "Tab": 9}


def program() -> str:
    """The path of Chromium; the test is skipped where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None or os.name != "posix":
        pytest.skip("Chromium is not on this machine")
    return found


class Browser:
    """A running Chromium, and the messages from and to it."""

    def __init__(self) -> None:
        command = [program(), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
        command += ["--disable-background-networking", "--disable-dev-shm-usage"]
        self._home = Path(tempfile.mkdtemp(prefix="graphnet-browser-"))
        command += ["--remote-debugging-pipe", f"--user-data-dir={self._home}"]
        (down, self._to), (self._from, up) = os.pipe(), os.pipe()
        # Chromium reads from its descriptor 3 and writes to 4; it ends when this process does.
        shell = ["sh", "-c", f'exec "$@" 3</dev/fd/{down} 4>/dev/fd/{up}', "sh", *command]
        null = subprocess.DEVNULL
        self._child = subprocess.Popen(
            shell, pass_fds=(down, up), stdin=null, stdout=null, stderr=null, start_new_session=True
        )
        for end in (down, up):
            os.close(end)
        self._rest = b""
        self._number = 0

    @property
    def is_running(self) -> bool:
        """False once it has ended, or was closed."""
        return self._child.poll() is None

    def call(self, method: str, session: str | None = None, **params: Any) -> Any:
        """The answer to one command of the DevTools protocol, after the events before it."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        events = []
        while (answer := self._message()).get("id") != self._number:
            events.append(answer)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"], events

    def _message(self) -> Any:
        end = time.monotonic() + PATIENCE
        while b"\0" not in self._rest:
            if not select.select([self._from], [], [], max(0.0, end - time.monotonic()))[0]:
                raise AssertionError("Chromium does not answer.")
            read = os.read(self._from, 1 << 20)
            if not read:
                raise AssertionError("Chromium has ended.")
            self._rest += read
        text, _, self._rest = self._rest.partition(b"\0")
        return json.loads(text)

    def close(self) -> None:
        """End it, and delete its files."""
        if not self.is_running and not self._home.is_dir():
            return
        with suppress(ProcessLookupError):  # its processes write files until the last of them ends
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        for end in (self._to, self._from):
            with suppress(OSError):
                os.close(end)
        end_of_patience = time.monotonic() + PATIENCE
        while self._home.exists() and time.monotonic() < end_of_patience:
            shutil.rmtree(self._home, ignore_errors=True)


class Page:
    """One page: what it computes, and what a hand does to it.

    Attributes:
        faults: what went wrong in the page: errors of scripts, requests to a network, and what the
            policy of the page forbids.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._session: str | None = None
        self._context: str | None = None
        self.faults: list[str] = []

    def call(self, method: str, **params: Any) -> Any:
        """The answer to one command of the DevTools protocol."""
        answer, events = self._browser.call(method, self._session, **params)
        for event in events:
            if event.get("sessionId") == self._session:  # not of a page that was closed
                self._note(event)
        return answer

    def _note(self, message: Any) -> None:
        match message.get("method"):
            case "Runtime.exceptionThrown":
                self.faults.append(str(message["params"]["exceptionDetails"]))
            case "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                if not url.startswith(("file:", "data:", "about:", "blob:")):
                    self.faults.append(f"request: {url}")
            case "Log.entryAdded" if message["params"]["entry"]["source"] == "security":
                self.faults.append(message["params"]["entry"]["text"])

    def load(self, path: Path, width: int, height: int) -> None:
        """Load a file in a window of this size, in a context of its own."""
        self._context = self.call("Target.createBrowserContext")["browserContextId"]
        own = {"browserContextId": self._context}
        target = self.call("Target.createTarget", url="about:blank", **own)["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Runtime", "Page", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.resize(width, height)
        self._open(path)

    def go(self, path: Path) -> None:
        """Load another file in the same window, or the same one again."""
        self.run("window.isOfBefore = true")  # a new page has a new window
        self._open(path)

    def _open(self, path: Path) -> None:
        """Load a file in the window, and wait until all of it is there."""
        self.call("Page.navigate", url=path.as_uri())
        here = f"!window.isOfBefore && location.href === {json.dumps(path.as_uri())}"
        self.wait(f"{here} && document.readyState === 'complete'")

    def frame(self) -> Page:
        """The sandboxed frame in this page, which has a process of its own, as a page."""
        frame = Page(self._browser)
        end = time.monotonic() + PATIENCE
        while True:
            answer, _ = self._browser.call("Target.getTargets")
            found = [each for each in answer["targetInfos"] if each["type"] == "iframe"]
            if found:
                break
            assert time.monotonic() < end, "The page has no sandboxed frame."
        attached = frame.call("Target.attachToTarget", targetId=found[0]["targetId"], flatten=True)
        frame._session = attached["sessionId"]
        for domain in ("Runtime", "Network", "Log"):
            frame.call(f"{domain}.enable")
        return frame

    def close(self) -> None:
        """Close the page, and forget all that it kept."""
        self._session = None
        if not self._browser.is_running:  # it was closed before, with all its pages
            return
        self.call("Target.disposeBrowserContext", browserContextId=self._context)

    def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def prefer(self, **features: str) -> None:
        """What the reader prefers: prefer(color_scheme="dark", reduced_motion="reduce")."""
        wanted = [
            {"name": f"prefers-{name.replace('_', '-')}", "value": value}
            for name, value in features.items()
        ]
        self.call("Emulation.setEmulatedMedia", features=wanted)

    def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise AssertionError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + PATIENCE
        while not self.run(condition):
            if time.monotonic() > end:
                raise AssertionError(f"This never became true: {condition}")
            time.sleep(0.005)

    def press(self, key: str, times: int = 1) -> None:
        """Press a key: "ArrowRight", "Enter", "f"."""
        code = KEYS.get(key, ord(key[0].upper()))
        typed = {"text": "\r" if key == "Enter" else key} if len(key) == 1 or key == "Enter" else {}
        for _ in range(times):
            for kind in ("keyDown", "keyUp"):
                extra = typed if kind == "keyDown" else {}
                self.call(
                    "Input.dispatchKeyEvent",
                    type=kind, key=key, windowsVirtualKeyCode=code, **extra,
                )  # fmt: skip

    def type(self, text: str) -> None:
        """Write into what has the focus."""
        written = {"text": text}
        self.call("Input.insertText", **written)

    def middle(self, selector: str) -> tuple[float, float]:
        """The middle of the first element that a selector finds, in the window."""
        left, top, width, height = self.rectangle(selector)
        return left + width / 2, top + height / 2

    def rectangle(self, selector: str) -> list[float]:
        """Left, top, width and height of an element in the window."""
        found = self.run(
            f"(e => {{ if (!e) return null; const r = e.getBoundingClientRect();"
            f" return [r.left, r.top, r.width, r.height]; }})"
            f"(document.querySelector({json.dumps(selector)}))"
        )
        if found is None:
            raise AssertionError(f"Nothing in the page is {selector}.")
        return found

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """One event of the mouse: "mouseMoved", "mousePressed", "mouseReleased", "mouseWheel"."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def hover(self, selector: str) -> None:
        """Move the mouse onto an element."""
        self.mouse("mouseMoved", *self.middle(selector))

    def click(self, selector: str | tuple[float, float]) -> None:
        """Click on an element, or on a point of the window."""
        x, y = self.middle(selector) if isinstance(selector, str) else selector
        self.mouse("mouseMoved", x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press the button at one point, and release it at another."""
        self.mouse("mouseMoved", *start)
        self.mouse("mousePressed", *start, button="left", buttons=1, clickCount=1)
        for part in (0.5, 1.0):
            x, y = (a + (b - a) * part for a, b in zip(start, end, strict=True))
            self.mouse("mouseMoved", x, y, button="left", buttons=1)
        self.mouse("mouseReleased", *end, button="left", clickCount=1)

    def wheel(self, x: float, y: float, down: float) -> None:
        """Turn the wheel at a point."""
        self.mouse("mouseWheel", x, y, deltaX=0, deltaY=down)

    def picture(self, path: Path) -> None:
        """Save what the window shows, as PNG."""
        data = self.call("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))


_running: list[Browser] = []
"""The browser of this process, once there is one."""


def close() -> None:
    """End the browser of this process, if there is one."""
    while _running:
        _running.pop().close()


@contextmanager
def chromium(path: Path, width: int = 1280, height: int = 720) -> Iterator[Page]:
    """A file, open in a new page of Chromium; a fault of the page fails the test at the end."""
    if not (_running and _running[0].is_running):
        close()
        _running.append(Browser())
    page = Page(_running[0])
    try:
        page.load(path, width, height)
        yield page
        page.close()
        assert page.faults == []
    except BaseException:  # whatever state it is in now, no other test shall see it
        close()
        raise
