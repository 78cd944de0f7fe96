"""A frame on its way to the parent: however it comes, it is whole and lies in memory once, or it is no frame."""

from __future__ import annotations

import json
import struct
import sys
import tracemalloc
from collections.abc import Iterator

import pytest

from shared.processes.hosting import MAX_PAYLOAD, Child, HostCrashed, HostTimeout

PARROT = """
import os, signal, sys
from shared.processes.hosting import read_frame
while (frame := read_frame(sys.stdin.buffer)) is not None:
    sys.stdout.buffer.write(frame.payload * frame.header.get("times", 1))
    sys.stdout.buffer.flush()
    if frame.header.get("die"):
        os.kill(os.getpid(), signal.SIGKILL)
"""
SOON_S = 0.02


@pytest.fixture
def parrot() -> Iterator[Child]:
    """A child that writes what it is sent just as it is, frame or not."""
    child = Child([sys.executable, "-c", PARROT])
    yield child
    child.kill()


def packed(header: object, payload: bytes = b"") -> bytes:
    """A frame as the format has it."""
    text = json.dumps(header).encode()
    return struct.pack("<II", len(text), len(payload)) + text + payload


HELLO = packed({"hello": 1}, b"\x01\x02\x03\x04")


def test_a_frame_may_come_in_two_parts_wherever_it_is_cut(parrot: Child) -> None:
    for cut in range(len(HELLO)):
        parrot.send({}, HELLO[:cut])
        assert parrot.receive(SOON_S) is None
        parrot.send({}, HELLO[cut:])
        frame = parrot.receive(30)
        assert frame is not None
        assert (frame.header, frame.payload) == ({"hello": 1}, b"\x01\x02\x03\x04")


def test_a_frame_may_come_byte_by_byte(parrot: Child) -> None:
    for at in range(len(HELLO) - 1):
        parrot.send({}, HELLO[at : at + 1])
        assert parrot.receive(SOON_S) is None
    frame = parrot.ask({}, HELLO[-1:], timeout_s=30)
    assert frame.payload == b"\x01\x02\x03\x04"


def test_frames_that_come_together_are_taken_one_by_one(parrot: Child) -> None:
    parrot.send({}, packed({"n": 1}, b"one") + packed({"n": 2}) + packed({"n": 3}, b"three"))
    frames = [parrot.receive(30) for _ in range(3)]
    assert [frame and (frame.header["n"], frame.payload) for frame in frames] == [(1, b"one"), (2, b""), (3, b"three")]
    assert parrot.receive(SOON_S) is None


def test_a_large_payload_lies_in_memory_once(parrot: Child) -> None:
    size = 50 << 20
    parrot.send({}, packed({}, bytes(size))[:10])
    tracemalloc.start()
    try:
        frame = parrot.ask({"times": 50}, b"\x55" * (1 << 20), timeout_s=60)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(frame.payload, bytes)
    assert len(frame.payload) == frame.payload.count(b"\x55") == size
    assert peak < size * 1.1


def test_half_a_frame_is_not_waited_for_beyond_the_deadline(parrot: Child) -> None:
    with pytest.raises(HostTimeout):
        parrot.ask({}, packed({}, bytes(100_000))[:-1], timeout_s=0.5)
    assert not parrot.alive


def test_a_child_that_is_killed_in_the_middle_of_a_frame_has_crashed(parrot: Child) -> None:
    with pytest.raises(HostCrashed, match="SIGKILL"):
        parrot.ask({"die": True}, packed({}, bytes(1_000_000))[:-1], timeout_s=30)


NO_FRAMES = {
    "a line of text": b"usage: host [--pin PIN]\n",
    "a payload beyond the limit": struct.pack("<II", 2, MAX_PAYLOAD + 1) + b"{}",
    "a header that is no JSON": struct.pack("<II", 4, 0) + b"{a: ",
    "a header that is no text": struct.pack("<II", 2, 1) + b"\xff\xfe\x00",
    "a header that is a list": packed([1]),
    "no header": struct.pack("<II", 0, 0),
}


@pytest.mark.parametrize("what", NO_FRAMES)
def test_what_is_no_frame_is_said_to_be_none(parrot: Child, what: str) -> None:
    with pytest.raises(HostCrashed, match="not a frame"):
        parrot.ask({}, NO_FRAMES[what], timeout_s=30)
