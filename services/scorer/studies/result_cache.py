"""Reuses comparisons and gates that were computed before from the same inputs.

Owns what "the same inputs" means: everything that the outcome depends on, including this project's code. A copy gets
the ids of the new study and of what it depends on, also inside the files.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from services.scorer.analysis.comparison import evaluated_json
from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.analysis.comparison.floors import MeasuredFloor
from services.scorer.studies.analyzer import Sides
from shared.catalog import canonical_json
from shared.metric_families import families
from shared.ports import Blobs
from shared.studies import STUDY_ID, Kind, Study, StudyFilter, StudyStore

INPUTS = "inputs"
"""The member of an outcome that holds the hash of its inputs."""
CODE = ("services.scorer", "shared")
"""The packages that an outcome depends on: the facts of metrics and the words of suites as much as the arithmetic."""
_NEWEST, _PAGE = 50, 10
_ID = re.compile(STUDY_ID.pattern.encode())


@dataclass(frozen=True)
class Before:
    """An outcome that was computed before, with its files, under the ids of the study that is being computed now."""

    outcome: Mapping[str, Any]
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class ResultCache:
    """Looks for a result among the user's newest studies of the same kind."""

    studies: StudyStore
    blobs: Blobs

    def find(self, study: Study, inputs: str) -> Before | None:
        """Return an outcome of the same inputs under this study's ids.

        ``None`` if there is none, or if one of its files is gone.
        """
        for other in self._newest(study.user, study.kind):
            if other.outcome is not None and other.outcome.get(INPUTS) == inputs:
                try:
                    return self._copied(other, study)
                except KeyError:
                    return None
        return None

    def _newest(self, user: str, kind: Kind) -> Iterator[Study]:
        before = None
        for _ in range(0, _NEWEST, _PAGE):
            found = self.studies.find(StudyFilter(user, kind, before=before, limit=_PAGE))
            yield from found
            if len(found) < _PAGE:
                return
            before = found[-1].id

    def _copied(self, other: Study, study: Study) -> Before:
        names = dict(zip(self._ids(other), self._ids(study), strict=True))
        assert other.outcome is not None
        told = {name: value for name, value in other.outcome.items() if name != "files"}
        contents = {path: self.blobs.get(sha256) for path, sha256 in other.outcome["files"].items()}
        outcome = json.loads(_renamed(json.dumps(told).encode(), names))
        return Before(outcome, {path: _renamed(content, names) for path, content in contents.items()})

    def _ids(self, study: Study) -> list[str]:
        """Return the ids of the study and of all studies that it depends on, in a fixed order."""
        below = self.studies.get(study.stands_on)
        return [study.id, *(id_ for one in study.stands_on for id_ in (one, *below[one].stands_on))]


def inputs_of_comparison(sides: Sides, floors: Mapping[str, MeasuredFloor], study: Study) -> str:
    """Return a hash of everything that a comparison is computed from.

    Evaluations whose clips are the same jobs give the same hash, because their own ids are left out.
    """
    places = {sides.candidate.id: "candidate", sides.baseline.id: "baseline"}
    noise = {
        name: {**one.to_json(), "seeds": one.seeds, "by": places.get(one.evaluation, one.evaluation)}
        for name, one in floors.items()
    }
    content = {
        "baseline": evaluated_json.to_json(replace(sides.baseline, id="")),
        "candidate": evaluated_json.to_json(replace(sides.candidate, id="")),
        "one": sides.baseline.id == sides.candidate.id,
        "floors": noise,
        "allow": sorted(study.asked["allow"]),
        "code": _code(),
    }
    return hashlib.sha256(canonical_json(content)).hexdigest()


def inputs_of_gate(comparison: Mapping[str, Any], study: Study) -> str:
    """Return a hash of everything that a gate is computed from. ``comparison``: the outcome that it judges."""
    content = {"comparison": comparison[INPUTS], "rules": study.asked["rules"], "code": _code()}
    return hashlib.sha256(canonical_json(content)).hexdigest()


def comparable_part(evaluated: Evaluated) -> Evaluated:
    """Return the evaluation without what says nothing about its sound: which clips were cached, and the runs in MLflow.

    A comparison is computed from this alone, so that the same clips give the same comparison.
    """
    clips = tuple(replace(clip, cached=False, run_id=None) for clip in evaluated.clips)
    return replace(evaluated, clips=clips, run_id=None, run_url=None)


def _renamed(content: bytes, names: Mapping[str, str]) -> bytes:
    """Replace all ids in one pass: an old id may also be a new one in another place."""
    encoded = {old.encode(): new.encode() for old, new in names.items()}
    return _ID.sub(lambda match: encoded.get(match[0], match[0]), content)


@cache
def _code() -> str:
    """Return a hash of the code that computes, and of the facts of metrics, which other packages bring too."""
    digest = hashlib.sha256(repr(families()).encode())
    for package in CODE:
        for path, content in _sources(files(package), package):
            digest.update(f"{path} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _sources(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        path = f"{name}/{entry.name}"
        if entry.is_dir():
            yield from _sources(entry, path) if entry.name != "__pycache__" else ()
        else:
            yield path, entry.read_bytes()
