"""The HTTP of the hub on loopback: which request asks for what, and files sent with their faults."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.pins.hub import Fault, Hub, HubFile, Request
from tests.pins.hub_protocols import Answer, answer_api

_CHUNK_BYTES = 1 << 18


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    hub: Hub

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients leave when they have seen enough; tests look at what they got."""


def serve(hub: Hub, host: str) -> _Server:
    """A server in a thread, on a port of its own."""
    server = _Server((host, 0), _Handler)
    server.hub = hub
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A file that a request asks for; ``file`` is None where there is none."""

    path: str
    file: HubFile | None
    commit: str = ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        hub, url = self.server.hub, urlsplit(self.path)
        if hub.ended.is_set():  # connections that were kept end with it
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._request = Request(self.command, self.path, headers.get("host", ""), headers)
        hub.requests.append(self._request)
        path, query = unquote(url.path), {name: values[0] for name, values in parse_qs(url.query).items()}
        try:
            if path.startswith("/by-sha256/"):
                self._send_file(hub.by_sha256(path.removeprefix("/by-sha256/")), "", None)
            elif hub.token is not None and headers.get("authorization") != f"Bearer {hub.token}":
                self._send_answer(Answer(401, {"error": "no key"}))
            elif path.startswith("/v1/models/files/"):
                self._send_file(hub.by_sha256(path.removeprefix("/v1/models/files/")), "", None)
            elif (wanted := self._wanted(path, query)) is not None:
                fault = hub.fault_for(wanted.path) if self.command == "GET" else None
                self._send_file(wanted.file, wanted.commit, fault)
            else:
                self._send_api(path, query)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Tests look at `Hub.requests`."""

    def _wanted(self, path: str, query: dict[str, str]) -> _Wanted | None:
        """The file of ``/REPO/resolve/REVISION/PATH``, ``/api/v1/models/REPO/repo?...`` or ``/plain/REPO/PATH``."""
        parts = path.strip("/").split("/")
        if parts[2:3] == ["resolve"]:
            name, revision, file = "/".join(parts[:2]), parts[3], "/".join(parts[4:])
        elif parts[:3] == ["api", "v1", "models"] and parts[5:] == ["repo"]:
            name, revision, file = "/".join(parts[3:5]), query["Revision"], query["FilePath"]
        elif parts[0] == "plain":
            name, revision, file = "/".join(parts[1:3]), "main", "/".join(parts[3:])
        else:
            return None
        repo = self.server.hub.repos.get(name)
        commit = repo.resolve(revision) if repo else None
        return _Wanted(file, repo.commits[commit].get(file) if repo and commit else None, commit or "")

    def _send_api(self, path: str, query: dict[str, str]) -> None:
        hub = self.server.hub
        if hub.api_failure == "stall":
            hub.ended.wait(60)
            self.close_connection = True
        elif hub.api_failure is not None:
            self._send_answer(Answer(hub.api_failure, {"error": "on purpose"}))
        else:
            self._send_answer(answer_api(hub.repos, path, query))

    def _send_answer(self, answer: Answer) -> None:
        body = json.dumps(answer.body).encode()
        self._begin(answer.status, {"Content-Type": "application/json", "Content-Length": len(body), **answer.headers})
        if self.command == "GET":
            self.wfile.write(body)

    def _send_file(self, file: HubFile | None, commit: str, fault: Fault | None) -> None:
        if file is None or fault is Fault.MISSING:
            self._send_answer(Answer(404, {"error": "no such file"}, {"X-Error-Code": "EntryNotFound"}))
        elif fault is Fault.BROKEN:
            self._send_answer(Answer(503, {"error": "on purpose"}))
        elif fault is Fault.REDIRECTED:
            target = f"{self.server.hub.elsewhere}/by-sha256/{file.sha256}"
            self._begin(302, {"Location": target, "Content-Length": 0})
        else:
            self._send_content(file, commit, fault)

    def _send_content(self, file: HubFile, commit: str, fault: Fault | None) -> None:
        content = _content(file.content, fault)
        start = 0 if fault is Fault.NO_RANGES else self._start()
        if start and start >= len(content):
            self._begin(416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": 0})
            return
        headers: dict[str, object] = {"ETag": f'"{file.sha256 if file.is_lfs else file.oid}"', "X-Repo-Commit": commit}
        if file.is_lfs:
            headers |= {"X-Linked-Etag": f'"{file.sha256}"', "X-Linked-Size": file.size}
        if fault is Fault.TOO_LONG:
            headers["Connection"] = "close"
        else:
            headers["Content-Length"] = len(content) - start
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._begin(206 if start else 200, headers)
        if self.command == "GET":
            self._write(content, start, file.size, fault)

    def _start(self) -> int:
        """Of the range that is asked for; `If-Range` always holds here: a commit's files do not change."""
        return int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])

    def _write(self, content: bytes, start: int, size: int, fault: Fault | None) -> None:
        end = size // 2 if fault in (Fault.TRUNCATED, Fault.STALLED) else len(content)
        for chunk in _chunks(memoryview(content)[start : max(start, end)]):
            self._request.sent += len(chunk)  # before: whoever has it may count at once
            self.wfile.write(chunk)
            if fault is Fault.SLOW:
                time.sleep(len(chunk) / self.server.hub.slow_rate)
        if fault is Fault.STALLED:
            self.wfile.flush()
            self.server.hub.ended.wait(60)
        self.close_connection = self.close_connection or fault in (Fault.TRUNCATED, Fault.STALLED, Fault.TOO_LONG)

    def _begin(self, status: int, headers: dict[str, object]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()


def _content(content: bytes, fault: Fault | None) -> bytes:
    match fault:
        case Fault.WRONG:
            return content[:-1] + bytes([content[-1] ^ 1])
        case Fault.EMPTY:
            return b""
        case Fault.SHORT:
            return content[: len(content) // 2]
        case Fault.TOO_LONG:
            return content + b"!"
    return content


def _chunks(content: memoryview) -> Iterator[memoryview]:
    for start in range(0, len(content), _CHUNK_BYTES):
        yield content[start : start + _CHUNK_BYTES]
