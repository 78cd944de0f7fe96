"""Those who would stop others: one process per kind, at one gateway, for a number of seconds.

    python -m benchmarks.harness.attackers KIND URL SECONDS

Owns the kinds. Each keeps as many connections busy as it names; what comes back is read and thrown away.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import cycle
from urllib.parse import urlsplit

MOST = 8 << 20
"""Bytes of a body."""
_AT_ONCE = 4
_HALF_OPEN = 1_000
_CONNECTS_PER_S = 1_000

Address = tuple[str, int]
answered: Counter[str] = Counter()
"""By status: that an attack was not refused at once."""


def bodies() -> Iterator[tuple[str, bytes]]:
    """Path and body of requests that are as large as is taken and as costly as was found."""
    marks = "a" + "\u0301\u0316" * 200
    good = {"text": "One.", "pin": "espeak-v2"}
    yield "/v1/jobs:batch", _json({"jobs": [{**good, "text": marks}] * 1000})
    yield "/v1/jobs:batch", _json({"jobs": [{**good, "emotion": {"vector": [9] * 900}}] * 1000})
    yield "/v1/jobs:batch", _json({"jobs": [{**good, "text": "é\u0301" * 2_000}] * 1000})
    yield "/v1/jobs:batch", _json({"jobs": [{**good, "metadata": {f"k{n}": "v" * 60 for n in range(16)}}] * 1000})
    yield "/v1/jobs:batch", _json({"jobs": [{f"x{n}": 1 for n in range(100)}] * 1000})
    yield "/v1/jobs", b'{"text": ' + b"[" * (MOST // 2) + b"]" * (MOST // 2) + b"}"
    yield "/v1/jobs", b'{"options": {' + b",".join(b'"%d":1' % n for n in range(500_000)) + b"}}"
    yield "/v1/jobs", _json({**good, "text": "\u0301" * (MOST // 3)})
    yield "/v1/evaluations", _json({"pin": "espeak-v2", "suite": "- &a [*a]\n" * 500_000})
    yield "/v1/evaluations", _json({"pin": "espeak-v2", "suite": "%YAML 1.2\n" * 500_000})


def lists() -> Iterator[str]:
    """Addresses of pages that match little of much."""
    for text in ("pin=none", "status=failed&pin=espeak-v2", "metadata.k1=none", "limit=500", "limit=500&status=queued"):
        yield f"/v1/jobs?{text}"


async def large(address: Address) -> None:
    """Bodies of up to 8 MiB, one after another on each connection."""
    requests = [_post(path, body) for path, body in bodies()]
    await asyncio.gather(*(_again_and_again(address, requests[at:] + requests[:at]) for at in range(_AT_ONCE)))


async def listing(address: Address) -> None:
    requests = [f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() for path in lists()]
    await asyncio.gather(*(_again_and_again(address, requests) for _ in range(_AT_ONCE)))


async def half_open(address: Address) -> None:
    """Connections that never end their headers, opened anew when they are given up."""
    await asyncio.gather(*(_trickle(address) for _ in range(_HALF_OPEN)))


async def connects(address: Address) -> None:
    """A thousand connections a second that say nothing and go."""
    while True:
        opened = await asyncio.gather(*(_connect(address) for _ in range(_CONNECTS_PER_S // 20)))
        for writer in opened:
            if writer is not None:
                writer.close()
        await asyncio.sleep(1 / 20)


KINDS: Mapping[str, Callable[[Address], Awaitable[None]]] = {
    "bodies of 8 MiB": large,
    "costly lists": listing,
    "1,000 half-open": half_open,
    "1,000 connects a second": connects,
}


async def _again_and_again(address: Address, requests: list[bytes]) -> None:
    for request in cycle(requests):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(request)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            answer = await asyncio.wait_for(reader.read(1 << 16), 30)
            answered[answer[9:12].decode()] += 1
            writer.close()


async def _trickle(address: Address) -> None:
    while True:
        if (writer := await _connect(address)) is not None:
            with contextlib.suppress(OSError):
                writer.write(b"GET /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n")
                for _ in range(20):
                    await asyncio.sleep(0.5)
                    writer.write(b"A: b\r\n")
                    await writer.drain()
            writer.close()
        await asyncio.sleep(0.1)


async def _connect(address: Address) -> asyncio.StreamWriter | None:
    with contextlib.suppress(OSError):
        return (await asyncio.open_connection(*address))[1]
    return None


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()[:MOST]


def _post(path: str, body: bytes) -> bytes:
    fields = ("Host: 127.0.0.1", "Content-Type: application/json", f"Content-Length: {len(body)}")
    return "\r\n".join((f"POST {path} HTTP/1.1", *fields, "", "")).encode() + body


async def _attack(kind: str, url: str, seconds: float) -> None:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(KINDS[kind]((parts.hostname, parts.port)), seconds)
    print(dict(answered), file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(_attack(sys.argv[1], sys.argv[2], float(sys.argv[3])))
