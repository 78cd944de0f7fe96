"""Which proxy is between this process and a URL, by HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY.

Owns the rule that this machine is never reached through a proxy: its traffic is private, and a proxy elsewhere would
look for the address on its own machine. Libraries that read these variables themselves send such traffic to the proxy,
and fail on forms that curl accepts. The client has the same rules in `ringtrue/http/proxies.py`, since it shares no
code with the services.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies

from shared.errors import SettingsError

HERE = ("localhost", "127.0.0.1", "127.0.0.0/8", "::1")
"""This machine, as NO_PROXY names it."""
_PORTS = {"http": 80, "https": 443}

_READ = ("http", "https", "socks5", "socks5h")
"""Supported schemes of proxies."""
_NUMBER = re.compile(r"[0-9a-fx.]+")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and the environment variable that names it."""

    url: str
    variable: str

    @property
    def socks(self) -> bool:
        """Whether it is a SOCKS proxy, which needs an extra library."""
        return self.url.startswith("socks")


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy between this process and ``url``, by the environment; ``None`` if there is none.

    Raises `SettingsError` if the variable that applies cannot be read.
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


def _read(text: str, variable: str) -> Proxy:
    url = text.strip() if "://" in text else f"http://{text.strip()}"
    if url.lower().startswith("socks://"):  # the form that desktops use
        url = f"socks5{url[len('socks') :]}"
    try:
        parts = urlsplit(url)
        readable = bool(parts.hostname) and not re.search(r"[\s\x00-\x20\x7f]", url) and parts.port != 0
    except ValueError:
        readable = False
    if not readable:
        raise SettingsError(f"{variable} must contain the address of a proxy, http://HOST:PORT")
    if parts.scheme not in _READ:
        raise SettingsError(
            f"{variable} names a proxy of the unknown kind {parts.scheme}; known kinds: {', '.join(_READ)}"
        )
    return Proxy(url, variable)


def _variable(scheme: str) -> str:
    """Return the variable that applies. If both are set, that is the lower-case one."""
    name = f"{scheme}_proxy"
    return name if os.environ.get(name) else name.upper()


@contextmanager
def made_for(proxy: Proxy | None, library: str, *invalid: type[Exception]) -> Iterator[None]:
    """Wrap the creation of a connection through ``proxy``: its errors become `SettingsError`, which names the variable.

    ``library``: the library that lacks a part if SOCKS is not supported. ``invalid``: what it raises for a bad address.
    """
    variable = proxy.variable if proxy else "the environment"
    try:
        yield
    except ImportError as error:
        more = f"pip install '{library}[socks]'"
        raise SettingsError(f"{variable} names a SOCKS proxy, which needs another library: {more}") from error
    except OSError as error:
        raise SettingsError(f"SSL_CERT_FILE or SSL_CERT_DIR: {error.strerror or error}") from error
    except invalid as error:
        raise SettingsError(f"{variable} does not contain the address of a proxy: {error}") from error


def without_proxy_here(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what to add to ``environ`` so that libraries that read it reach this machine without a proxy."""
    if not any(name.lower().endswith("_proxy") and name.lower() != "no_proxy" for name in environ):
        return {}
    named = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    exceptions = [entry for entry in named.split(",") if entry.strip()]
    whole = ",".join([*exceptions, *(one for one in HERE if one not in exceptions)])
    return {"no_proxy": whole, "NO_PROXY": whole}
