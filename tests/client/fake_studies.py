"""A small gateway for the commands that judge: evaluations, comparisons and gates, over as soon as they are looked at.

What a pin is called decides what becomes of its evaluation: "broken" fails, "slow" never ends, "unknown" is none.
"""

from __future__ import annotations

import json
from typing import Any

from tests.client.fake_gateway import Answer, FakeGateway, Seen, problem

HEADLINE = "mos/nisqa is better by 0.35"
RULES = '# the rules that ship\nschema = 1\n[[rule]]\nmetric = "mos/nisqa"\nnot_worse_by = 0.1\n'
FILES = {"report.html": b"<h1>Report</h1>", "junit.xml": b"<testsuites/>", "summary.md": "# Urteil ✓\n".encode()}
ROW = {
    "metric": "mos/nisqa", "unit": "MOS", "direction": "higher", "scope": "overall", "binary": False, "n": 35,
    "seeds": 1.0, "scored": 34, "wanted": 35, "baseline_unscored": {}, "candidate_unscored": {"too_short": 1},
    "baseline_mean": 3.62, "candidate_mean": 3.97, "difference": {"estimate": 0.35, "low": 0.1, "high": 0.6},
    "relative": {"estimate": 0.097, "low": 0.03, "high": 0.17}, "p": 0.012, "p_corrected": 0.036,
    "wins": 20, "ties": 5, "losses": 9, "floor": None,
}  # fmt: skip
NOT_THERE = {
    **ROW, "metric": "asr/wer", "n": 0, "baseline_mean": None, "candidate_mean": None, "difference": None,
    "relative": None, "p": None, "p_corrected": None, "wins": None, "ties": None, "losses": None,
    "baseline_unscored": {"language_not_covered": 35}, "candidate_unscored": {"language_not_covered": 35},
}  # fmt: skip
JUDGED = {
    "metric": "mos/nisqa", "scope": "overall", "demand": "not_worse", "amount": 0.1, "scale": "absolute",
    "direction": "higher", "outcome": "pass", "why": "no worse by more than 0.1", "doubt": None,
    "gain": {"estimate": 0.35, "low": 0.1, "high": 0.6}, "threshold": -0.1, "n": 35, "n_needed": None,
}  # fmt: skip
FLOOR = {"run_to_run": 0.08, "sigma": 0.2, "freedom": 70, "items": 35, "is_zero": False, "scorer_lock": "cd" * 32}
RESULT = {
    "metrics": {
        name: {"unit": unit, "direction": "higher", "mean": 3.6, "n": 35, "scored": 34, "unscored": {"too_short": 1}}
        for name, unit in (("mos/nisqa", "MOS"), ("signal/duration_s", "s"))
    },
    "noise": {"mos/nisqa": FLOOR, "signal/duration_s": {**FLOOR, "run_to_run": 0.0, "sigma": 0.0, "is_zero": True}},
    "scorer_locks": {"mos/nisqa": "cd" * 32},
    "environments": ["abc"],
    "files": {"items.jsonl": "ef" * 32},
}
_PATHS = {"evaluations": "eval", "comparisons": "cmp", "gates": "gate"}


