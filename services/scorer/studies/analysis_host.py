"""The child process that computes comparisons and gates: ``python -m services.scorer.studies.analysis_host``.

Its parent is analyzer.py. Owns the protocol on the pipe. ``{"op": "ready"}`` says that the child listens. The requests
``{"op": "compare"}`` and ``{"op": "decide"}`` carry JSON as payload. The answer is ``{"op": "judged", "paths",
"sizes"}`` with the outcome and the files as payload, or ``{"op": "refused", "code", "message"}``, or
``{"op": "failed", "error"}``. Before it answers, the child may ask for a clip with ``{"op": "sound", "pcm_sha256"}``;
the parent sends ``{"op": "sound", "there"}`` with the clip's PCM.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from services.scorer.analysis.comparison import evaluated_json
from services.scorer.analysis.comparison.comparability import NotComparable
from services.scorer.analysis.comparison.compute import compare
from services.scorer.analysis.comparison.exports import gate_json, junit, markdown
from services.scorer.analysis.comparison.floors import MeasuredFloor
from services.scorer.analysis.comparison.gating import decide
from services.scorer.analysis.comparison.result import ComparisonResult
from services.scorer.report.document import report
from services.scorer.studies.analyzer import Computed, Sides
from shared.audio import Audio
from shared.gating.rules import RulesInvalid
from shared.processes.frames import Frame
from shared.processes.serving import Served

log = logging.getLogger(__name__)


def main() -> None:
    served = Served()
    served.answer({"op": "ready"})
    requests = served.requests()
    for frame in requests:
        _answer(served, frame, Sounds(served, requests))


class Sounds:
    """Gets clips by their hashes from the parent. Returns ``None`` for a clip whose audio is gone."""

    def __init__(self, served: Served, requests: Iterator[Frame]) -> None:
        self._served = served
        self._requests = requests

    def __call__(self, pcm_sha256: str, sample_rate: int) -> Audio | None:
        self._served.answer({"op": "sound", "pcm_sha256": pcm_sha256})
        given = next(self._requests)
        return Audio(bytes(given.payload), sample_rate) if given.header["there"] else None


def _answer(served: Served, frame: Frame, sound: Sounds) -> None:
    asked = json.loads(bytes(frame.payload))
    try:
        verdict = (_compared if frame.header["op"] == "compare" else _decided)(asked, sound)
    except NotComparable as refused:
        served.answer({"op": "refused", "code": refused.code, "message": str(refused)})
    except RulesInvalid as refused:
        served.answer({"op": "refused", "code": refused.code.value, "message": str(refused)})
    except Exception as error:  # the one catch-all: the parent is told, and tries again or gives up
        log.exception("not judged")
        served.answer({"op": "failed", "error": repr(error)})
    else:
        parts = [json.dumps(verdict.outcome).encode(), *verdict.files.values()]
        served.answer({"op": "judged", "paths": list(verdict.files), "sizes": list(map(len, parts))}, b"".join(parts))


def _compared(asked: Mapping[str, Any], sound: Sounds) -> Computed:
    sides = _sides(asked)
    floors = {
        name: MeasuredFloor.from_json(one, one["evaluation"], one["seeds"]) for name, one in asked["floors"].items()
    }
    comparison = compare(asked["id"], sides.baseline, sides.candidate, floors, asked["allow"])
    made = report(comparison, sides.baseline, sides.candidate, sound)
    plots = {f"plots/{name}": content for name, content in made.plots.items()}
    return Computed({"comparison": comparison.to_json()}, {"report.html": made.html, **plots})


def _decided(asked: Mapping[str, Any], sound: Sounds) -> Computed:
    from shared.gating.checking import read_rules  # loads pydantic, which a comparison does without

    sides, comparison = _sides(asked), ComparisonResult.from_json(asked["comparison"])
    gate = decide(asked["id"], comparison, sides.baseline, sides.candidate, read_rules(asked["rules"]))
    files = {
        "gate.json": gate_json(gate),
        "junit.xml": junit(gate),
        "summary.md": markdown(gate, comparison).encode(),
        "report.html": report(comparison, sides.baseline, sides.candidate, sound, gate).html,
    }
    return Computed({"gate": gate.to_json()}, files)


def _sides(asked: Mapping[str, Any]) -> Sides:
    return Sides(evaluated_json.from_json(asked["baseline"]), evaluated_json.from_json(asked["candidate"]))


if __name__ == "__main__":
    main()
