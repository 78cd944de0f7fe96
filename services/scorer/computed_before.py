"""Comparisons and gates that were computed before from the same inputs, and are copied instead of computed again.

Owns what "the same inputs" means: everything that the outcome is a function of, our own code included. What names the
studies themselves is put in anew, in the files as well.
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

from services.scorer.comparison import evaluated_json
from services.scorer.comparison.evaluated import Evaluated
from services.scorer.comparison.floors import MeasuredFloor
from services.scorer.judge import Sides
from shared.catalog import canonical_json
from shared.ports import Blobs
from shared.studies import STUDY_ID, Kind, Study, StudyFilter, StudyStore

INPUTS = "inputs"
"""Member of an outcome: the hash of what it was computed from."""
CODE = ("services.scorer", "shared")
"""Packages that decide an outcome: the facts of metrics and the words of suites as much as the arithmetic."""
_NEWEST, _PAGE = 50, 10
_ID = re.compile(STUDY_ID.pattern.encode())


@dataclass(frozen=True)
class Before:
    """An outcome that was computed before, with its files, as that of the study that is being computed now."""

    outcome: Mapping[str, Any]
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class ComputedBefore:
    """Looks among the user's newest studies of a kind."""

    studies: StudyStore
    blobs: Blobs

    def find(self, study: Study, inputs: str) -> Before | None:
        """An outcome of the same inputs under this study's ids; None where there is none, or a file of it is gone."""
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
        """The study's own and those of all that it stands on, in a fixed order."""
        below = self.studies.get(study.stands_on)
        return [study.id, *(id_ for one in study.stands_on for id_ in (one, *below[one].stands_on))]


def inputs_of_comparison(sides: Sides, floors: Mapping[str, MeasuredFloor], study: Study) -> str:
    """Hash of all that a comparison is computed from; the same for evaluations whose clips are the same jobs."""
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
    """Hash of all that a gate is computed from. ``comparison``: outcome of what it stands on."""
    content = {"comparison": comparison[INPUTS], "rules": study.asked["rules"], "code": _code()}
    return hashlib.sha256(canonical_json(content)).hexdigest()


def comparable_part(evaluated: Evaluated) -> Evaluated:
    """The evaluation without what says nothing of how it sounds: which clips were there before, and how far MLflow is.

    A comparison is made of this alone, so that the same clips make the same comparison."""
    clips = tuple(replace(clip, cached=False, run_id=None) for clip in evaluated.clips)
    return replace(evaluated, clips=clips, run_id=None, run_url=None)


def _renamed(content: bytes, names: Mapping[str, str]) -> bytes:
    """All ids in one pass: an old one may be a new one of another place."""
    encoded = {old.encode(): new.encode() for old, new in names.items()}
    return _ID.sub(lambda match: encoded.get(match[0], match[0]), content)


@cache
def _code() -> str:
    """Hash of the code that computes."""
    digest = hashlib.sha256()
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
