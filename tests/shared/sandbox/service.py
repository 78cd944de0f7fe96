"""A service with secrets that starts the intruder as its host: prints what came of each attempt, as JSON.

Run as another user it has nothing but that user's rights, and the right to read: Python may lie in somebody's home.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.processes.hosting import Child
from shared.sandbox.privileges import hide_from_others

SECRET = "hf_do_not_tell"
INTRUDER = Path(__file__).with_name("intruder.py")


def _confined(told: Mapping[str, Any]) -> dict[str, Any]:
    child = Child([sys.executable, str(INTRUDER)], os.environ | {"PYTHONPATH": str(INTRUDER.parent)})
    try:
        return dict(child.ask(told, timeout_s=60).header)
    finally:
        child.kill()


def _free(told: Mapping[str, Any]) -> dict[str, Any]:
    """Those attempts that are named, made by this very process."""
    from intruder import attempts, outcome  # type: ignore[import-not-found]

    every = attempts(told)
    return {"results": {name: outcome(every[name]) for name in os.environ["UNCONFINED"].split(",")}}


def main() -> None:
    hide_from_others()
    os.environ |= {"HF_TOKEN": SECRET, "RINGTRUE_DATABASE_URL": f"postgresql://u:{SECRET}@h/d"}
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as unix:
        secret = Path(folder, "ringtrue.db")
        secret.write_text(SECRET)
        secret.chmod(0o600)
        unix.bind(str(Path(folder, "redis.sock")))
        unix.listen()
        abstract = socket.socket(socket.AF_UNIX)
        abstract.bind(f"\0ringtrue-test-{os.getpid()}")
        abstract.listen()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            told = {"secret": str(secret), "folder": folder, "tmp": tempfile.gettempdir(), "pid": os.getpid()}
            told |= {"unix": unix.getsockname(), "abstract": abstract.getsockname()[1:].decode()}
            told |= {"port": listening.getsockname()[1], "code": str(Path(__file__).parents[3] / "shared")}
            answer = _free(told) if "UNCONFINED" in os.environ else _confined(told)
        answer |= {"mode": stat.S_IMODE(secret.stat().st_mode), "content": secret.read_text(), "uid": os.getuid()}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
