"""The relay between an announced port and a Unix socket: every byte, both ways, and words where nobody is behind it."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.embedded.run_folder import run_folder

MANY = 24 << 20


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    with run_folder(tmp_path) as folder:
        yield folder / "behind.sock"


@pytest.fixture
def port(path: Path) -> Iterator[int]:
    listening = socket.create_server(("127.0.0.1", 0))
    fd = listening.fileno()
    argv = [sys.executable, "-P", "-m", "services.embedded.parts.relay", "--fd", str(fd), "--to", str(path)]
    process = subprocess.Popen(argv, pass_fds=(fd,))
    yield listening.getsockname()[1]
    process.terminate()
    assert process.wait(60) == 0
    listening.close()


@contextlib.contextmanager
def echoes(path: Path) -> Iterator[None]:
    """A server that sends the hash of all that it was sent, then as much again, once the other side has said all."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()

    def serve() -> None:
        while True:
            try:
                taken, _ = listening.accept()
            except OSError:
                return
            with taken, contextlib.suppress(OSError):  # whoever asked may have gone
                seen = hashlib.sha256()
                while some := taken.recv(1 << 16):
                    seen.update(some)
                taken.sendall(seen.digest() + bytes(MANY))

    serving = threading.Thread(target=serve, daemon=True)
    with listening:
        serving.start()
        yield
        listening.shutdown(socket.SHUT_RDWR)  # or it would wait in accept for ever
    serving.join()


def test_every_byte_comes_through_both_ways_and_so_does_the_end(path: Path, port: int) -> None:
    sent = bytes(range(256)) * (MANY >> 8)
    with echoes(path):
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", port), 120) as near:
                near.sendall(sent)
                near.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(lambda near=near: near.recv(1 << 20), b""))
            assert answer == hashlib.sha256(sent).digest() + bytes(MANY)


def test_where_nobody_is_behind_it_that_is_said(path: Path, port: int) -> None:
    del path
    for _ in range(2):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert b"not ready" in answer.read()


def test_whoever_breaks_off_leaves_nothing_open(path: Path, port: int) -> None:
    with echoes(path):
        for _ in range(200):
            with socket.create_connection(("127.0.0.1", port), 120) as near:
                near.sendall(b"x")
        time.sleep(0.5)
        with socket.create_connection(("127.0.0.1", port), 120) as near:
            near.shutdown(socket.SHUT_WR)
            assert near.recv(32) == hashlib.sha256(b"").digest()
