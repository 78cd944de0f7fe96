"""Finds the readings of a text and of a transcript that differ least.

What is written can often be read aloud in several ways: 1984 is "nineteen eighty four" or "one thousand nine hundred
eighty four". Owns the lattice of all readings and the search through two of them. Knows no language.

A text is a sequence of `Item`. An item has one or more readings; a reading is a sequence of slots; a slot is a token,
or a choice of tokens, of which ``None`` is no token at all. Two texts that are spelled out have one reading each, so
what sounds different stays different. Only what is written as a number, a sign or an abbreviation has several.

Tokens that differ by a space alone are no error: "seashells" against "sea shells". The transcript then gets the spaces
of the text. This is also done where such words sound different ("now here" against "nowhere").
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence

Slot = str | tuple[str | None, ...]
Reading = tuple[Slot, ...]
Item = tuple[Reading, ...]
Tokens = tuple[str, ...]

MOST_CELLS = 2_000_000
"""Pairs of places that are searched, some seconds of work. For more, only the first readings are compared."""
_MOST_JOINED = 3
"""Tokens that are compared with one token. More are not written as one word."""


def plain(token: str) -> Item:
    """Return the item of a token that is read as it is written."""
    return ((token,),)


def first_reading(items: Iterable[Item]) -> Tokens:
    """Return the first reading of every item. It does not depend on what is compared with it."""
    return tuple(token for item in items for slot in item[0] if (token := _choices(slot)[0]) is not None)


def closest(said: Sequence[Item], heard: Sequence[Item]) -> tuple[Tokens, Tokens]:
    """Return the reading of each side with which the edit distance between them is smallest.

    Of readings with the same distance, earlier ones are preferred.
    """
    if (written := first_reading(said)) == first_reading(heard):
        return written, written
    ours = _Lattice(said)
    theirs = _Lattice(_respaced(heard, ours))
    if len(ours.into) * len(theirs.into) > MOST_CELLS:
        return written, first_reading(heard)
    return _traced(ours, theirs, _distances(ours, theirs))


class _Lattice:
    """All readings of a text as edges between nodes. Every edge leads to a node with a higher number."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.into: list[list[tuple[int, str | None]]] = [[]]
        """Of each node: the nodes before it, with the token between. Node 0 is the start, the last one the end."""
        for item in items:
            self._add(item)

    def _add(self, item: Item) -> None:
        start, last = len(self.into) - 1, []
        for reading in item:
            at = start
            for slot in reading[:-1]:
                self.into.append([(at, token) for token in _choices(slot)])
                at = len(self.into) - 1
            last += [(at, token) for token in (_choices(reading[-1]) if reading else (None,))]
        self.into.append(last)

    def runs(self) -> Iterator[Tokens]:
        """Yield the tokens of all paths of one to three tokens."""
        ending: list[set[Tokens]] = []
        for edges in self.into:
            here: set[Tokens] = set()
            for before, token in edges:
                if token is None:
                    here |= ending[before]
                else:
                    here |= {(*run[1 - _MOST_JOINED :], token) for run in ending[before]} | {(token,)}
            here |= {run[-n:] for run in here for n in range(1, len(run))}
            ending.append(here)
            yield from here


def _choices(slot: Slot) -> tuple[str | None, ...]:
    return (slot,) if isinstance(slot, str) else slot


def _respaced(heard: Sequence[Item], said: _Lattice) -> list[Item]:
    """Return ``heard``, where words of Latin letters can also have the spaces that they have in ``said``."""
    runs = {"".join(run): run for run in sorted(set(said.runs()), key=len, reverse=True)}
    items: list[Item] = []
    at = 0
    while at < len(heard):
        count, run = _same_letters(heard[at : at + _MOST_JOINED], runs)
        if run is None:
            items.append(heard[at])
        else:
            items.append((first_reading(heard[at : at + count]), run))
        at += count
    return items


def _same_letters(heard: Sequence[Item], runs: dict[str, Tokens]) -> tuple[int, Tokens | None]:
    """Return how many items of ``heard`` have the letters of a run with other spaces, and this run."""
    for count in range(len(heard), 0, -1):
        words = [_word(item) for item in heard[:count]]
        found = runs.get("".join(filter(None, words))) if all(words) else None
        if found is not None and found != tuple(words):
            return count, found
    return 1, None


def _word(item: Item) -> str | None:
    token = item[0][0] if len(item) == 1 and len(item[0]) == 1 else None
    return token if isinstance(token, str) and token.isascii() else None


def _distances(ours: _Lattice, theirs: _Lattice) -> list[array[int]]:
    """Return the smallest edit distance between a way to node i and a way to node j, as ``[i][j]``."""
    rows: list[array[int]] = []
    for i in range(len(ours.into)):
        row = array("l", [0]) * len(theirs.into)
        rows.append(row)
        for j in range(len(row)):
            if i or j:
                row[j] = min(cost for cost, *_ in _steps(ours, theirs, rows, i, j))
    return rows


def _steps(
    ours: _Lattice, theirs: _Lattice, rows: Sequence[array[int]], i: int, j: int
) -> Iterator[tuple[int, int, int, str | None, str | None]]:
    """Yield the steps that lead to (i, j): the distance, the nodes they come from, and the token of each side."""
    before = theirs.into[j]
    for p, a in ours.into[i]:
        row = rows[p]
        if a is None:
            yield row[j], p, j, None, None
            continue
        for q, b in before:
            if b is not None:
                yield row[q] + (a != b), p, q, a, b
        yield row[j] + 1, p, j, a, None
    row = rows[i]
    for q, b in before:
        yield row[q] + (b is not None), i, q, None, b


def _traced(ours: _Lattice, theirs: _Lattice, rows: Sequence[array[int]]) -> tuple[Tokens, Tokens]:
    said: list[str] = []
    heard: list[str] = []
    i, j = len(ours.into) - 1, len(theirs.into) - 1
    while i or j:
        at = rows[i][j]
        _, i, j, a, b = next(step for step in _steps(ours, theirs, rows, i, j) if step[0] == at)
        said += [a] if a is not None else []
        heard += [b] if b is not None else []
    return tuple(reversed(said)), tuple(reversed(heard))
