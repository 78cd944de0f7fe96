"""Who is told of a gate's verdict: a command on this machine, a webhook.

Owns how they are told. Neither changes the verdict: what goes wrong here is said and nothing more.
"""

from __future__ import annotations

import shlex
import subprocess
import time
import uuid

import httpx

from ringtrue import Gate
from ringtrue.terminal import words
from ringtrue.webhooks import Message

DECIDED = "gate.decided"
TIMEOUT_S = 20.0
PAUSES_S = (0.0, 5.0)
"""Before each attempt to reach a webhook."""
GONE = 410


def run(command: str, gate: str) -> None:
    """Run a command with the gate's JSON on its stdin."""
    try:
        code = subprocess.run(shlex.split(command), input=gate.encode(), check=False).returncode
    except (OSError, ValueError) as error:
        words(f"--on-fail: {command}: {error}")
        return
    if code:
        words(f"--on-fail: {command} ended with {code}")


def tell(url: str, gate: Gate, secret: bytes | None) -> None:
    """Send ``gate.decided``; once more if that fails."""
    id_ = f"msg_{uuid.uuid4().hex}"
    members = ("id", "comparison", "verdict", "headline", "links")
    data = {name: gate.raw[name] for name in members}
    for pause_s in PAUSES_S:
        time.sleep(pause_s)
        why = _sent(url, Message(id_, DECIDED, int(time.time()), data), secret)
        if why is None:
            return
        words(f"--webhook: {url}: {why}")
        if why == str(GONE):
            return


def _sent(url: str, message: Message, secret: bytes | None) -> str | None:
    """Why it was not taken, if it was not."""
    try:
        answer = httpx.post(url, content=message.body, headers=message.headers(secret), timeout=TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return str(error) or type(error).__name__
    return None if answer.is_success else str(answer.status_code)
