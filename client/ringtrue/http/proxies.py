"""Which proxy is between this process and a URL, by HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY.

Owns the rule that this machine is never reached through a proxy, and how the variables are read: in all forms that curl
accepts. The services have the same rules (`shared/network/proxies.py`).
"""

from __future__ import annotations

import os
import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies

from ringtrue.errors import EnvironmentUnusable

_PORTS = {"http": 80, "https": 443}

_READ = ("http", "https", "socks5", "socks5h")
"""Supported schemes of proxies."""
_NUMBER = re.compile(r"[0-9a-fx.]+")


@dataclass(frozen=True, slots=True)
class NamedProxy:
    """A proxy, and the environment variable that names it."""

    url: str
    variable: str

    @property
    def socks(self) -> bool:
        """Whether it is a SOCKS proxy, which needs an extra library."""
        return self.url.startswith("socks")


def proxy_for(url: str) -> NamedProxy | None:
    """Return the proxy between this process and ``url``, by the environment; ``None`` if there is none.

    Raises `EnvironmentUnusable` if the variable that applies cannot be read.
    """
    parts = urlsplit(url)
    host, named = parts.hostname or "", getproxies()
    scheme = next((one for one in (parts.scheme, "all") if named.get(one)), None)
    if scheme is None or is_here(host) or _excepted(host, parts.port or _PORTS.get(parts.scheme), named.get("no", "")):
        return None
    return _read(named[scheme], _variable(scheme))


def is_here(host: str) -> bool:
    """Return whether a host's name or address means this machine, in whatever form it is written."""
    host = host.strip("[]").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    if address is None:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return any(one.is_loopback or one.is_unspecified for one in (address, mapped) if one is not None)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that ``host`` is, if it is one. 127.1 and 0x7f000001 count too: sockets accept them."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host)) if _NUMBER.fullmatch(host) else None
    except OSError:
        return None


def _excepted(host: str, port: int | None, exceptions: str) -> bool:
    """Return whether NO_PROXY names a host.

    Its entries are ``*``, a name (and all below it), an address or a network, with or without a port.
    """
    host = host.strip("[]").rstrip(".").lower()
    address = _address(host)
    for entry in filter(None, re.split(r"[,\s]+", exceptions.lower())):
        if entry == "*":
            return True
        name, its_port = _with_port(entry.rpartition("://")[2])
        if its_port is not None and its_port != port:
            continue
        if address is not None:
            with suppress(ValueError):
                if address in ip_network(name, strict=False):
                    return True
        name = name.removeprefix("*").strip(".")
        if name and (host == name or host.endswith(f".{name}")):
            return True
    return False


def _with_port(entry: str) -> tuple[str, int | None]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        name, port = (name, rest[1:]) if rest.startswith(":") else (name + rest, "")
    elif entry.count(":") == 1:
        name, _, port = entry.partition(":")
    else:
        name, port = entry, ""
    return name, int(port) if port.isdecimal() else None


def _read(text: str, variable: str) -> NamedProxy:
    url = text.strip() if "://" in text else f"http://{text.strip()}"
    if url.lower().startswith("socks://"):  # the form that desktops use
        url = f"socks5{url[len('socks') :]}"
    try:
        parts = urlsplit(url)
        readable = bool(parts.hostname) and not re.search(r"[\s\x00-\x20\x7f]", url) and parts.port != 0
    except ValueError:
        readable = False
    if not readable:
        raise EnvironmentUnusable(f"{variable} must contain the address of a proxy, http://HOST:PORT")
    if parts.scheme not in _READ:
        raise EnvironmentUnusable(
            f"{variable} names a proxy of the unknown kind {parts.scheme}; known kinds: {', '.join(_READ)}"
        )
    return NamedProxy(url, variable)


def _variable(scheme: str) -> str:
    """Return the variable that applies. If both are set, that is the lower-case one."""
    name = f"{scheme}_proxy"
    return name if os.environ.get(name) else name.upper()
