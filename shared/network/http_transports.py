"""Transports for ``httpx.Client`` that follow `proxies.py`: this machine is never reached through a proxy."""

from __future__ import annotations

import ssl

import httpx

from shared.network.proxies import made_for, proxy_for


def transport_to(url: str, ca_file: str | None = None) -> httpx.HTTPTransport:
    """Return a transport through the environment's proxy for ``url``, if there is one.

    ``ca_file``: certificates of the authorities to trust, in PEM form, in place of the usual ones. Raises
    `SettingsError` if the proxy or the usual certificates cannot be used, `OSError` for an unusable ``ca_file``.
    """
    trusted = ssl.create_default_context(cafile=ca_file) if ca_file else True
    proxy = proxy_for(url)
    with made_for(proxy, "httpx", ValueError, httpx.InvalidURL):
        return httpx.HTTPTransport(verify=trusted, proxy=proxy.url if proxy else None)
