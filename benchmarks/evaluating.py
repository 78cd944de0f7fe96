"""Both built-in pins on a suite, from submission to MLflow, against the script everyone starts with; and once more.

As end_to_end.py, but submitted as two evaluations. The second time everything was spoken before: that is a comparison
of what is there, from the first request until its result can be read.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from benchmarks.clips import ONE
from benchmarks.cores import cores
from benchmarks.deployments import Ringtrue, eventually
from benchmarks.end_to_end import NotDone, child
from benchmarks.processes import Processes
from benchmarks.progress import say
from demo.__main__ import PINS

SUITE = "golden-en-emotion"
_WITHIN_S = 300.0
_WARM_JOBS = 4
_LOOK_EVERY_S = 0.1


def measure() -> dict[str, float]:
    """Wall seconds of both sides and of the rerun, CPU seconds of the work itself, and the share that ours reached."""
    with Processes() as processes:
        ours = Ringtrue(processes)
        ours.start("redis", "mlflow", "gateway", "worker", "scorer")
        _warm(ours)
        began = time.monotonic()
        evaluations = _evaluated(ours)
        _tracked_all(ours, evaluations)
        wall_s = time.monotonic() - began
        _compared(ours, evaluations)
        rerun_s = _rerun(ours)
        say(f"evaluating: ours {wall_s:.1f} s, again {rerun_s:.1f} s; now the baseline, which takes a few minutes")
        models = ours.settings.models
        baseline_s = child("naive_script", models, "--mlflow", ours.mlflow, "--suite", SUITE)["wall_s"]
    bare = child("bare", models, "--suite", SUITE)
    say(f"evaluating: speaking and scoring alone take {bare['cpu_s']:.1f} s of CPU; there are {cores():g} cores")
    return {
        "baseline_wall_s": baseline_s,
        "ours_wall_s": wall_s,
        "bare_cpu_s": bare["cpu_s"],
        "share": bare["cpu_s"] / cores() / wall_s,
        "rerun_s": rerun_s,
    }


def _rerun(ours: Ringtrue) -> float:
    """Seconds until the same two evaluations, asked for again, are compared."""
    began = time.monotonic()
    evaluations = _evaluated(ours)
    _compared(ours, evaluations)
    took_s = time.monotonic() - began
    spoken = sum(one["progress"]["clips"] - one["progress"]["cached"] for one in _read(ours, evaluations))
    if spoken:
        raise NotDone(f"{spoken} clips of the rerun were spoken again")
    return took_s


def _evaluated(ours: Ringtrue) -> list[str]:
    asked = [{"suite": SUITE, "pin": pin, "seeds": 1} for pin in PINS]
    return [_made(ours, "/v1/evaluations", one) for one in asked]


def _compared(ours: Ringtrue, evaluations: Sequence[str]) -> None:
    baseline, candidate = evaluations
    made = _made(ours, "/v1/comparisons", {"baseline": baseline, "candidate": candidate})
    eventually(partial(_over, ours, f"/v1/comparisons/{made}"), _WITHIN_S, f"{made} is there", _LOOK_EVERY_S)


def _tracked_all(ours: Ringtrue, evaluations: Sequence[str]) -> None:
    for one in evaluations:
        look = partial(_over, ours, f"/v1/evaluations/{one}", tracked=True)
        eventually(look, _WITHIN_S, f"{one} is over", _LOOK_EVERY_S)


def _over(ours: Ringtrue, path: str, *, tracked: bool = False) -> bool:
    found = ours.http.get(path).raise_for_status().json()
    if found["status"] in ("failed", "canceled"):
        raise NotDone(f"{path} ended as {found['status']}: {found['error']}")
    return found["status"] == "succeeded" and (not tracked or found["tracking"]["status"] == "done")


def _read(ours: Ringtrue, evaluations: Sequence[str]) -> list[dict[str, Any]]:
    return [ours.http.get(f"/v1/evaluations/{one}").raise_for_status().json() for one in evaluations]


def _made(ours: Ringtrue, path: str, asked: Mapping[str, Any]) -> str:
    return str(ours.http.post(path, json=asked).raise_for_status().json()["id"])


def _warm(ours: Ringtrue) -> None:
    ids = ours.submit([{**ONE.submission, "pin": pin} for pin in PINS] * _WARM_JOBS)
    for job_id in ids:
        eventually(partial(_tracked, ours, job_id), _WITHIN_S, f"{job_id} is tracked", _LOOK_EVERY_S)


def _tracked(ours: Ringtrue, job_id: str) -> bool:
    job = ours.http.get(f"/v1/jobs/{job_id}").raise_for_status().json()
    return bool(job["tracking"]["status"] == "done")
