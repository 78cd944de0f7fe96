"""What a codec that was taken over could reach from the decoder's process: nothing."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from services.gateway.voices.upload_decoder import ChildUploadDecoder
from shared.errors import InvalidRequest
from shared.sandbox import landlock

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(landlock.version() < 6, reason="the kernel holds not all of a sandbox"),
]

TAKEN_OVER = """
import json, os, socket, sys
from shared.processes.hosting import Frame, write_frame
told = json.loads(os.read(0, 1 << 16))
attempts = {
    "TCP": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    "UDP": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "a socket file": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
    "a pair": socket.socketpair,
    "the keys": lambda: open(told["keys"], "rb").read(),
    "writing there": lambda: open(told["keys"], "wb"),
    "a new file": lambda: open(told["keys"] + ".new", "wb"),
    "the temporary folder": lambda: open(told["tmp"] + "/planted", "wb"),
    "the gateway's environment": lambda: open(f"/proc/{os.getppid()}/environ", "rb").read(),
    "its memory": lambda: open(f"/proc/{os.getppid()}/mem", "rb").read(1),
    "its files": lambda: os.readlink(f"/proc/{os.getppid()}/fd/0"),
    "a signal": lambda: os.kill(os.getppid(), 0),
    "passwords": lambda: open("/etc/shadow", "rb").read(),
}
got = []
for name, attempt in attempts.items():
    try:
        attempt()
    except OSError:
        continue
    got.append(name)
said = json.dumps([len(attempts), got, sorted(os.environ)])
write_frame(sys.stdout.buffer, Frame({"refused": said, "format": False}))
"""


async def test_it_reaches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGTRUE_DATABASE_URL", "postgresql://u:p@h/d")
    keys = tmp_path / "ringtrue.db"
    keys.write_bytes(b"keys")
    told = json.dumps({"keys": str(keys), "tmp": tempfile.gettempdir()}).encode()
    with tempfile.TemporaryFile() as file:
        file.write(told)
        file.seek(0)
        with pytest.raises(InvalidRequest) as refused:
            await ChildUploadDecoder((sys.executable, "-c", TAKEN_OVER)).hear(file, 0, len(told))
    (fault,) = refused.value.errors
    said: list[Any] = json.loads(fault.detail)
    assert said[:2] == [13, []]
    assert "RINGTRUE_DATABASE_URL" not in said[2]
    assert "RINGTRUE_DATABASE_URL" in os.environ
    assert keys.read_bytes() == b"keys"
