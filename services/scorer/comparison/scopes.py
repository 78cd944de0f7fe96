"""The groups of items that results are told by: all of them, and those of one emotion, language or tag.

Owns the names of scopes. An item is in as many as fit it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from services.scorer.comparison.result import OVERALL
from shared.suites.suite import Item

_EACH = "each_"


def scopes(items: Iterable[Item]) -> Mapping[str, frozenset[str]]:
    """Scope -> ids of its items: overall, then emotions, languages and tags by name, those that have an item."""
    groups: dict[str, set[str]] = defaultdict(set)
    everything = set()
    for item in items:
        everything.add(item.id)
        groups[f"language/{item.language}"].add(item.id)
        if item.emotion is not None:
            groups[f"emotion/{item.emotion}"].add(item.id)
        for tag in item.tags:
            groups[f"tag/{tag}"].add(item.id)
    return {OVERALL: frozenset(everything), **{name: frozenset(groups[name]) for name in sorted(groups)}}


def shown(found: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    """The scopes that a table shows: a single language is overall once more."""
    languages = sum(kind(name) == "language" for name in found)
    return {name: items for name, items in found.items() if languages > 1 or kind(name) != "language"}


def kind(scope: str) -> str:
    """overall, emotion, language or tag."""
    return scope.partition("/")[0]


def expanded(scope: str, found: Mapping[str, frozenset[str]]) -> list[str]:
    """The scopes that a rule's scope means: ``each_emotion`` all emotions that there are, another one itself."""
    if not scope.startswith(_EACH):
        return [scope]
    return [name for name in found if kind(name) == scope.removeprefix(_EACH)]
