"""The groups of items that results are given for: all items, and those of one emotion, language or tag.

Owns the names of scopes. An item is in every scope that fits it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from services.scorer.analysis.comparison.result import OVERALL
from shared.suites.suite import Item

_EACH = "each_"


def scopes(items: Iterable[Item]) -> Mapping[str, frozenset[str]]:
    """Return the ids of the items in each scope that has items: overall first, then emotions, languages and tags by
    name."""
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
    """Return the scopes that a table shows. A single language is left out, because it is the same as overall."""
    languages = sum(kind(name) == "language" for name in found)
    return {name: items for name, items in found.items() if languages > 1 or kind(name) != "language"}


def kind(scope: str) -> str:
    """Return the kind of a scope: overall, emotion, language or tag."""
    return scope.partition("/")[0]


def expanded(scope: str, found: Mapping[str, frozenset[str]]) -> list[str]:
    """Return the scopes that a rule's scope means: all emotions for ``each_emotion``, else the scope itself."""
    if not scope.startswith(_EACH):
        return [scope]
    return [name for name in found if kind(name) == scope.removeprefix(_EACH)]
