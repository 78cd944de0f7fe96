"""A way to Redis whose other end can be changed while connections are open: Redis itself, or something rude."""

from __future__ import annotations

import contextlib
import socket
import threading

REFUSALS = (
    b"-NOAUTH Authentication required.\r\n",
    b"-WRONGPASS invalid username-password pair or user is disabled.\r\n",
    b"-LOADING Redis is loading the dataset in memory\r\n",
    b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    b"-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.\r\n",
    b"-READONLY You can't write against a read only replica.\r\n",
    b"-MASTERDOWN Link with MASTER is down\r\n",
    b"-CLUSTERDOWN The cluster is down\r\n",
    b"-MOVED 3999 127.0.0.1:6381\r\n",
    b"-ERR max number of clients reached\r\n",
    b"-NOPERM this user has no permissions to run the 'brpop' command\r\n",
    b"-NOSCRIPT No matching script. Please use EVAL.\r\n",
)
JUNK = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    b":not a number\r\n",
    b"$-7\r\n",
    b"*3\r\n$1\r\na\r\n",
    b"$99999999999\r\nshort\r\n",
    b"*-1\r\n",
    b"+OK\r\n",
    b"\x00\xff\xfe\x80" * 64 + b"\r\n",
    b"%1\r\n+server\r\n+redis\r\n",
    b"\r\n\r\n\r\n",
)
SILENCE = b""


class Way:
    """Listens on ``port``. What is not passed on to Redis is answered, whatever was asked, by ``answer``."""

    def __init__(self, redis_port: int = 6379) -> None:
        self._redis_port = redis_port
        self._answer: bytes | None = None
        self._swallowing = False
        self._ends: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._take, daemon=True).start()

    def open(self) -> None:
        """From now on, Redis."""
        self._change(None)

    def open_to_the_next(self) -> None:
        """Redis for whoever connects from now on; the connections that are open stay as they are."""
        self._answer = None

    def answer(self, answer: bytes) -> None:
        """From now on, this; nothing at all if it is empty."""
        self._change(answer)

    def __enter__(self) -> Way:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # whoever waits in accept would keep the port otherwise
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def swallow(self) -> None:
        """What is sent over open connections comes nowhere, and they stay open."""
        self._swallowing = True

    def cut(self) -> None:
        """End every connection."""
        ends, self._ends = self._ends, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _change(self, answer: bytes | None) -> None:
        self._answer = answer
        self.cut()

    def _take(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            self._ends.append(near)
            if (answer := self._answer) is None:
                far = socket.create_connection(("127.0.0.1", self._redis_port))
                self._ends.append(far)
                _start(self._pass_on, near, far)
                _start(self._pass_on, far, near)
            else:
                _start(_reply, near, answer)

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while some := one.recv(65536):
                if not self._swallowing:
                    other.sendall(some)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)


def _start(target: object, *arguments: object) -> None:
    threading.Thread(target=target, args=arguments, daemon=True).start()  # type: ignore[arg-type]


def _reply(near: socket.socket, answer: bytes) -> None:
    with contextlib.suppress(OSError):
        while near.recv(65536):
            near.sendall(answer)
