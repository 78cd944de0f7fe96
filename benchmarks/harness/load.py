"""A load of HTTP requests: keep-alive clients, each with one request under way.

Owns the client. It speaks just enough HTTP/1.1 to cost a small part of what a server costs, so that both sides of a
comparison are held up by themselves; how much it took is told with every load. Knows no server.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import uvloop


class UnexpectedAnswer(Exception):
    """A server answered with another status than the benchmark is about."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a load came to. ``latencies_s``: of every request, shortest first; ``client_cpu_s``: spent by the client."""

    seconds: float
    latencies_s: Sequence[float]
    client_cpu_s: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies_s) / self.seconds

    def latency_ms(self, percent: float) -> float:
        return percentile(self.latencies_s, percent) * 1000


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The value that ``percent`` of the ``ordered`` ones do not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def request(method: str, path: str, body: object = None) -> bytes:
    """The bytes of a request; ``body`` is sent as JSON."""
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return head.encode() + b"\r\n" + content


def drive(url: str, requests: Iterator[bytes], *, clients: int, seconds: float, status: int) -> Load:
    """Send ``requests`` to the server at ``url``, for that long at most; each is to be answered with ``status``."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_drive(url, requests, clients, seconds, status))


async def _drive(url: str, requests: Iterator[bytes], clients: int, seconds: float, status: int) -> Load:
    latencies: list[float] = []
    cpu, began = time.process_time(), time.perf_counter()
    until = began + seconds
    await asyncio.gather(*(_client(url, requests, until, status, latencies) for _ in range(clients)))
    took = time.perf_counter() - began
    return Load(took, sorted(latencies), time.process_time() - cpu)


async def _client(url: str, requests: Iterator[bytes], until: float, status: int, latencies: list[float]) -> None:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1 << 24)
    try:
        while (sent := time.perf_counter()) < until and (one := next(requests, None)):
            writer.write(one)
            answered, body = await _answer(reader)
            if answered != status:
                raise UnexpectedAnswer(f"{url} answered {answered}, not {status}: {body[:300]!r}")
            latencies.append(time.perf_counter() - sent)
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, found, length = head.partition(b"content-length:")
    if not found:
        raise UnexpectedAnswer(f"an answer without Content-Length: {head[:300]!r}")
    return int(head[9:12]), await reader.readexactly(int(length.split(b"\r\n", 1)[0]))