class StudyGateway(FakeGateway):
    """``verdict``: of every gate. ``refuse``: the problem with every request of this path. ``allowed``: disagreements
    of every comparison; ``not_comparable``: why none can be made. ``missing``: files that it cannot hand out."""

    def __init__(self) -> None:
        super().__init__()
        self.verdict = "pass"
        self.refuse: dict[str, dict[str, Any]] = {}
        self.allowed: list[dict[str, Any]] = []
        self.not_comparable: str | None = None
        self.missing: set[str] = set()
        self.studies: dict[str, dict[str, Any]] = {}

    def sent(self, what: str) -> list[Any]:
        """The bodies that were posted."""
        return [seen.body for seen in self.requests(f"POST /v1/{what}")]

    def _route(self, seen: Seen) -> Answer:
        match seen.method, seen.path.removeprefix("/v1/").split("/"):
            case "POST", [what] if what in self.refuse:
                return _refused(self.refuse[what])
            case "POST", ["evaluations"] if seen.body["pin"] == "unknown":
                return _refused(problem(404, "pin_unknown", "no worker has published a pin unknown"))
            case "POST", ["evaluations", study_id, "cancel"] if study_id in self.studies:
                self.studies[study_id]["status"] = "canceled"
                return _json(self.studies[study_id])
            case "POST", [what] if what in _PATHS:
                return _json(self._made(what, seen.body), 202)
            case "GET", ["gates", "default-rules"]:
                return Answer(200, RULES.encode(), {"Content-Type": "application/toml"})
            case "GET", [what] if what in _PATHS:
                found = [one for one in self.studies.values() if one["id"].startswith(_PATHS[what])]
                return _json({"data": found[::-1], "next_cursor": None, "has_more": False})
            case "GET", [what, _, "files", name] if what in _PATHS and name in FILES and name not in self.missing:
                return Answer(200, FILES[name], {})
            case "GET", [what, study_id] if study_id in self.studies:
                return _json(self._over(what, self.studies[study_id]))
            case _, [what, *_] if what in _PATHS:
                return _refused(problem(404, f"{what[:-1]}_not_found", "there is none"))
        return super()._route(seen)

    def _made(self, what: str, asked: dict[str, Any]) -> dict[str, Any]:
        id_ = f"{_PATHS[what]}_{len(self.studies) + 1:026}"
        self.studies[id_] = {
            "id": id_, "object": what[:-1], "status": "running" if what == "evaluations" else "waiting", "error": None,
            "tracking": {"status": "pending"}, "created_at": "2025-01-31T12:00:00.000Z", "links": {}, "result": None,
            **{"evaluations": _evaluation, "comparisons": _comparison, "gates": _gate}[what](asked),
        }  # fmt: skip
        return self.studies[id_]

    def _over(self, what: str, study: dict[str, Any]) -> dict[str, Any]:
        if study.get("pin", {}).get("name") == "slow":
            return study
        done = {**study, "status": "succeeded", "completed_at": "2025-01-31T12:01:00.000Z"}
        if study.get("pin", {}).get("name") == "broken":
            return {**done, "status": "failed", "error": {"code": "scorer_lost", "message": "the scorer was lost"}}
        if what == "comparisons" and self.not_comparable:
            return {**done, "status": "failed", "error": {"code": "not_comparable", "message": self.not_comparable}}
        if what == "comparisons":
            rows = [ROW, NOT_THERE, {**ROW, "scope": "emotion/happy"}]
            return {**done, "headline": HEADLINE, "result": {"rows": rows, "disagreements": self.allowed}}
        if what == "gates":
            judged = [{**JUDGED, "outcome": self.verdict}]
            return {
                **done,
                "verdict": self.verdict,
                "headline": f"{self.verdict}: {HEADLINE}",
                "result": {"judged": judged},
            }
        return {**done, "result": RESULT}


def _evaluation(asked: dict[str, Any]) -> dict[str, Any]:
    return {
        "pin": {"name": asked["pin"], "engine": "espeak", "lock_sha256": "ab" * 32},
        "suite": {"name": "golden", "version": "1", "sha256": "cd" * 32, "items": 35},
        "seeds": list(range(asked["seeds"])), "eta_seconds": 12.5,
        "progress": {"clips": 35, "cached": 5, "spoken": 20, "scored": 10, "tracked": 0, "failed": 1},
    }  # fmt: skip


def _comparison(asked: dict[str, Any]) -> dict[str, Any]:
    return {**asked, "headline": None, "files": ["report.html"]}


def _gate(asked: dict[str, Any]) -> dict[str, Any]:
    return {"comparison": asked["comparison"], "rules": {}, "verdict": None, "headline": None, "files": list(FILES)}


def _json(document: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(document, ensure_ascii=False).encode())


def _refused(refused: dict[str, Any]) -> Answer:
    return Answer(refused["status"], json.dumps(refused).encode(), {"Content-Type": "application/problem+json"})
