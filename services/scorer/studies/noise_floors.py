"""Which noise floors a comparison uses: the baseline's own, or the newest that were measured in the same way.

Owns when a floor of another evaluation fits: same pin to the byte, same suite, same parameters and preprocessing, a
comparable environment, same scorer.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from services.scorer.analysis.comparison.floors import MeasuredFloor, floors_from_json
from shared.catalog import canonical_json
from shared.machine.environment import comparable
from shared.ports import JobStore
from shared.studies import Kind, Study, StudyFilter, StudyStore

_MOST_LOOKED_AT = 50


@dataclass(frozen=True)
class NoiseFloors:
    """Finds noise floors among the user's newest evaluations."""

    studies: StudyStore
    jobs: JobStore

    def of(self, baseline: Study) -> Mapping[str, MeasuredFloor]:
        """Return the floor of each quantity. A quantity that nobody has measured with two seeds has none.

        ``baseline`` must have a result.
        """
        if len(baseline.asked["seeds"]) > 1:
            return _floors(baseline)
        outcome = _outcome(baseline)
        locks, places = outcome["scorer_locks"], self._places(outcome)
        found: dict[str, MeasuredFloor] = {}
        for other in self.studies.find(_like(baseline)):
            if _measures_the_same(other, baseline) and self._places(_outcome(other)) == places:
                fitting = {
                    name: floor for name, floor in _floors(other).items() if floor.scorer_lock == locks.get(name)
                }
                found = {**fitting, **found}  # newest first, and the newest is kept
        return found

    def _places(self, outcome: Mapping[str, Any]) -> Set[bytes]:
        """Return, for each environment that clips were spoken in, the part of it that can move a result."""
        described = (self.jobs.environment(id_) for id_ in outcome["environments"])
        return {canonical_json(comparable(one)) for one in described if one is not None}


def _like(study: Study) -> StudyFilter:
    bytes_ = {"lock_sha256": study.lock_sha256, "suite_sha256": study.suite_sha256}
    return StudyFilter(study.user, Kind.EVALUATION, **bytes_, limit=_MOST_LOOKED_AT)


def _measures_the_same(other: Study, baseline: Study) -> bool:
    alike = all(other.asked[name] == baseline.asked[name] for name in ("params", "preprocessing"))
    alike = alike and _lexicon(other) == _lexicon(baseline)
    return other.outcome is not None and len(other.asked["seeds"]) > 1 and alike


def _lexicon(study: Study) -> str | None:
    """Return the hash of the lexicon. Evaluations of earlier versions have none."""
    lexicon = study.asked.get("lexicon")
    return lexicon and lexicon["sha256"]


def _floors(study: Study) -> Mapping[str, MeasuredFloor]:
    return floors_from_json(_outcome(study)["noise"], study.id, len(study.asked["seeds"]))


def _outcome(study: Study) -> Mapping[str, Any]:
    assert study.outcome is not None, "it has a result"
    return study.outcome
