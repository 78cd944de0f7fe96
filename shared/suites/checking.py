"""Turns what was read into a suite, and collects everything that is wrong with it.

Owns the relations between members and between items; form.py owns what each member may be. Knows no notation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from shared.readings.pronunciation import Pronunciation
from shared.readings.pronunciation import faults as faults_between
from shared.suites.form import ITEM, MAX_ITEMS, MAX_TAGS, PRONUNCIATION, SUITE, is_name
from shared.suites.suite import Item, Suite
from shared.values.faults import MOST_FAULTS, Loc
from shared.values.text import shown

MAX_DEPTH = 8
"""Deeper than any suite. Beyond it a file is not read further."""
_UNDETERMINED = "und"


class Unchecked(NamedTuple):
    """A file as it was read. Parts that could not be read are `Unread`."""

    head: Any
    """The suite."""
    items: Any
    """Its items: the same as in ``head``, unless that could not be read."""
    line_of: Callable[[Loc], int]
    """Returns the line of a part; for a member, the line with its name."""


def suite_of(head: Any, items: Any, place: Callable[[Loc], str]) -> tuple[Suite | None, list[tuple[Loc, str]]]:
    """Return the suite, and all faults: one more than are reported means that there may be others.

    ``place``: how a message names the place of another part.
    """
    said, faults = SUITE.read(head)
    # a wrong language is reported once, not again for every item that relies on it
    unsaid = isinstance(head, dict) and "language" not in head
    checker = _ItemChecker(None if unsaid else (said or {}).get("language", _UNDETERMINED), place)
    found: list[Any] = []
    for index, value in enumerate(items if isinstance(items, list) else []):
        if index == MAX_ITEMS:
            faults.append((("items", index), f"at most {MAX_ITEMS} items are allowed"))
        if index == MAX_ITEMS or len(faults) > MOST_FAULTS:
            break
        item, wrong = checker.item(index, value)
        found.append(item)
        faults += wrong
    if said is None or faults:
        return None, faults
    texts = (said["name"], said["version"], said["title"], said["licence"])
    return Suite(*texts, items=tuple(found), description=said.get("description", "")), []


class _ItemChecker:
    """One pass over the items. ``language``: of items that have none."""

    def __init__(self, language: str | None, place: Callable[[Loc], str]) -> None:
        self._language = language
        self._place = place
        self._ids: dict[str, Loc] = {}
        self._asked: dict[Item, str] = {}

    def item(self, index: int, value: Any) -> tuple[Item | None, list[tuple[Loc, str]]]:
        """Return the item, and what is wrong with it."""
        at: Loc = ("items", index)
        members = value if isinstance(value, dict) else {"language": None}
        name = members["id"] if is_name(members.get("id")) else None
        said, faults = ITEM.read(value)
        faults += self._relations(members, name, at, said or members)
        judged, wrong = _pronunciation(members, said)
        faults += wrong
        item = None
        if said is not None and not faults:
            said = {"language": self._language, **said, "tags": tuple(sorted(said.get("tags", ())))}
            item = Item(**(said | {"pronunciation": judged}))
            strength = 1.0 if item.emotion is not None and item.strength is None else item.strength
            # items are the sample, so a double one would count twice; what is judged of it makes it no other speech
            asked = replace(item, id="", strength=strength, tags=(), pronunciation=None)
            if (first := self._asked.setdefault(asked, item.id)) != item.id:
                faults.append(((), f"asks for the same as item {first}"))
        return item, [((*at, *loc), f"item {name or index + 1}: {what}") for loc, what in faults]

    def _relations(self, members: Any, name: str | None, at: Loc, said: Any) -> Iterator[tuple[Loc, str]]:
        if name is not None and (first := self._ids.setdefault(name, (*at, "id"))) != (*at, "id"):
            yield ("id",), f"{self._place(first)} has an item of that id"
        if "strength" in members and "emotion" not in members:
            yield ("strength",), "strength is that of an emotion, and there is none"
        if "language" not in members and self._language is None:
            yield (), "there is no language: neither the item nor the suite says one"
        tags = said.get("tags")
        few = tags[:MAX_TAGS] if isinstance(tags, list) else []
        for index, tag in enumerate(few):
            if isinstance(tag, str) and tag in few[:index]:
                yield ("tags", index), f"the tag {shown(tag)} appears twice"


def _pronunciation(members: Any, said: Any) -> tuple[Pronunciation | None, list[tuple[Loc, str]]]:
    """Return what is judged of an item's pronunciation, and what is wrong with it.

    ``said``: the item's members as they were read, or None if some of them are wrong."""
    if "pronunciation" not in members:
        return None, []
    read, faults = PRONUNCIATION.read(members["pronunciation"])
    judged = None
    if read is not None:
        judged = Pronunciation(read["target"], tuple(read["right"]), tuple(read["wrong"]))
        faults += faults_between(said["text"], judged) if said is not None else ()
    return judged, [(("pronunciation", *loc), f"pronunciation: {what}") for loc, what in faults]
