"""A container's health check where Docker has handed it the proxies of its configuration."""

from __future__ import annotations

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from tests.recording_proxy import recording_proxy

SCRIPT = Path(__file__).parents[2] / "docker" / "healthy.py"


class Well(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def test_a_container_asks_itself_and_no_proxy() -> None:
    server = HTTPServer(("127.0.0.1", 0), Well)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    with recording_proxy() as proxy:
        env = {"HTTP_PROXY": proxy.url, "http_proxy": proxy.url}
        command = [sys.executable, SCRIPT, f"http://127.0.0.1:{server.server_port}/readyz"]
        code = subprocess.run(command, env=env, check=False, timeout=60).returncode
    server.shutdown()
    server.server_close()
    assert (code, proxy.sent) == (0, [])
