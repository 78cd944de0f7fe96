"""How a check sends HTTP requests and shows a URL.

Addresses on this machine are reached without the proxy, as in all other parts."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit
from urllib.request import OpenerDirector, ProxyHandler, build_opener

from shared.errors import SettingsError
from shared.network.proxies import proxy_for


def opener_for(url: str) -> OpenerDirector:
    """Return an opener for ``url``. Raises `SettingsError` if the environment names a proxy that cannot be used for
    it."""
    proxy = proxy_for(url)
    if proxy is not None and proxy.socks:
        raise SettingsError(f"{proxy.variable} names a SOCKS proxy, which this check cannot use")
    named = {} if proxy is None else {"http": proxy.url, "https": proxy.url}
    return build_opener(ProxyHandler(named))


def without_credentials(url: str) -> str:
    """Return the URL without user name and password, as it may be shown."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
