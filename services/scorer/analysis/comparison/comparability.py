"""What differs between two evaluations besides the pin, and whether they may be compared.

Owns which differences can change a result (they block, unless the user allows them) and which are only shown.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from services.scorer.analysis.comparison.alignment import common_items
from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.analysis.comparison.result import SetupDifference
from shared.errors import RingtrueError
from shared.machine.environment import comparable
from shared.scores import Score

BLOCKING = ("suite", "scorers", "preprocessing", "lexicon", "seeds", "params", "environment")
"""The differences that block, and that a user can allow."""
_UNKNOWN = "unknown"
_SHORT = 12


class NotComparable(RingtrueError):
    """Two evaluations differ in something that can change the result. The message names it and how to allow it."""

    code = "not_comparable"

    def __init__(self, message: str, disagreements: tuple[SetupDifference, ...] = ()) -> None:
        super().__init__(message)
        self.disagreements = disagreements


def disagreements(
    baseline: Evaluated, candidate: Evaluated, allow: Collection[str] = ()
) -> tuple[SetupDifference, ...]:
    """Return everything except the pin in which the two differ; what blocks comes first.

    Raises `NotComparable` if something blocks that is not allowed, or if there is nothing to pair.
    """
    found = []
    for what, told in _TOLD.items():
        blocks = what in BLOCKING
        if (texts := told(baseline, candidate)) is not None:
            found.append(SetupDifference(what, *texts, blocks, allowed=blocks and what in allow))
    refused = tuple(one for one in found if one.blocks and not one.allowed)
    if refused:
        raise NotComparable(_refusal(baseline, candidate, refused), refused)
    if not common_items(baseline, candidate):
        raise NotComparable(
            f"{baseline.id} and {candidate.id} have no common items, so they cannot be compared even with --allow"
        )
    return (*found, *_facts(baseline, candidate))


def scorer_locks(*evaluations: Evaluated) -> Mapping[str, str]:
    """Return the lock that each quantity was scored with. Several locks, if that was allowed, are separated by
    commas."""
    sides = [_locks(evaluation) for evaluation in evaluations]
    return {
        name: ", ".join(sorted(set().union(*(side[name] for side in sides)))) for name in sorted(set().union(*sides))
    }


def _refusal(baseline: Evaluated, candidate: Evaluated, refused: tuple[SetupDifference, ...]) -> str:
    differ = "; ".join(f"{one.what} differs ({one.baseline} / {one.candidate})" for one in refused)
    insist = " ".join(f"--allow {one.what}" for one in refused)
    return f"{baseline.id} and {candidate.id} are not comparable: {differ}. To compare them anyway: {insist}"


# -- each kind of difference: a text per side, or None where there is no difference --------------------------------

_Texts = tuple[str, str]
_Told = Callable[[Evaluated, Evaluated], _Texts | None]


def _suites(baseline: Evaluated, candidate: Evaluated) -> _Texts | None:
    if baseline.suite.sha256 == candidate.suite.sha256:
        return None
    common = len(common_items(baseline, candidate))
    ours, theirs = (
        f"{suite.name} {suite.version}, {suite.sha256[:_SHORT]}, {common} of {len(suite.items)} items common"
        for suite in (baseline.suite, candidate.suite)
    )
    return ours, theirs


def _scorers(baseline: Evaluated, candidate: Evaluated) -> _Texts | None:
    """Find the quantities that were scored with several locks, within a side or across."""
    sides = [_locks(baseline), _locks(candidate)]
    names = sorted(name for name in {*sides[0], *sides[1]} if len(sides[0][name] | sides[1][name]) > 1)
    return _told([_by_lock(names, side) for side in sides]) if names else None


def _environments(baseline: Evaluated, candidate: Evaluated) -> _Texts | None:
    """Compare the part of the environments that can change a result. A side that has spoken nothing has none."""
    sides = [_spoken_in(baseline), _spoken_in(candidate)]
    if len(sides[0] | sides[1]) <= 1:
        return None
    return _told([" and ".join(sorted(side)) for side in sides])


def _told(texts: list[str]) -> _Texts:
    """Make the two texts differ: two sides may mix the same values, but not in the same clips."""
    ours, theirs = texts
    return ours, theirs if ours != theirs else f"{theirs}, too"


def _each(tell: Callable[[Evaluated], str]) -> _Told:
    def told(baseline: Evaluated, candidate: Evaluated) -> _Texts | None:
        texts = tell(baseline), tell(candidate)
        return None if texts[0] == texts[1] else texts

    return told


def _by_lock(names: Iterable[str], side: Mapping[str, set[str]]) -> str:
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in names:
        groups[tuple(sorted(lock[:_SHORT] for lock in side[name]))].append(name)
    return "; ".join(f"{', '.join(group)} by {' and '.join(of) or 'none'}" for of, group in groups.items())


def _locks(evaluation: Evaluated) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for clip in evaluation.clips:
        for name, scored in clip.scores.items():
            if isinstance(scored, Score):
                found[name].add(scored.scorer_lock)
    return found


def _spoken_in(evaluation: Evaluated) -> set[str]:
    ids = {clip.environment or "" for clip in evaluation.clips if clip.pcm_sha256 is not None}
    return {_environment(evaluation.environments.get(one)) for one in ids}


def _environment(described: Mapping[str, Any] | None) -> str:
    if described is None:
        return _UNKNOWN
    return ", ".join(f"{name} {value}" for name, value in comparable(described).items() if value is not None)


def _asked(evaluation: Evaluated) -> str:
    score = evaluation.score
    return json.dumps(score) if isinstance(score, bool) else ", ".join(sorted(score))


_TOLD: Mapping[str, _Told] = {
    "suite": _suites,
    "scorers": _scorers,
    "preprocessing": _each(lambda one: one.preprocessing),
    "lexicon": _each(lambda one: one.lexicon),
    "seeds": _each(lambda one: ", ".join(map(str, sorted(one.seeds)))),
    "params": _each(lambda one: json.dumps(one.params, sort_keys=True, ensure_ascii=False)),
    "environment": _environments,
    "score": _each(_asked),
    "controls": _each(lambda one: ", ".join(f"{name} {how}" for name, how in sorted(one.controls.items()))),
}


# -- facts of the environments that are shown ------------------------------------------------------------------------


def _facts(baseline: Evaluated, candidate: Evaluated) -> Iterable[SetupDifference]:
    """Yield the facts that differ. A fact that one side does not record is not known to differ."""
    ours, theirs = _told_facts(baseline), _told_facts(candidate)
    for what in sorted(ours.keys() & theirs.keys()):
        if ours[what] != theirs[what]:
            yield SetupDifference(
                what, " and ".join(sorted(ours[what])), " and ".join(sorted(theirs[what])), blocks=False
            )
    libraries = [_libraries(side) for side in (baseline, candidate)]
    told = [
        ", ".join(f"{name} {version}" for name, version in sorted(side - other))
        for side, other in (libraries, reversed(libraries))
    ]
    if any(told):
        yield SetupDifference("libraries", told[0] or "none of them", told[1] or "none of them", blocks=False)


def _told_facts(evaluation: Evaluated) -> Mapping[str, set[str]]:
    """Return all facts except the libraries and what `comparable` uses."""
    found: dict[str, set[str]] = defaultdict(set)
    for described in evaluation.environments.values():
        for what, value in described.items():
            if what not in ("gpu", "cuda", "precision", "libraries") and value is not None:
                found[what].add(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
    return found


def _libraries(evaluation: Evaluated) -> set[tuple[str, str]]:
    environments = evaluation.environments.values()
    return {pair for described in environments for pair in (described.get("libraries") or {}).items()}
