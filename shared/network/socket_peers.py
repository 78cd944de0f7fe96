"""Which user's process is at the other end of a connection within this machine.

Owns how the kernel is asked: by sock_diag(7), which looks up one connection, else by the tables in /proc/net, which are
read whole. Knows nothing of what the connection is for. A system that has neither cannot tell.

Loopback is open to every user of a machine, and an address does not say who connects from it.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_SOCK_DIAG_BY_FAMILY = 20
_NETLINK_SOCK_DIAG = 4
_NLM_F_REQUEST = 1
_NLMSG_ERROR = 2
_OPEN = (1, 8)
"""TCP_ESTABLISHED and TCP_CLOSE_WAIT."""
_MAPPED = "::ffff:"
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))


class PeerUnknown(Exception):
    """No process of this machine has the other end, or the system does not tell. The message says which."""


def uid_of_peer(connection: socket.socket | Any) -> int:
    """Return the uid of the process that holds the other end of a TCP connection within this machine.

    ``connection`` is our end, still open. Raises `PeerUnknown`. The answer is certain: if the other end had been closed
    and another process had reused its port before the kernel was asked, our end would have been reset by then.
    """
    try:
        ours, theirs = connection.getsockname(), connection.getpeername()
        uid = _asked(connection.family, theirs, ours)
        if not _is_open(connection):
            raise PeerUnknown("the connection has ended")
    except OSError as error:
        raise PeerUnknown(f"the connection cannot be looked up: {error.strerror or error}") from error
    except ValueError as error:  # raised by a socket of asyncio that was closed here: it has no descriptor any more
        raise PeerUnknown("the connection has ended") from error
    return uid


def _is_open(connection: Any) -> bool:
    """Return whether the connection was neither reset nor closed by us. The other end may have finished sending."""
    number = getattr(socket, "TCP_INFO", None)
    return number is not None and connection.getsockopt(socket.IPPROTO_TCP, number, 1)[0] in _OPEN


def can_tell() -> bool:
    """Return whether this system can tell at all, by asking about a connection of our own."""
    try:
        with (
            socket.create_server(("127.0.0.1", 0)) as listening,
            socket.create_connection(listening.getsockname()),
            listening.accept()[0] as taken,
        ):
            uid_of_peer(taken)
    except (OSError, PeerUnknown):
        return False
    return True


def _asked(family: int, local: Sequence[Any], remote: Sequence[Any]) -> int:
    """Return the owner of the socket that has these addresses, as seen from its own end."""
    try:
        return _by_netlink(family, local, remote)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise PeerUnknown("the other end is closed or not on this machine") from error
        return _by_tables(local, remote)


def _by_netlink(family: int, local: Sequence[Any], remote: Sequence[Any]) -> int:
    ends = struct.pack("!HH", local[1], remote[1]) + _padded(family, local[0]) + _padded(family, remote[0])
    asked = struct.pack("=BBBxI", family, socket.IPPROTO_TCP, 0, 0xFFFFFFFF) + ends + struct.pack("=I", 0) + b"\xff" * 8
    head = struct.pack("=IHHII", 16 + len(asked), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, 0)
    netlink = getattr(socket, "AF_NETLINK", None)
    if netlink is None:
        raise OSError(errno.EAFNOSUPPORT, "this system has no netlink")
    with socket.socket(netlink, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(1.0)
        kernel.send(head + asked)
        answer = kernel.recv(4096)
    (kind,) = struct.unpack_from("=H", answer, 4)
    if kind == _NLMSG_ERROR:
        (number,) = struct.unpack_from("=i", answer, 16)
        raise OSError(-number, "the kernel does not find the connection")
    # After 4 bytes of states come 48 of addresses, 12 of times and queues, then the owner and the inode.
    uid, inode = struct.unpack_from("=II", answer, 16 + 4 + 48 + 12)
    return _owned(uid, inode)


def _padded(family: int, address: str) -> bytes:
    return socket.inet_pton(family, address.partition("%")[0]).ljust(16, b"\0")


def _by_tables(local: Sequence[Any], remote: Sequence[Any]) -> int:
    ends = [(str(address[0]).partition("%")[0].removeprefix(_MAPPED), address[1]) for address in (local, remote)]
    if any(":" in host for host, _ in ends):
        wanted = {tuple(_written(host, port) for host, port in ends)}
    else:  # the other end may still be an IPv6 socket
        wanted = {tuple(_written(f"{prefix}{host}", port) for host, port in ends) for prefix in ("", _MAPPED)}
    for here, there, uid, inode in _rows():
        if (here, there) in wanted:
            return _owned(uid, inode)
    raise PeerUnknown("the other end is closed or not on this machine")


def _rows() -> Iterator[tuple[str, str, int, int]]:
    read = False
    for table in _TABLES:
        with contextlib.suppress(OSError):
            lines = table.read_text().splitlines()[1:]
            read = True
            for line in lines:
                fields = line.split()
                yield fields[1], fields[2], int(fields[7]), int(fields[9])
    if not read:
        raise PeerUnknown("this system does not report the owners of connections")


def _written(host: str, port: int) -> str:
    """Return an address as the tables write it: 32-bit words in the machine's byte order, and the port."""
    packed = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    words = (packed[at : at + 4] for at in range(0, len(packed), 4))
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words) + f":{port:04X}"


def _owned(uid: int, inode: int) -> int:
    """Return the owner.

    Raises `PeerUnknown` for a socket that no process holds: it has no inode, and 0 as its owner.
    """
    if inode == 0:
        raise PeerUnknown("the other end has been closed")
    return uid
