"""The head of a request as it arrives: counted, and checked against HTTP where the parser is too lenient."""

from __future__ import annotations

from collections.abc import Sequence

from services.gateway.server.limits import ConnectionLimits
from shared.errors import FieldError, InvalidRequest, RefusalCode, Refused

_HOST, _LENGTH, _CODING = b"host", b"content-length", b"transfer-encoding"
_AROUND = len(b": \r\n")
_FRAMING = frozenset({_HOST, _LENGTH, _CODING})
_PLAIN = ([_HOST], [_HOST, _LENGTH], [_LENGTH, _HOST])
"""The headers that frame nearly every request."""


class Head:
    """The head of the current request of a connection. ``open``: it has begun and not ended."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self.begin()
        self.open = False

    def begin(self) -> None:
        self.open = True
        self._url: bytes = b""
        self._headers: Sequence[tuple[bytes, bytes]] = ()
        self._counted: int | None = None
        self._trailers = 0
        self._trailer_bytes = 0

    def check_url(self, url: bytes) -> None:
        """Raise `Refused` if an address, or the part of it that has arrived, is too long."""
        if len(url) > self._limits.url_bytes:
            raise Refused(RefusalCode.URL_TOO_LONG, f"an address must have at most {self._limits.url_bytes} bytes")

    def end(
        self, url: bytes, headers: Sequence[tuple[bytes, bytes]], most: int, version: str, *, upgrade: bool
    ) -> None:
        """End the head: ``headers`` are all of it.

        ``most``: bytes that arrived of the request so far, so that its head has no more. Raises `Refused` if the head
        is too large, or if two readers could take it for two different requests (request smuggling)."""
        self.open = False
        self._url, self._headers = url, headers
        self.check_url(url)
        limits = self._limits
        if len(headers) > limits.head_fields or (most > limits.head_bytes and self._own_bytes() > limits.head_bytes):
            raise self.too_large()
        framing = [one for one in headers if one[0] in _FRAMING]
        if version == "1.1" and not upgrade:
            names = [name for name, _ in framing]
            if names in _PLAIN:
                return
        self._check_framing(framing, version, upgrade=upgrade)

    def add_trailers(self, trailers: Sequence[tuple[bytes, bytes]]) -> None:
        """Count headers that came after the body. Raises `Refused` if they are more than a head may have."""
        self._trailers += len(trailers)
        self._trailer_bytes += _bytes_of(trailers)
        most = self._limits.head_bytes + self._own_bytes()
        if self._trailers > self._limits.head_fields or self.taken > most:
            raise self.too_large()

    @property
    def taken(self) -> int:
        """Bytes of the address, the headers and the trailers."""
        return self._own_bytes() + self._trailer_bytes

    def _own_bytes(self) -> int:
        if self._counted is None:
            self._counted = len(self._url) + _bytes_of(self._headers)
        return self._counted

    def _check_framing(self, framing: Sequence[tuple[bytes, bytes]], version: str, *, upgrade: bool) -> None:
        hosts = [value for name, value in framing if name == _HOST]
        lengths = [value for name, value in framing if name == _LENGTH]
        codings = [value for name, value in framing if name == _CODING]
        if version not in ("1.0", "1.1"):
            raise malformed(f"HTTP {version} is not supported; use HTTP/1.1")
        if len(hosts) > 1 or (version == "1.1" and not hosts):
            raise malformed("exactly one Host header is required")
        if len(lengths) + len(codings) > 1:
            raise malformed("only one Content-Length or Transfer-Encoding is allowed")
        if codings and (version == "1.0" or codings[0].strip().lower() != b"chunked"):
            raise malformed("Transfer-Encoding must be chunked, with HTTP/1.1")
        if upgrade and (codings or (lengths and lengths[0].strip() != b"0")):
            raise malformed("Upgrade is not supported; send the body without it")

    def too_large(self) -> Refused:
        limits = self._limits
        return Refused(
            RefusalCode.HEADERS_TOO_LARGE,
            f"at most {limits.head_fields} headers, and {limits.head_bytes} bytes of address and headers, are allowed",
        )


def malformed(detail: str) -> Refused:
    return InvalidRequest((FieldError("", f"not a valid HTTP/1.1 request: {detail}"),))


def too_slow(limits: ConnectionLimits) -> Refused:
    return Refused(
        RefusalCode.REQUEST_TIMEOUT,
        f"the head of a request must arrive within {limits.head_s:g} s, and its body within {limits.body_s:g} s or at"
        f" {limits.body_bytes_per_s} bytes per second",
    )


def too_many(of_one_peer: int) -> Refused:
    return Refused(RefusalCode.RATE_LIMITED, f"one address may have at most {of_one_peer} connections", retry_after_s=5)


def _bytes_of(fields: Sequence[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + _AROUND for name, value in fields)
