"""Both built-in pins on a suite, from submission to MLflow, against the script everyone starts with; and once more.

As end_to_end.py, but submitted as two evaluations. Asked for again, everything was spoken before: that is a comparison
of what is there, from the first request until its result can be read. A machine that others use as well is now fast and
now slow: the work alone is timed before and after the baseline, and so are ours.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import Any

from benchmarks.harness.clips import ONE
from benchmarks.harness.cores import cores
from benchmarks.harness.deployments import Ringtrue, eventually
from benchmarks.harness.processes import Processes
from benchmarks.harness.progress import say
from benchmarks.scoring.end_to_end import NotDone, bare_cpu_s, child
from demo.__main__ import PINS

SUITE = "golden-en-emotion"
_WITHIN_S = 300.0
_WARM_JOBS = 4
_LOOK_EVERY_S = 0.1
_WAIT_S = 20
"""Asked to be told: looking again and again takes CPU from what is looked at."""


def measure() -> dict[str, float]:
    """Wall seconds of both sides and of the rerun, CPU seconds of the work itself, and the share that ours reached."""
    with Processes() as processes:
        ours = Ringtrue(processes)
        ours.start("redis", "mlflow", "relay", "gateway", "worker", "scorer")
        _warm(ours)
        models = ours.settings.models
        walls_s = [_wall_s(ours)]
        rerun_s = _rerun(ours)
        bare_s = [bare_cpu_s(models, "--suite", SUITE)]
        say(f"evaluating: ours {walls_s[0]:.1f} s, again {rerun_s:.1f} s; now the baseline, which takes a few minutes")
        baseline_s = child("naive_script", models, "--mlflow", ours.mlflow, "--suite", SUITE)["wall_s"]
        bare_s.append(bare_cpu_s(models, "--suite", SUITE))
        walls_s.append(_wall_s(ours))
    say(f"evaluating: ours {walls_s[1]:.1f} s; {cores():g} cores; the work alone {_all(bare_s)} s of CPU")
    return {
        "baseline_wall_s": baseline_s,
        "ours_wall_s": fmean(walls_s),
        "bare_cpu_s": fmean(bare_s),
        "share": fmean(bare_s) / cores() / fmean(walls_s),
        "rerun_s": rerun_s,
    }


def _wall_s(ours: Ringtrue) -> float:
    """Seconds until both evaluations are in MLflow, every clip spoken anew."""
    began = time.monotonic()
    _tracked_all(ours, _evaluated(ours, fresh=True))
    return time.monotonic() - began


def _all(seconds: Sequence[float]) -> str:
    return ", ".join(f"{one:.1f}" for one in seconds)


def _rerun(ours: Ringtrue) -> float:
    """Seconds until the same two evaluations, asked for and compared once more, are compared."""
    _compared(ours, _evaluated(ours))
    began = time.monotonic()
    evaluations = _evaluated(ours)
    _compared(ours, evaluations)
    took_s = time.monotonic() - began
    spoken = sum(one["progress"]["clips"] - one["progress"]["cached"] for one in _read(ours, evaluations))
    if spoken:
        raise NotDone(f"{spoken} clips of the rerun were spoken again")
    return took_s


def _evaluated(ours: Ringtrue, *, fresh: bool = False) -> list[str]:
    asked = [{"suite": SUITE, "pin": pin, "seeds": 1, "fresh": fresh} for pin in PINS]
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
    found = ours.http.get(f"{path}?wait={_WAIT_S}").raise_for_status().json()
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
