"""Who is told of a gate's verdict: a command on this machine, a webhook.

Owns how they are told. Neither changes the verdict: what goes wrong here is said and nothing more.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
import uuid
from urllib.parse import urlsplit

import httpx

from ringtrue import Gate
from ringtrue.terminal import words
from ringtrue.webhooks import Message

DECIDED = "gate.decided"
TIMEOUT_S = 20.0
PAUSES_S = (0.0, 5.0)
"""Before each attempt to reach a webhook."""
GONE = 410


class Listener:
    """Who listens at a webhook's URL; `ValueError` where nobody could. ``secret``: signs what is sent."""

    def __init__(self, url: str, secret: bytes | None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("a URL with http or https is needed")
        self.url = url
        self.secret = secret
        self.place = parts.netloc.rpartition("@")[2]
        """For words: the rest of such a URL is often a secret, and words end up in the log of a pipeline."""


def run(command: str, gate: str) -> None:
    """Run a command with the gate's JSON on its stdin. What it prints goes to stderr: stdout is the gate's."""
    try:
        code = subprocess.run(shlex.split(command), input=gate.encode(), stdout=sys.stderr, check=False).returncode
    except (OSError, ValueError) as error:
        words(f"--on-fail: {command}: {error}")
        return
    if code:
        words(f"--on-fail: {command} ended with {code}")


def tell(listener: Listener, gate: Gate) -> None:
    """Send ``gate.decided``; once more if that fails."""
    id_ = f"msg_{uuid.uuid4().hex}"
    members = ("id", "comparison", "verdict", "headline", "links")
    data = {name: gate.raw[name] for name in members}
    for pause_s in PAUSES_S:
        time.sleep(pause_s)
        why = _sent(listener, Message(id_, DECIDED, int(time.time()), data))
        if why is None:
            return
        words(f"--webhook: {listener.place}: {why}")
        if why == str(GONE):
            return


def _sent(listener: Listener, message: Message) -> str | None:
    """Why it was not taken, if it was not."""
    headers = message.headers(listener.secret)
    try:
        answer = httpx.post(listener.url, content=message.body, headers=headers, timeout=TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return str(error) or type(error).__name__
    return None if answer.is_success else str(answer.status_code)
