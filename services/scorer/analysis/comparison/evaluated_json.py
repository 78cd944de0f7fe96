"""An evaluation as JSON and back: for the pipe to the child that compares, and for hashes of evaluations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from services.scorer.analysis.comparison.evaluated import Evaluated, SpokenClip
from shared.scores import scored_from_json
from shared.suites.suite import Item, Suite


def to_json(evaluated: Evaluated) -> dict[str, Any]:
    """Return every member, in the form that `from_json` reads."""
    data = {member.name: getattr(evaluated, member.name) for member in fields(Evaluated)}
    suite = evaluated.suite.to_json()
    return {**data, "suite": suite, "clips": [_clip_to_json(clip) for clip in evaluated.clips]}


def from_json(data: Mapping[str, Any]) -> Evaluated:
    """Return the evaluation that `to_json` wrote, after the JSON went through text."""
    score = data["score"]
    return Evaluated(
        **{
            **data,
            "suite": _suite(data["suite"]),
            "seeds": tuple(data["seeds"]),
            "score": score if isinstance(score, bool) else tuple(score),
            "clips": tuple(_clip(clip) for clip in data["clips"]),
        }
    )


def _clip_to_json(clip: SpokenClip) -> dict[str, Any]:
    data = {member.name: getattr(clip, member.name) for member in fields(SpokenClip)}
    return {**data, "scores": {name: scored.to_json() for name, scored in clip.scores.items()}}


def _clip(data: Mapping[str, Any]) -> SpokenClip:
    return SpokenClip(**{**data, "scores": {name: scored_from_json(one) for name, one in data["scores"].items()}})


def _suite(data: Mapping[str, Any]) -> Suite:
    """Read a suite without checking it: it was checked when it was sent in."""
    said = {name: value for name, value in data.items() if name not in ("schema", "sha256", "items")}
    return Suite(**said, items=tuple(Item.from_json(item) for item in data["items"]))
