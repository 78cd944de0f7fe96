"""How a check sends HTTP requests: without the proxy if the address is on this machine, as all other parts do."""

from __future__ import annotations

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
