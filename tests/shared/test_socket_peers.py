"""Whose connection it is: asked of the kernel, over both families, by both ways, for certain or not at all."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from shared.network import socket_peers
from shared.network.socket_peers import PeerUnknown, can_tell, uid_of_peer
from tests.strangers import NOBODY, needs_a_second_user, socket_of_nobody

FAMILIES = {
    "IPv4": (socket.AF_INET, "127.0.0.1", socket.AF_INET, "127.0.0.1"),
    "IPv6": (socket.AF_INET6, "::1", socket.AF_INET6, "::1"),
    "IPv4 from a socket of IPv6": (socket.AF_INET, "127.0.0.1", socket.AF_INET6, "::ffff:127.0.0.1"),
    "IPv4 to a socket of IPv6": (socket.AF_INET6, "::", socket.AF_INET, "127.0.0.1"),
}


@pytest.fixture(params=FAMILIES)
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    """(theirs, ours); theirs is another user's where there can be one."""
    family, host, their_family, their_host = FAMILIES[request.param]
    dual = host == "::"
    try:
        listening = socket.create_server((host, 0), family=family, dualstack_ipv6=dual)
    except OSError:
        pytest.skip(f"no {request.param} here")
    with listening, socket.socket(their_family) if os.geteuid() else socket_of_nobody(their_family) as theirs:
        theirs.connect((their_host, listening.getsockname()[1]))
        ours, _ = listening.accept()
        with ours:
            yield theirs, ours


def expected() -> int:
    return os.geteuid() or NOBODY


def test_the_owner_of_the_other_end_is_told(ends: tuple[socket.socket, socket.socket]) -> None:
    assert uid_of_peer(ends[1]) == expected()


def test_both_ways_of_asking_agree(ends: tuple[socket.socket, socket.socket]) -> None:
    ours = ends[1]
    assert socket_peers._by_tables(ours.getpeername(), ours.getsockname()) == expected()


def test_who_has_said_all_is_still_there(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[0].shutdown(socket.SHUT_WR)
    assert uid_of_peer(ends[1]) == expected()


@pytest.mark.parametrize("unread", [b"", b"POST / HTTP/1.1\r\n"])
def test_who_has_gone_is_nobody(ends: tuple[socket.socket, socket.socket], unread: bytes) -> None:
    """A closed end has no owner any more: it must not pass for root's, whose number stands in its place."""
    theirs, ours = ends
    theirs.sendall(unread)
    theirs.close()
    with pytest.raises(PeerUnknown):
        uid_of_peer(ours)
    with pytest.raises(PeerUnknown):
        socket_peers._by_tables(ours.getpeername(), ours.getsockname())


def test_our_own_connection_is_ours() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as ours,
    ):
        assert uid_of_peer(ours) == os.geteuid()
    assert can_tell()


@needs_a_second_user
def test_two_users_at_the_same_server_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        for connection in (socket.socket(), socket_of_nobody(socket.AF_INET), socket.socket()):
            with connection:
                mine = connection.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)  # a socket of either kind
                assert mine == socket.SOCK_STREAM
                connection.connect(listening.getsockname())
                ours, _ = listening.accept()
                with ours:
                    assert uid_of_peer(ours) == os.fstat(connection.fileno()).st_uid
