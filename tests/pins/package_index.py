"""An index of packages on loopback, for the real pip and the real npm: pages for both, and archives with their faults.

    with PackageIndex() as index:
        index.add("pypi", "some-voice", "1.0.0", wheel({"some_voice/model.bin": b"..."}))
        index.add("npm", "some-voice", "1.0.0", tarball({"package/model.bin": b"..."}))
        index.cut_after = 1000          # archives end there, until it is None; what pip itself transfers does not
        index.stalls = True             # and the connection stays open
        access = index.access(folder)

``index.sent`` keeps, for each request for an archive that is not pip's own, which bytes it was sent.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import tarfile
import threading
import zipfile
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from services.pins.sources.base import SourceAccess
from tests.pins.conftest import IMPATIENT

_METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"


def wheel(files: Mapping[str, bytes], *links: str, name: str = "some-voice", version: str = "1.0.0") -> bytes:
    """A wheel with these files. ``links``: paths that are symbolic links to ``/etc/passwd``."""
    into = io.BytesIO()
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        for path in links:
            entry = zipfile.ZipInfo(path)
            entry.create_system, entry.external_attr = 3, 0o120777 << 16
            archive.writestr(entry, "/etc/passwd")
        archive.writestr(f"{info}/METADATA", _METADATA.format(name=name, version=version))
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return into.getvalue()


def tarball(files: Mapping[str, bytes], *links: str) -> bytes:
    """An npm tarball. Likewise."""
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w:gz") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for path in links:
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(entry)
    return into.getvalue()


class PackageIndex:
    """Runs in a thread of this process while it is entered."""

    def __init__(self) -> None:
        self.cut_after: int | None = None
        self.stalls = False
        self.wrong = False
        """A byte of each archive differs."""
        self.pages: list[str] = []
        """The requests for pages."""
        self.sent: list[range] = []
        self.archives: dict[str, bytes] = {}
        self.pypi: dict[str, list[str]] = {}
        self.npm: dict[str, dict[str, dict[str, str]]] = {}
        self.ended = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.index = self

    def __enter__(self) -> PackageIndex:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def add(self, registry: str, name: str, version: str, archive: bytes, *, sdist: bool = False) -> None:
        if registry == "pypi":
            ending = ".tar.gz" if sdist else "-py3-none-any.whl"
            file = f"{name.replace('-', '_')}-{version}{ending}"
            self.pypi.setdefault(name, []).append(f"{file}#sha256={hashlib.sha256(archive).hexdigest()}")
        else:
            file = f"{name.rpartition('/')[2]}-{version}.tgz"
            integrity = f"sha512-{base64.b64encode(hashlib.sha512(archive).digest()).decode()}"
            dist = {"tarball": f"{self.url}/archives/{file}", "integrity": integrity}
            self.npm.setdefault(name, {})[version] = dist
        self.archives[file] = archive

    def access(self, folder: Path, **environ: str) -> SourceAccess:
        """For sources that ask here. What pip and npm write goes below ``folder``."""
        ours = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": f"{self.url}/simple/",
            "PIP_NO_CACHE_DIR": "1",
            "PIP_RETRIES": "0",
            "npm_config_registry": f"{self.url}/",
            "npm_config_cache": str(folder / "npm"),
            "npm_config_userconfig": str(folder / "npmrc"),
            "npm_config_globalconfig": str(folder / "npmrc-of-all"),
            "npm_config_fetch_retries": "0",
        }
        return SourceAccess(patience=IMPATIENT, environ={**ours, **environ}, archives=folder / "models" / "packages")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    index: PackageIndex

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients leave when they have seen enough."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        index, path = self.server.index, unquote(self.path)
        if path.startswith("/archives/"):
            self._send_archive(index.archives[path.removeprefix("/archives/")])
            return
        index.pages.append(path)
        if path.startswith("/simple/"):
            files = index.pypi.get(path.removeprefix("/simple/").strip("/"))
            page = "".join(f'<a href="/archives/{file}">{file.partition("#")[0]}</a>' for file in files or ())
            self._answer(404 if files is None else 200, "text/html", page.encode())
        else:
            name = path.strip("/")
            versions = {
                version: {"name": name, "version": version, "dist": dist}
                for version, dist in index.npm.get(name, {}).items()
            }
            page = json.dumps({"name": name, "dist-tags": {"latest": next(iter(versions), "")}, "versions": versions})
            self._answer(200 if versions else 404, "application/json", page.encode())

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Tests look at the index."""

    def _send_archive(self, archive: bytes) -> None:
        index = self.server.index
        is_ours = not self.headers.get("User-Agent", "").startswith("pip/")
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        end = len(archive)
        if is_ours and index.wrong:
            archive = archive[:-1] + bytes([archive[-1] ^ 1])
        if is_ours and index.cut_after is not None:
            end = index.cut_after
        if is_ours and self.command == "GET":
            index.sent.append(range(start, end))
        headers = {"Content-Range": f"bytes {start}-{len(archive) - 1}/{len(archive)}"} if start else {}
        self._answer(206 if start else 200, "application/octet-stream", archive[start:], end - start, headers)

    def _answer(
        self, status: int, kind: str, body: bytes, sent: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[:sent])
            if self.server.index.stalls and sent is not None and sent < len(body):
                self.server.index.ended.wait(60)
        self.close_connection = self.close_connection or (sent is not None and sent < len(body))
