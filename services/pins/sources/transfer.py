"""Downloads files over HTTP into partial files: resumed, bounded in time and size, repeated a few times.

Owns the transfer of bytes. Knows no hub: URLs and headers are given. ``Authorization`` and cookies go only to the
requested host and not to another that it redirects to.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from services.pins.sources.asking import PASSING, Passing, patiently
from services.pins.sources.base import Gone, SourceFailed, SourcePatience
from services.pins.sources.partial import bytes_to_keep, discard
from services.pins.sources.routing import RoutedTransport
from shared.weights.hashing import OnBytes
from shared.weights.lock import LockedFile

_LEAST_BYTES = 1 << 10
"""A stream with fewer bytes than this within the stall time counts as stalled; a byte now and then does not keep it
alive."""
_MISSING = {404, 410}
_AS_IT_IS = {"Accept-Encoding": "identity"}


class Transfer:
    """The transfers from one source, over kept connections. Used from several threads."""

    def __init__(self, name: str, patience: SourcePatience, headers: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.patience = patience
        self._headers = headers or {}

    @cached_property
    def client(self) -> httpx.Client:
        """Made at first use, because that takes tens of milliseconds."""
        return httpx.Client(
            timeout=httpx.Timeout(self.patience.stall_s, connect=self.patience.answer_s),
            transport=RoutedTransport(limits=httpx.Limits(max_connections=None, max_keepalive_connections=32)),
            follow_redirects=True,
            headers=dict(self._headers),
        )

    def fetch(self, url: str, file: LockedFile, into: Path, on_bytes: OnBytes) -> None:
        """See `ModelSource.fetch`."""
        download = _Download(self, url, file, into, on_bytes)
        patiently(self.patience, download.attempt)

    def size_of(self, url: str, path: str) -> int:
        """Return the file's size as the source reports it. Raises `SourceFailed` if it does not."""
        size: str = self._asked("HEAD", url, path, _AS_IT_IS).headers.get("Content-Length", "")
        if not size.isdecimal():
            raise SourceFailed(f"{self.name}: {path}: its size is not listed")
        return int(size)

    def json(self, url: str, what: str) -> Any:
        """Return an answer's JSON. Raises `SourceFailed` if it is not JSON."""
        try:
            return self._asked("GET", url, what, {}).json()
        except ValueError as error:
            raise SourceFailed(f"{self.name}: {what}: the answer is not JSON") from error

    def _asked(self, method: str, url: str, what: str, headers: Mapping[str, str]) -> httpx.Response:
        def attempt() -> httpx.Response:
            with self.failing(what, self.patience.answer_s):
                answer = self.client.request(method, url, headers=headers, timeout=self.patience.answer_s)
            self.check(what, answer)
            return answer

        return patiently(self.patience, attempt)

    @contextmanager
    def failing(self, what: str, waits_s: float) -> Iterator[None]:
        """Turn httpx's errors into `Passing` or `SourceFailed`. ``waits_s``: how many seconds bytes were waited for."""
        try:
            yield
        except httpx.TransportError as error:
            waited = isinstance(error, httpx.TimeoutException)
            raise Passing(f"{self.name}: {what}: {self._said(error, waits_s)}", waited=waited) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceFailed(f"{self.name}: {what}: {error}") from error

    def check(self, what: str, answer: httpx.Response) -> None:
        """Raise for every status except 200 and 206."""
        status = answer.status_code
        if status in (200, 206):
            return
        said = f"{self.name}: {what}: HTTP {status}"
        if status in _MISSING:
            raise Gone(f"{said}: does not exist")
        if status in (401, 403):
            raise SourceFailed(f"{said}: a key is missing or not accepted")
        if status in PASSING:
            raise Passing(said, retry_after=answer.headers.get("Retry-After"))
        raise SourceFailed(said)

    def _said(self, error: httpx.TransportError, waits_s: float) -> str:
        if isinstance(error, httpx.ConnectTimeout):
            return f"not reachable for {self.patience.answer_s:g} s"
        if isinstance(error, httpx.TimeoutException):
            return f"stalled: nothing received for {waits_s:g} s"
        if isinstance(error, httpx.ConnectError):
            return f"not reachable ({error})"
        if isinstance(error, httpx.RemoteProtocolError):
            return f"cut off ({error})"
        return str(error) or type(error).__name__


