"""Connects to a gateway or a webhook, directly or through a proxy.

Owns httpx's transports, one per proxy, created when the first request needs it. `proxies.py` decides which proxy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

import httpx

from ringtrue.errors import EnvironmentUnusable
from ringtrue.http.proxies import NamedProxy, proxy_for

T = TypeVar("T")


class _Ways(Generic[T]):
    """One transport for each proxy and for none, with TLS and without."""

    def __init__(self, kind: Callable[..., T]) -> None:
        self._kind = kind
        self.made: dict[tuple[NamedProxy | None, bool], T] = {}

    def to(self, url: httpx.URL) -> T:
        """Return the transport for a URL. Raises `EnvironmentUnusable`."""
        proxy = proxy_for(str(url))
        secure = url.scheme == "https" or (proxy is not None and proxy.url.startswith("https"))
        if (proxy, secure) not in self.made:
            self.made[proxy, secure] = self._make(proxy, secure)
        return self.made[proxy, secure]

    def _make(self, proxy: NamedProxy | None, secure: bool) -> T:
        variable = proxy.variable if proxy else "the environment"
        try:  # without TLS no certificates are read
            return self._kind(proxy=proxy.url if proxy else None, trust_env=secure)
        except ImportError as error:
            more = "pip install 'httpx[socks]'"
            raise EnvironmentUnusable(f"{variable} names a SOCKS proxy, which needs another library: {more}") from error
        except (ValueError, httpx.InvalidURL) as error:
            raise EnvironmentUnusable(f"{variable} does not contain the address of a proxy: {error}") from error
        except OSError as error:
            raise EnvironmentUnusable(f"SSL_CERT_FILE or SSL_CERT_DIR: {error.strerror or error}") from error


@contextmanager
def _blamed(url: httpx.URL) -> Iterator[None]:
    """Name the proxy in the error if it does not answer: the user would only look at ``url``."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        if (proxy := proxy_for(str(url))) is None:
            raise
        raise type(error)(f"{error or type(error).__name__}, at the proxy set by {proxy.variable}") from error


class Transport(httpx.BaseTransport):
    """A transport for `httpx.Client`.

    Raises `EnvironmentUnusable` if the environment names a proxy that cannot be used.
    """

    def __init__(self) -> None:
        self._ways = _Ways(httpx.HTTPTransport)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with _blamed(request.url):
            return self._ways.to(request.url).handle_request(request)

    def close(self) -> None:
        for way in self._ways.made.values():
            way.close()


class AsyncTransport(httpx.AsyncBaseTransport):
    """The same for `httpx.AsyncClient`."""

    def __init__(self) -> None:
        self._ways = _Ways(httpx.AsyncHTTPTransport)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with _blamed(request.url):
            return await self._ways.to(request.url).handle_async_request(request)

    async def aclose(self) -> None:
        for way in self._ways.made.values():
            await way.aclose()
