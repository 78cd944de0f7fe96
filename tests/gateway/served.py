"""A gateway over fakes as a process of its own, for tests that speak to its socket byte by byte.

``python -m tests.gateway.served '{"head_s": 1}'`` serves with these limits and says its port.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from services.gateway.app import assemble, create_app
from services.gateway.server.limits import ConnectionLimits
from services.gateway.server.serving import serve
from shared.blobs.folder import FolderBlobs
from shared.processes import logs
from tests.gateway.place import BARE, RICH, SilentWakeUps
from tests.memory_store import MemoryAliasStore, MemoryJobStore, MemoryStudyStore, MemoryVoiceStore
from tests.memory_store.keys import MemoryKeyStore

START_S = 60.0
SOON_S = 20.0


class Server:
    """A gateway that serves, and its process. ``log``: what it has said so far."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.log: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(self.process.stderr)

    def connect(self, sent: bytes = b"", timeout_s: float = 20.0) -> socket.socket:
        """A connection on which this was sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s)
        connection.sendall(sent)
        return connection

    def ask(self, sent: bytes) -> bytes:
        """Everything that is answered until the other side ends the connection."""
        with self.connect(sent) as connection:
            return read_all(connection)

    def healthy_s(self) -> float:
        """How long a fresh connection takes to learn that the gateway lives."""
        began = time.monotonic()
        assert status_of(self.ask(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")) == 200
        return time.monotonic() - began

    def said(self, words: str) -> bool:
        """Whether its log has these words, now or soon."""
        until = time.monotonic() + SOON_S
        while not (found := any(words in line for line in self.log)) and time.monotonic() < until:
            time.sleep(0.1)
        return found

    @property
    def memory_mb(self) -> float:
        return float(psutil.Process(self.process.pid).memory_info().rss / 1e6)

    @property
    def connections(self) -> int:
        """That are established."""
        found = psutil.Process(self.process.pid).net_connections("tcp")
        return sum(one.status == psutil.CONN_ESTABLISHED for one in found)


def read_all(connection: socket.socket) -> bytes:
    """What comes until the end, be it a hard one."""
    read = b""
    with contextlib.suppress(ConnectionError):
        while chunk := connection.recv(65536):
            read += chunk
    return read


def status_of(answer: bytes) -> int:
    """Of the first answer; 0 where there is none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


@contextlib.contextmanager
def served(files: int | None = None, *, at_first: bool = False, **limits: Any) -> Iterator[Server]:
    """``files``: how many the process may open; ``at_first``: until it asks for more."""
    command = [sys.executable, "-m", "tests.gateway.served", json.dumps(limits)]
    if files is not None:
        command = ["sh", "-c", f'ulimit {"-S" if at_first else ""} -n {files} && exec "$@"', "sh", *command]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env=os.environ,
    )
    try:
        assert process.stdout is not None
        server = Server(process, int(process.stdout.readline()))
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                server.healthy_s()
                break
        yield server
    finally:
        process.kill()
        process.wait()


def main(limits: str) -> None:
    logs.set_up("gateway")
    store = MemoryJobStore()
    store.publish("worker", [RICH, BARE], time.time())
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gateway = assemble(
            store, MemoryKeyStore(), MemoryAliasStore(), SilentWakeUps(store), FolderBlobs(folder / "blobs"),
            studies=MemoryStudyStore(store), voices=MemoryVoiceStore(), recordings=FolderBlobs(folder / "recordings"),
            open_to_local=True,
        )  # fmt: skip
        print(listening.getsockname()[1], flush=True)
        serve(create_app(gateway), listening, gateway.waiters.close, ConnectionLimits(**json.loads(limits)))


if __name__ == "__main__":
    main(sys.argv[1])
