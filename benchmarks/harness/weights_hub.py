"""A hub on loopback that hands out one folder as fast as the kernel can: ``weights_hub FOLDER PORT``.

Speaks what huggingface_hub asks of a hub for one repository at one commit, and no more. Files go out by sendfile and
are hashed once, before it says that it is ready.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import re
import sys
from pathlib import Path

REPO = "bench/weights"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
_TREE = f"/api/models/{REPO}/tree/"
_FILE = f"/{REPO}/resolve/{COMMIT}/"


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.folder = folder
        self.etags = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_HEAD(self) -> None:
        if self._headers(self._position()) is None:
            self.send_error(404)

    def do_GET(self) -> None:
        if self.path.startswith(_FILE):
            self._send_file()
            return
        body = json.dumps(self._tree() if self.path.startswith(_TREE) else self._repository()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _repository(self) -> object:
        siblings = [{"rfilename": name} for name in sorted(self.server.etags)]
        return {"id": REPO, "modelId": REPO, "sha": COMMIT, "siblings": siblings, "tags": []}

    def _tree(self) -> object:
        sizes = {name: (self.server.folder / name).stat().st_size for name in self.server.etags}
        return [
            {
                "type": "file",
                "path": name,
                "size": size,
                "oid": COMMIT,
                "lfs": {"oid": self.server.etags[name], "size": size, "pointerSize": 1},
            }
            for name, size in sizes.items()
        ]

    def _send_file(self) -> None:
        position = self._position()
        path = self._headers(position)
        if path is None:
            self.send_error(404)
            return
        self.wfile.flush()
        with path.open("rb") as opened:
            while sent := os.sendfile(self.connection.fileno(), opened.fileno(), position, 1 << 24):
                position += sent

    def _headers(self, position: int) -> Path | None:
        name = self.path.removeprefix(_FILE)
        if name not in self.server.etags:
            return None
        path = self.server.folder / name
        size = path.stat().st_size
        self.send_response(206 if position else 200)
        self.send_header("Content-Length", str(size - position))
        self.send_header("ETag", f'"{self.server.etags[name]}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        if position:
            self.send_header("Content-Range", f"bytes {position}-{size - 1}/{size}")
        self.end_headers()
        return path

    def _position(self) -> int:
        found = re.fullmatch(r"bytes=(\d+)-.*", self.headers.get("Range", ""))
        return int(found[1]) if found else 0

    def log_message(self, *_: object) -> None: ...


def main() -> None:
    """Serve until ended."""
    folder, port = sys.argv[1:]
    server = _Server(Path(folder), int(port))
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
