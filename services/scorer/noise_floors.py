"""Which noise floors a comparison is held against: the baseline's own, or the newest that was measured as it was.

Owns when a floor of another evaluation fits: same pin to the byte, same suite, same parameters and preprocessing, same
scorer.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.scorer.comparison.floors import MeasuredFloor, floors_from_json
from shared.studies import Kind, Study, StudyFilter, StudyStore

_MOST_LOOKED_AT = 50


def floors_for(studies: StudyStore, baseline: Study) -> Mapping[str, MeasuredFloor]:
    """By quantity; none of a quantity that nobody has measured with two seeds."""
    if len(baseline.asked["seeds"]) > 1:
        return _floors(baseline)
    assert baseline.outcome is not None, "what is compared has a result"
    locks = baseline.outcome["scorer_locks"]
    found: dict[str, MeasuredFloor] = {}
    for other in studies.find(_like(baseline)):
        if _measures_the_same(other, baseline):
            fitting = {name: floor for name, floor in _floors(other).items() if floor.scorer_lock == locks.get(name)}
            found = {**fitting, **found}  # the newest comes first, and stays
    return found


def _like(study: Study) -> StudyFilter:
    bytes_ = {"lock_sha256": study.lock_sha256, "suite_sha256": study.suite_sha256}
    return StudyFilter(study.user, Kind.EVALUATION, **bytes_, limit=_MOST_LOOKED_AT)


def _measures_the_same(other: Study, baseline: Study) -> bool:
    alike = all(other.asked[name] == baseline.asked[name] for name in ("params", "preprocessing"))
    return other.outcome is not None and len(other.asked["seeds"]) > 1 and alike


def _floors(study: Study) -> Mapping[str, MeasuredFloor]:
    noise = (study.outcome or {}).get("noise", {})
    return floors_from_json(noise, study.id, len(study.asked["seeds"]))
