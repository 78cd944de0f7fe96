"""A living proxy: it writes down what it is sent and answers all of it itself, so that nothing goes on to anybody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

VARIABLES = tuple(
    each for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") for each in (name, name.upper())
)


@dataclass
class RecordingProxy:
    """``sent``: the first line of each request. Its answers have status 418."""

    url: str
    sent: list[str] = field(default_factory=list)


@contextmanager
def recording_proxy() -> Iterator[RecordingProxy]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            proxy.sent.append(self.requestline)
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(418)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_PUT = do_HEAD = do_CONNECT = do_DELETE = _serve

        def log_message(self, *_: object) -> None:
            """Tests read `sent`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy = RecordingProxy(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()


def say_proxies(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    """The environment names these proxies and no others."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
