"""The child that compares and decides: ``python -m services.scorer.judge_host``, spoken to by judge.py.

Owns the words on the pipe. ``{"op": "ready"}`` says that it listens. ``{"op": "compare"}`` and ``{"op": "decide"}``
with JSON as payload are answered by ``{"op": "judged", "paths", "sizes"}`` with the outcome and the files as payload,
by ``{"op": "refused", "code", "message"}`` or by ``{"op": "failed", "error"}``. Before that, ``{"op": "sound",
"pcm_sha256"}`` asks for a clip, which comes as ``{"op": "sound", "there"}`` with its PCM.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from services.scorer.comparison import evaluated_json
from services.scorer.comparison.comparability import NotComparable
from services.scorer.comparison.compute import compare
from services.scorer.comparison.exports import gate_json, junit, markdown
from services.scorer.comparison.floors import floors_from_json
from services.scorer.comparison.gating import decide
from services.scorer.comparison.result import Comparison
from services.scorer.judge import Sides, Verdict
from services.scorer.report.document import report
from shared.audio import Audio
from shared.gating.checking import read_rules
from shared.gating.rules import RulesInvalid
from shared.hosting import Frame, Served

log = logging.getLogger(__name__)


def main() -> None:
    served = Served()
    served.answer({"op": "ready"})
    requests = served.requests()
    for frame in requests:
        _answer(served, frame, Sounds(served, requests))


class Sounds:
    """Clips by their hashes, asked of the parent."""

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
    except Exception as error:  # the one seam: what nobody foresaw is told to the parent, which tries again or gives up
        log.exception("not judged")
        served.answer({"op": "failed", "error": repr(error)})
    else:
        parts = [json.dumps(verdict.outcome).encode(), *verdict.files.values()]
        served.answer({"op": "judged", "paths": list(verdict.files), "sizes": list(map(len, parts))}, b"".join(parts))


def _compared(asked: Mapping[str, Any], sound: Sounds) -> Verdict:
    sides = _sides(asked)
    floors = {
        name: floor
        for name, one in asked["floors"].items()
        for floor in floors_from_json({name: one}, one["evaluation"], one["seeds"]).values()
    }
    comparison = compare(asked["id"], sides.baseline, sides.candidate, floors, asked["allow"])
    made = report(comparison, sides.baseline, sides.candidate, sound)
    plots = {f"plots/{name}": content for name, content in made.plots.items()}
    return Verdict({"comparison": comparison.to_json()}, {"report.html": made.html, **plots})


def _decided(asked: Mapping[str, Any], sound: Sounds) -> Verdict:
    sides, comparison = _sides(asked), Comparison.from_json(asked["comparison"])
    gate = decide(asked["id"], comparison, sides.baseline, sides.candidate, read_rules(asked["rules"]))
    files = {
        "gate.json": gate_json(gate),
        "junit.xml": junit(gate),
        "summary.md": markdown(gate, comparison).encode(),
        "report.html": report(comparison, sides.baseline, sides.candidate, sound, gate).html,
    }
    return Verdict({"gate": gate.to_json()}, files)


def _sides(asked: Mapping[str, Any]) -> Sides:
    return Sides(evaluated_json.from_json(asked["baseline"]), evaluated_json.from_json(asked["candidate"]))


if __name__ == "__main__":
    main()
