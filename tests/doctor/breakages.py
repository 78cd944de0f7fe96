"""Things that are really broken: servers, packages and pins that are not as they should be."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import redis

from services.embedded.parts.redis_server import redis_binary
from shared.weights.lock import Component, LockedFile, PinLock, Source, write_locks
from shared.weights.store import WeightStore

PIN = "tiny-v21"
SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@contextlib.contextmanager
def a_redis(folder: Path, *options: str) -> Iterator[str]:
    """A redis-server of one's own, with its URL."""
    port = closed_port()
    argv = [str(redis_binary()), "--port", str(port), "--save", "", "--dir", str(folder), *options]
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while not _listens(port):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.kill()
        server.wait()


@contextlib.contextmanager
def a_web_server(answers: Mapping[str, tuple[int, object]]) -> Iterator[str]:
    """Answers ``path -> (status, JSON or text)`` and 404 for the rest, whatever the method."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            status, body = answers.get(self.path, (404, ""))
            content = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_POST = do_HEAD = answer

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def closed_port() -> int:
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def a_distribution(site: Path, name: str, version: str, code: str = "", requires: tuple[str, ...] = ()) -> Path:
    """An installed package whose one module is ``code``, in a folder to put before all others."""
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    extras = sorted({line.rpartition('"')[0].rpartition('"')[2] for line in requires})
    lines = [f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}"]
    lines += [f"Provides-Extra: {extra}" for extra in extras] + [f"Requires-Dist: {line}" for line in requires]
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    (info / "top_level.txt").write_text(f"{name}\n")
    (site / f"{name}.py").write_text(code)
    return site


def ringtrue_that_needs(site: Path, *requires: str) -> Path:
    """The metadata of a Ringtrue with these dependencies; its code stays ours."""
    a_distribution(site, "ringtrue", "0.1.0", requires=tuple(f'{line}; extra == "core"' for line in requires))
    (site / "ringtrue.py").unlink()
    entry = "[ringtrue.commands]\ndoctor = services.doctor.commands:doctor\n"
    (site / "ringtrue-0.1.0.dist-info" / "entry_points.txt").write_text(entry)
    return site


def a_program(folder: Path, name: str, script: str) -> Path:
    """A shell script in a folder to put before all others."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    return folder


def before(folder: Path) -> str:
    """PATH with ``folder`` first."""
    return os.pathsep.join((str(folder), os.environ["PATH"]))


def catalog(data: Path, *, engine: str = "transformers", source: str = 'folder = "/mnt/share"') -> None:
    """A catalog of one pin."""
    data.mkdir(parents=True, exist_ok=True)
    (data / "catalog.toml").write_text(
        f'schema = 1\n[pins.{PIN}]\nengine = "{engine}"\n'
        f'[[pins.{PIN}.components]]\nrole = "model"\nsources = [{{{source}}}]\n'
    )


def locked(data: Path, size: int = 3) -> PinLock:
    """The lock of the catalog's pin: one file, which says ``abc`` unless it is of another size."""
    file = LockedFile("model.safetensors", size, SHA256_OF_ABC)
    lock = PinLock(PIN, "transformers", (Component("model", (Source(folder="/mnt/share"),), (file,)),))
    write_locks(data / "catalog.lock", {PIN: lock})
    return lock


def pulled(data: Path, lock: PinLock) -> Path:
    """The pin's file, in the store."""
    store = WeightStore(data / "models")
    store.root.mkdir(parents=True, exist_ok=True)
    (file,) = lock.files
    brought = store.root / "brought"
    brought.write_bytes(b"abc")
    store.adopt(brought, file, source_name="here")
    store.link(lock)
    return store.blob(file.sha256)


def _listens(port: int) -> bool:
    try:
        with redis.Redis(port=port, socket_timeout=1) as client:
            return bool(client.ping())
    except redis.AuthenticationError:
        return True
    except redis.RedisError:
        return False
