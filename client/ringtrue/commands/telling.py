"""Reports a gate's verdict: to a command on this machine, and to a webhook.

Owns how that is done. Neither changes the verdict: errors here are only printed.
"""

from __future__ import annotations

import shlex
import subprocess
import time
import uuid
from urllib.parse import urlsplit

import httpx

from ringtrue import Gate
from ringtrue.console.terminal import words
from ringtrue.errors import EnvironmentUnusable
from ringtrue.http.transports import Transport
from ringtrue.webhooks import Message

DECIDED = "gate.decided"
TIMEOUT_S = 20.0
PAUSES_S = (0.0, 5.0)
"""Seconds to wait before each attempt to reach a webhook."""
GONE = 410


class WebhookTarget:
    """A webhook's URL. Raises `ValueError` if it cannot be used. ``secret``: signs what is sent."""

    def __init__(self, url: str, secret: bytes | None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the URL must begin with http:// or https://")
        self.url = url
        self.secret = secret
        self.place = parts.netloc.rpartition("@")[2]
        """Host and port, for messages. The rest of such a URL is often secret, and a pipeline logs the messages."""


def run(command: str, gate: str) -> None:
    """Run a command with the gate's JSON on its stdin. What it prints goes to stderr: stdout is the gate's."""
    try:
        code = subprocess.run(shlex.split(command), input=gate.encode(), stdout=2, check=False).returncode
    except (OSError, ValueError) as error:
        words(f"--on-fail: {command}: {error}")
        return
    if code:
        words(f"--on-fail: {command} ended with exit code {code}")


def tell(target: WebhookTarget, gate: Gate) -> None:
    """Send ``gate.decided``, and once more if that fails."""
    id_ = f"msg_{uuid.uuid4().hex}"
    members = ("id", "comparison", "verdict", "headline", "links")
    data = {name: gate.raw[name] for name in members}
    for pause_s in PAUSES_S:
        time.sleep(pause_s)
        why = _sent(target, Message(id_, DECIDED, int(time.time()), data))
        if why is None:
            return
        words(f"--webhook: {target.place}: {why}")
        if why == str(GONE):
            return


def _sent(target: WebhookTarget, message: Message) -> str | None:
    """Send a message. Return why it was not accepted, or None."""
    headers = message.headers(target.secret)
    try:
        with httpx.Client(transport=Transport(), timeout=TIMEOUT_S) as client:
            answer = client.post(target.url, content=message.body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL, EnvironmentUnusable, UnicodeError) as error:
        return str(error) or type(error).__name__
    return None if answer.is_success else str(answer.status_code)
