"""Turns nodes into a suite, and collects everything that is wrong with them.

Owns the rules: the form of every member (form.py), and the relations between them. Knows no notation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from shared.suites.errors import Fault
from shared.suites.form import HEAD, HEAD_REQUIRED, ITEM, ITEM_REQUIRED, MAX_ITEMS, MAX_TAGS, TAG, TextMember
from shared.suites.nodes import Leaf, Members, Node, NodeRows, Unread
from shared.suites.suite import SCHEMA, Item, Suite
from shared.values.language_tags import tag_in
from shared.values.numbers import as_whole
from shared.values.text import TextFault, composed, shown, ssml_in, with_plain_line_ends

_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_UNDETERMINED = "und"
_WORDS = {None: "null", True: "true", False: "false"}


Place = Callable[[int], str]
"""How a message names the place of another node."""


def suite_of(node: Node, faults: list[Fault], place: Place = "line {}".format) -> Suite | None:
    """Return the suite in ``node``; ``None`` if there are faults, earlier ones or new ones, which are added."""
    checker = _SuiteChecker(faults, place)
    members = checker.members(node, "", ("schema", *HEAD, "items"), HEAD_REQUIRED)
    checker.schema(members.get("schema"))
    head = {name: checker.text(name, members[name], "", HEAD[name]) for name in HEAD if name in members}
    # a wrong language is reported once, not again for every item that relies on it
    language = head.pop("language") or _UNDETERMINED if "language" in head else None
    items = tuple(checker.items(members["items"], language)) if "items" in members else ()
    return None if faults else Suite(items=items, **{name: text or "" for name, text in head.items()})


class _SuiteChecker:
    """One pass over a file.

    The values that its methods return are useful only if nothing is wrong. ``where``: prefix of messages.
    """

    def __init__(self, faults: list[Fault], place: Place) -> None:
        self._faults = faults
        self._place = place
        self._lines_of_ids: dict[str, int] = {}
        self._asked: dict[Item, str] = {}

    def schema(self, node: Node | None) -> None:
        if node is not None and not isinstance(node, Unread):
            value = node.value if isinstance(node, Leaf) else None
            if type(as_whole(value)) is not int or value != SCHEMA:
                other = f", not {_shown(node.value)}" if isinstance(node, Leaf) else ""
                self._wrong(node, f"schema is {SCHEMA}{other}")

    def items(self, node: Node, language: str | None) -> Iterator[Item]:
        """Yield the valid items. ``language``: of items that have none."""
        if not isinstance(node, NodeRows) or not node.nodes:
            self._wrong(node, "items is a list of at least one item")
            return
        if len(node.nodes) > MAX_ITEMS:
            self._wrong(node.nodes[MAX_ITEMS], f"{len(node.nodes)} items, at most {MAX_ITEMS} are taken")
        for number, one in enumerate(node.nodes[:MAX_ITEMS], 1):
            if (item := self._item(one, f"item {number}: ", language)) is not None:
                yield item

    def _item(self, node: Node, where: str, language: str | None) -> Item | None:
        """Return the item; ``None`` if anything is wrong with it."""
        before = len(self._faults)
        where = f"item {name}: " if (name := _id_in(node)) else where
        members = self.members(node, where, (*ITEM, "strength", "tags"), ITEM_REQUIRED)
        said: dict[str, Any] = {
            name: self.text(name, members[name], where, ITEM[name]) for name in ITEM if name in members
        }
        if name is not None:
            self._id_once(name, members["id"], where)
        if "strength" in members:
            said["strength"] = self._strength(members["strength"], where, felt="emotion" in members)
        if "tags" in members:
            said["tags"] = self._tags(members["tags"], where)
        said["language"] = tag_in(said.get("language") or language or "") or ""
        if not said["language"] and "language" not in members and isinstance(node, Members) and node.complete:
            self._wrong(node, f"{where}there is no language: neither the item nor the suite says one")
        unread = any(isinstance(member, Unread) for member in members.values())
        if len(self._faults) > before or unread or not members.keys() >= {*ITEM_REQUIRED}:
            return None
        item = Item(**said)
        self._asked_once(item, node, where)
        return item

    def _id_once(self, name: str, node: Node, where: str) -> None:
        if (line := self._lines_of_ids.get(name)) is not None:
            self._wrong(node, f"{where}{self._place(line)} has an item of that id")
        self._lines_of_ids.setdefault(name, node.line)

    def _asked_once(self, item: Item, node: Node, where: str) -> None:
        """Check that no other item asks for the same. Items are the sample, so a double one would count twice."""
        strength = 1.0 if item.emotion is not None and item.strength is None else item.strength
        asked = replace(item, id="", strength=strength, tags=())
        if (first := self._asked.setdefault(asked, item.id)) != item.id:
            self._wrong(node, f"{where}asks for the same as item {first}")

    def members(self, node: Node, where: str, known: Collection[str], required: Collection[str]) -> Mapping[str, Node]:
        """Return the members by name, the first of each. Unknown, doubled and missing ones are faults."""
        if isinstance(node, Unread):
            return {}
        if not isinstance(node, Members):
            self._wrong(node, f"{where}a mapping is needed, of {', '.join(known)}")
            return {}
        found: dict[str, Node] = {}
        lines: dict[str, int] = {}
        for line, name, value in node.pairs:
            if name not in known:
                self._faults.append(Fault(line, f"{where}nobody reads {_shown(name)}; there are {', '.join(known)}"))
            elif name in found:
                self._faults.append(Fault(line, f"{where}{name} is said twice, first in {self._place(lines[name])}"))
            else:
                found[name], lines[name] = value, line
        for name in required if node.complete else ():
            if name not in found:
                self._wrong(node, f"{where}{name} is missing")
        return found

    def text(self, name: str, node: Node, where: str, member: TextMember) -> str | None:
        """Return a text in NFC, with every line ended by a newline; ``None`` if it is wrong."""
        if isinstance(node, Leaf) and node.value is None:
            self._wrong(node, f"{where}{name} is empty")
            return None
        if not isinstance(node, Leaf) or not isinstance(node.value, str):
            other = f", and {_shown(node.value)} is none without quotes" if isinstance(node, Leaf) else ""
            self._wrong(node, f"{where}{name} is text{other}")
            return None
        try:
            text = with_plain_line_ends(composed(node.value, member.most))
        except TextFault as fault:
            self._wrong(node, f"{where}{name} has {fault}")
            return None
        if (what := _fault_of(text, member)) is not None:
            self._wrong(node, f"{where}{name} {what}")
            return None
        return text

    def _strength(self, node: Node, where: str, *, felt: bool) -> float | None:
        value = node.value if isinstance(node, Leaf) else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            other = f", not {_shown(node.value)}" if isinstance(node, Leaf) else ""
            self._wrong(node, f"{where}strength is a number from 0 to 1{other}")
            return None
        if not felt:
            self._wrong(node, f"{where}strength is that of an emotion, and there is none")
        return abs(float(value))  # turns -0.0 into 0

    def _tags(self, node: Node, where: str) -> tuple[str, ...]:
        if not isinstance(node, NodeRows) or len(node.nodes) > MAX_TAGS:
            self._wrong(node, f"{where}tags is a list of at most {MAX_TAGS}")
            return ()
        found: set[str] = set()
        for one in node.nodes:
            if (tag := self.text("a tag", one, where, TAG)) is not None:
                if tag in found:
                    self._wrong(one, f"{where}the tag {_shown(tag)} is said twice")
                found.add(tag)
        return tuple(sorted(found))

    def _wrong(self, node: Node, what: str) -> None:
        """Add a fault. Does nothing for a node that could not be read, which already has one."""
        if not isinstance(node, Unread):
            self._faults.append(Fault(node.line, what))


def _id_in(node: Node) -> str | None:
    """Return the id of an item, if it is valid."""
    for _, name, value in node.pairs if isinstance(node, Members) else ():
        if name == "id" and isinstance(value, Leaf) and isinstance(value.value, str) and ITEM["id"].fits(value.value):
            return value.value
    return None


def _fault_of(text: str, member: TextMember) -> str | None:
    """Return what is wrong with a text as this member, to be put after the member's name; ``None`` if nothing is."""
    if not text.strip():
        return "is empty"
    if (found := _NOT_TEXT.search(text)) is not None:
        return f"has the control character U+{ord(found.group()):04X} at {found.start()}"
    if (tag := ssml_in(text)) is not None:
        return f"has SSML, which is not read: <{tag}> would be spoken as it is written"
    if text != text.strip():
        return "begins or ends with white space; in YAML, |- and >- leave out the last newline"
    return None if member.fits(text) else f"{_shown(text)} is not {member.said}"


def _shown(value: object) -> str:
    """Return a value for a message, as JSON and YAML write it."""
    return _WORDS[value] if value is None or isinstance(value, bool) else shown(value)
