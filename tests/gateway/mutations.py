"""Sound files as they arrive from the world: cut, doubled, run together, overwritten, or lying about themselves."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

_MARKS = (b"RIFF", b"fmt ", b"fact", b"data", b"fLaC", b"OggS", b"vorbis")
"""What follows these says how much there is of something."""


def mutated(originals: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """``count`` files, each one of ``originals`` with something done to it. The same seed gives the same files."""
    chance = random.Random(seed)
    for _ in range(count):
        content = bytearray(chance.choice(originals))
        if chance.random() < 0.1:
            at = chance.randrange(len(content) + 1)
            content[at:at] = chance.choice(originals)
        for _ in range(chance.randint(1, 4)):
            chance.choice((_overwrite, _overwrite_head, _cut, _blank, _double, _extreme, _lie))(content, chance)
        yield bytes(content)


def _overwrite(content: bytearray, chance: random.Random) -> None:
    at, length = chance.randrange(len(content) + 1), chance.randint(1, 64)
    content[at : at + length] = chance.randbytes(length)


def _overwrite_head(content: bytearray, chance: random.Random) -> None:
    content[(at := chance.randrange(64)) : at + 1] = chance.randbytes(1)


def _cut(content: bytearray, chance: random.Random) -> None:
    del content[chance.randrange(len(content) + 1) :]


def _blank(content: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(content) + 1)
    end = chance.randint(at, len(content))
    content[at:end] = bytes(end - at)


def _double(content: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(content) + 1)
    content[at:at] = content[at : at + chance.randint(1, 4096)]


def _extreme(content: bytearray, chance: random.Random) -> None:
    """The numbers that sizes, rates and counts are least expected to be."""
    at = chance.randrange(min(len(content), 256) + 1)
    content[at : at + 4] = chance.choice((b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80"))


def _lie(content: bytearray, chance: random.Random) -> None:
    """Another size where a container gives one."""
    mark = chance.choice(_MARKS)
    if (found := content.find(mark)) >= 0:
        at = found + len(mark)
        content[at : at + 4] = chance.randrange(1 << chance.randint(1, 32)).to_bytes(4, "little")
