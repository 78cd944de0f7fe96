"""The way to a source: directly, or through the proxy that the environment names for its address.

Owns the transports, one per proxy, made when the first request needs it. A redirect may use another one. There are two
classes of the same kind: Hugging Face's client uses httpx2, ours httpx.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import httpx
import httpx2

from shared.network.proxies import Proxy, made_for, proxy_for

T = TypeVar("T")


class _SourceWays(Generic[T]):
    """A transport for each proxy, and one without. ``settings``: the arguments that each is made with."""

    def __init__(self, kind: Callable[..., T], **settings: Any) -> None:
        self._kind = kind
        self._settings = settings
        self.made: dict[Proxy | None, T] = {}

    def to(self, url: object) -> T:
        """Return the transport for ``url``. Raises `SettingsError` if the environment names a proxy or certificates
        that cannot be used."""
        proxy = proxy_for(str(url))
        if proxy not in self.made:
            self.made[proxy] = self._make(proxy)
        return self.made[proxy]

    def _make(self, proxy: Proxy | None) -> T:
        with made_for(proxy, "httpx", ValueError, httpx.InvalidURL, httpx2.InvalidURL):
            return self._kind(proxy=proxy.url if proxy else None, **self._settings)


class RoutedTransport(httpx.BaseTransport):
    """A transport for ``httpx.Client``."""

    def __init__(self, **settings: Any) -> None:
        self._ways = _SourceWays(httpx.HTTPTransport, **settings)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._ways.to(request.url).handle_request(request)

    def close(self) -> None:
        for way in self._ways.made.values():
            way.close()


class RoutedTransport2(httpx2.BaseTransport):
    """A transport for ``httpx2.Client``."""

    def __init__(self, **settings: Any) -> None:
        self._ways = _SourceWays(httpx2.HTTPTransport, **settings)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._ways.to(request.url).handle_request(request)

    def close(self) -> None:
        for way in self._ways.made.values():
            way.close()