class _Download:
    """One file, over as many attempts as it takes."""

    def __init__(self, transfer: Transfer, url: str, file: LockedFile, into: Path, on_bytes: OnBytes) -> None:
        self._transfer = transfer
        self._url = url
        self._file = file
        self._into = into
        self._on_bytes = on_bytes
        self._etag: str | None = None
        """The ETag of the bytes that this download began with. It continues only the same content."""

    def attempt(self) -> None:
        """Ask for the missing bytes and write what comes."""
        begun = bytes_to_keep(self._into, self._file.size, self._on_bytes)
        if begun == self._file.size > 0:
            return
        try:
            with (
                self._transfer.failing(self._file.at_source, self._transfer.patience.stall_s),
                self._transfer.client.stream("GET", self._url, headers=self._headers(begun)) as answer,
            ):
                self._take(answer, begun)
        except Passing as error:
            error.brought = bytes_to_keep(self._into, self._file.size, self._on_bytes) - begun
            raise

    def _headers(self, begun: int) -> dict[str, str]:
        if not begun:
            return _AS_IT_IS
        if_range = {"If-Range": self._etag} if self._etag else {}
        return {**_AS_IT_IS, "Range": f"bytes={begun}-", **if_range}

    def _take(self, answer: httpx.Response, begun: int) -> None:
        size = self._file.size
        if answer.status_code == 416:
            raise self._failed(f"has only {begun} bytes, but the lock says {size}")
        self._transfer.check(self._file.at_source, answer)
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise self._failed(
                f"sent with Content-Encoding {answer.headers['Content-Encoding']}, which is not supported"
            )
        offered = self._offered(answer, begun)
        if offered is not None and (offered > size or (begun and offered != size)):
            raise self._failed(f"has {offered} bytes, but the lock says {size}")
        etag = answer.headers.get("ETag", "")
        self._etag = etag if etag.startswith('"') else None
        if answer.status_code != 206 and begun:
            discard(self._into, begun, self._on_bytes)
            begun = 0
        arrived = self._write(answer, begun)
        if arrived < (size if offered is None else offered):
            raise Passing(f"{self._transfer.name}: {self._file.at_source}: cut off after {arrived} of {size} bytes")

    def _offered(self, answer: httpx.Response, begun: int) -> int | None:
        """Return the size of the whole file at the source, or ``None`` if it does not say."""
        total: str = answer.headers.get("Content-Length", "")
        if answer.status_code == 206:
            start, _, total = answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
            if not start.startswith(f"{begun}-"):
                raise self._failed(f"requested bytes from {begun}, but it sends {start or 'no range'}")
        return int(total) if total.isdecimal() else None

    def _write(self, answer: httpx.Response, arrived: int) -> int:
        stall_s = self._transfer.patience.stall_s
        window_ends, in_window = time.monotonic() + stall_s, 0
        with self._into.open("ab" if arrived else "wb") as opened:
            for chunk in answer.iter_raw():
                wanted = chunk[: self._file.size - arrived]
                opened.write(wanted)
                arrived, in_window = arrived + len(wanted), in_window + len(wanted)
                self._on_bytes(len(wanted))
                if len(chunk) > len(wanted):
                    raise self._failed(f"sends more than the {self._file.size} bytes of the lock")
                if (now := time.monotonic()) >= window_ends:
                    if in_window < _LEAST_BYTES:
                        raise httpx.ReadTimeout("almost nothing was received")
                    window_ends, in_window = now + stall_s, 0
        return arrived

    def _failed(self, why: str) -> SourceFailed:
        return SourceFailed(f"{self._transfer.name}: {self._file.at_source}: {why}")
