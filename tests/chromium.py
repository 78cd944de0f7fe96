"""A real browser for tests of pages: Chromium without a window, by the DevTools protocol over a pair of pipes.

Owns the browser's life and the protocol's framing (JSON, ended by NUL; fd 3 in, fd 4 out, `--remote-debugging-pipe`).
Records what a page does on its own: requests, console messages, exceptions. Knows no page of ours.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

DEADLINE_S = 60.0
_FLAGS = (
    "--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu", "--mute-audio", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required", "--force-color-profile=srgb",
)  # fmt: skip
_PLACED = """
import fcntl, os, sys
far = [fcntl.fcntl(int(pipe), fcntl.F_DUPFD_CLOEXEC, 10) for pipe in sys.argv[1:3]]
for pipe, place in zip(far, (3, 4)):
    os.dup2(pipe, place)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""The protocol's pipes are those numbers and no others."""


class PageFailed(AssertionError):
    """The browser answered with an error, or the page's script threw."""


class Chromium:
    """One browser with one tab."""

    def __init__(self, program: str, profile: Path) -> None:
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        self._pipes = (ours_in, ours_out)
        command = [program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
        placed = [sys.executable, "-IS", "-c", _PLACED, str(theirs_in), str(theirs_out), *command]
        self._process = subprocess.Popen(
            placed, pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._numbers = itertools.count(1)
        self._unread = b""
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        tab = next(one for one in self.ask("Target.getTargets")["targetInfos"] if one["type"] == "page")
        attached = self.ask("Target.attachToTarget", targetId=tab["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """One command and its answer; events that come before it are kept."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._pipes[1], data) :]
        while True:
            answer = self._next()
            if answer.get("id") == number:
                if "error" in answer:
                    raise PageFailed(f"{method}: {answer['error']['message']}")
                return dict(answer["result"])
            self.events.append(answer)

    def open(self, url: str) -> None:
        """Load a page and wait until it has; forgets what happened before."""
        self.events.clear()
        self.ask("Page.navigate", url=url)
        while not self.of("Page.loadEventFired"):
            self.events.append(self._next())

    def run(self, script: str) -> Any:
        """The value of an expression; a promise is awaited."""
        answer = self.ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            raise PageFailed(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def look(self, *, width: int = 1280, height: int = 900, scheme: str = "light", media: str = "screen") -> None:
        """See the page with a window of this size, in a light or dark scheme, on screen or paper."""
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.ask("Emulation.setEmulatedMedia", media=media, features=features)

    def picture(self) -> bytes:
        """The whole page as PNG."""
        shot = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def of(self, method: str) -> list[dict[str, Any]]:
        """What the events of one kind say."""
        return [event["params"] for event in self.events if event.get("method") == method]

    def complaints(self) -> list[str]:
        """Errors and warnings of the page: by its scripts, and by the browser about it."""
        self.run("0")  # what was said before the answer is here by then
        said = [f"{one['type']}: {one['args']}" for one in self.of("Runtime.consoleAPICalled") if one["type"] != "log"]
        thrown = [str(one["exceptionDetails"]) for one in self.of("Runtime.exceptionThrown")]
        logged = [f"{one['entry']['level']}: {one['entry']['text']}" for one in self.of("Log.entryAdded")]
        return [*said, *thrown, *logged]

    def requests(self) -> list[str]:
        """Addresses that were asked for, but those that are data themselves."""
        asked = [one["request"]["url"] for one in self.of("Network.requestWillBeSent")]
        return [url for url in asked if not url.startswith(("data:", "blob:"))]

    def close(self) -> None:
        for pipe in self._pipes:
            os.close(pipe)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + DEADLINE_S
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._pipes[0]], [], [], max(0.0, until - time.monotonic()))
            read = os.read(self._pipes[0], 1 << 20) if ready else b""
            if not read:
                raise PageFailed("the browser is gone" if ready else f"the browser says nothing for {DEADLINE_S:g} s")
            self._unread += read
        message, _, self._unread = self._unread.partition(b"\0")
        return dict(json.loads(message))


def started(profile: Path) -> Iterator[Chromium]:
    """For a fixture. Without Chromium the test is skipped, in CI it fails."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        if os.environ.get("CI"):
            raise FileNotFoundError("no Chromium on the PATH")
        pytest.skip("no Chromium on the PATH")
    browser = Chromium(program, profile)
    yield browser
    browser.close()
