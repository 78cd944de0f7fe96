"""Sound files as they arrive from the world: cut, doubled, overwritten in places, or lying about themselves."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence


def mutated(originals: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """``count`` files, each one of ``originals`` with something done to it. The same seed gives the same files."""
    chance = random.Random(seed)
    for _ in range(count):
        content = bytearray(chance.choice(originals))
        for _ in range(chance.randint(1, 4)):
            chance.choice((_overwrite, _overwrite_head, _cut, _double, _extreme))(content, chance)
        yield bytes(content)


def _overwrite(content: bytearray, chance: random.Random) -> None:
    at, length = chance.randrange(len(content) + 1), chance.randint(1, 64)
    content[at : at + length] = chance.randbytes(length)


def _overwrite_head(content: bytearray, chance: random.Random) -> None:
    content[(at := chance.randrange(64)) : at + 1] = chance.randbytes(1)


def _cut(content: bytearray, chance: random.Random) -> None:
    del content[chance.randrange(len(content) + 1) :]


def _double(content: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(content) + 1)
    content[at:at] = content[at : at + chance.randint(1, 4096)]


def _extreme(content: bytearray, chance: random.Random) -> None:
    """The numbers that sizes, rates and counts are least expected to be."""
    at = chance.randrange(min(len(content), 256) + 1)
    content[at : at + 4] = chance.choice((b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80"))
