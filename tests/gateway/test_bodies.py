"""What is being sent lies in memory up to a bound, then in files up to another; nobody takes all of either."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.http.bodies import Bodies
from services.gateway.server.connections import Connections, peer_of
from services.gateway.server.limits import ConnectionLimits
from shared.errors import RefusalCode, Refused

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, 3 << 20])
@pytest.mark.parametrize("memory", [0, 1 << 19, 1 << 30])
async def test_a_body_comes_back_as_it_was_sent(size: int, memory: int) -> None:
    sent = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    bodies = Bodies(memory=memory)
    with bodies.open("ann") as body:
        for start in range(0, size, 60_000):
            await body.add(sent[start : start + 60_000])
        assert await body.content() == sent
        file = await body.file()
        file.seek(0)
        assert file.read() == sent
    assert bodies.keep(memory)


async def test_one_user_does_not_fill_all_and_everybody_gets_room_back() -> None:
    bodies = Bodies(memory=0, files=4000)
    with bodies.open("ann") as first, bodies.open("ann") as second, bodies.open("ben") as third:
        await first.add(b"x" * 1000)
        with pytest.raises(Refused, match="one user may send at most 1000 bytes") as refusal:
            await second.add(b"x")
        assert (refusal.value.code, refusal.value.retry_after_s) == (RefusalCode.RATE_LIMITED, 5)
        await third.add(b"x" * 1000)
    with bodies.open("ann") as again:
        await again.add(b"x" * 1000)


class Fake:
    """A connection that remembers whether it gave way."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.gave_way = False
        self.waits_since: float | None = 0.0

    def give_way(self) -> None:
        self.gave_way = True


@settings(deadline=None)
@given(moves=st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=60))
def test_whoever_is_being_answered_never_gives_way_and_whoever_waited_longest_does(
    moves: list[tuple[str, bool]],
) -> None:
    connections = Connections(ConnectionLimits(connections=8))
    there: list[Fake] = []
    ours: set[int] = set()
    for peer, is_ours in moves:
        one = Fake(peer)
        had_room = len(there) < 8 and sum(other.peer == peer for other in there) < 4
        room = connections.add(one)
        gone = [other for other in there if other.gave_way]
        assert not any(id(other) in ours for other in gone)
        assert len(gone) <= 1
        assert room == (had_room or bool(gone))
        if gone:
            rivals = [other for other in there if other.peer == gone[0].peer and id(other) not in ours]
            assert rivals[0] is gone[0]
            connections.remove(gone[0])
            there.remove(gone[0])
        if not room:
            connections.remove(one)
            continue
        there.append(one)
        if is_ours:
            ours.add(id(one))
            one.waits_since = None
    assert len(there) <= 8


def test_whoever_has_moved_since_gives_way_after_those_who_have_not() -> None:
    connections = Connections(ConnectionLimits(connections=8))
    fakes = [Fake("a") for _ in range(4)]
    for at, one in enumerate(fakes):
        connections.now = one.waits_since = float(at)
        assert connections.add(one)
    connections.now = fakes[0].waits_since = 10.0
    fakes[2].waits_since = None
    gone = []
    for _ in range(3):
        assert connections.add(Fake("a"))
        (newly,) = [one for one in fakes if one.gave_way and one not in gone]
        connections.remove(newly)
        gone.append(newly)
    assert gone == [fakes[1], fakes[3], fakes[0]]


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_an_address_belongs_to_one_peer(address: str, peer: str) -> None:
    assert peer_of((address, 1)) == peer


@pytest.mark.parametrize("files", [64, 100, 1024, 1 << 20])
def test_there_are_files_for_all_connections_and_their_uploads(files: int) -> None:
    assert 8 <= ConnectionLimits().within(files).connections <= max(8, files // 2)
