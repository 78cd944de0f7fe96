"""Checks whether the gateway can listen where `ringtrue up` would start it, and if not, what listens there."""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import socket
from collections.abc import Iterator

from services.doctor.findings import Finding, fail, ok

_PATIENCE_S = 3.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104  where to connect, not what to bind


def gateway_port(host: str, port: int) -> Iterator[Finding]:
    """Check that the port is free, or held by a gateway."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        yield _unusable(host, port, error)
        return
    yield ok(f"port {port} on {host} is free for the gateway")


def _unusable(host: str, port: int, error: OSError) -> Finding:
    if error.errno == errno.EADDRINUSE:
        if _is_gateway(_EVERYWHERE.get(host, host), port):
            return ok(f"a gateway runs on port {port} of {host}")
        return fail(
            f"port {port} on {host} is in use{_owner(port)}", "stop that program, or choose another port with --port"
        )
    if error.errno == errno.EACCES:
        return fail(f"not allowed to listen on port {port}", "choose a port from 1024 up with --port")
    return fail(f"cannot listen on {host}: {error.strerror}", "choose an address of this machine with --host")


def _is_gateway(host: str, port: int) -> bool:
    """Return whether the server there reports its store, as a gateway does."""
    connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE_S)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        connection.request("GET", "/readyz")
        answer = json.loads(connection.getresponse().read(1 << 16))
        return isinstance(answer, dict) and "store" in answer.get("checks", {})
    return False


def _owner(port: int) -> str:
    """Return `` by NAME (pid N)``, or an empty string if the system does not tell."""
    try:
        import psutil  # type: ignore[import-untyped]
    except ImportError:
        return ""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            listening = connection.status == psutil.CONN_LISTEN
            if listening and connection.pid and connection.laddr.port == port:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return ""
