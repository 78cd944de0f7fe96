"""The demo's 28 clips from submission to MLflow, against the script everyone starts with (naive_script.py).

Ours is the whole stack as ``ringtrue up`` starts it, told one job per request; the clock runs from the first request
until the last job is tracked. Both sides log to the same server and are warm. Ours runs before and after the baseline,
and the mean of the two is compared: a machine that slows down meanwhile slows both.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import fmean

from benchmarks.harness.clips import LINES, ONE
from benchmarks.harness.cores import cores
from benchmarks.harness.deployments import Ringtrue, eventually
from benchmarks.harness.processes import Processes, environment
from benchmarks.harness.progress import say
from demo.__main__ import PINS

_TRACKED_WITHIN_S = 300.0
_WARM_JOBS = 4
"""Per pin: every place of the scorer gets one."""
_LOOK_EVERY_S = 0.25
_MOST_AT_ONCE = 8
"""Each holds a gigabyte."""


class NotDone(Exception):
    """A job of ours did not come out as it should: nothing that may be timed."""


def measure() -> dict[str, float]:
    """Wall seconds of both sides, CPU seconds of the work itself, and the share of the machine that ours reached."""
    with Processes() as processes:
        ours = Ringtrue(processes)
        ours.start("redis", "mlflow", "relay", "gateway", "worker", "scorer")
        _run(ours, [{**ONE.submission, "pin": pin} for pin in PINS] * _WARM_JOBS)
        walls_s = [_run(ours, [line.submission for line in LINES])]
        say(f"end to end: ours {walls_s[0]:.1f} s; now the baseline, which takes a few minutes")
        baseline_s = child("naive_script", ours.settings.models, "--mlflow", ours.mlflow)["wall_s"]
        say(f"end to end: baseline {baseline_s:.1f} s")
        walls_s.append(_run(ours, [line.submission for line in LINES]))
        say(f"end to end: ours {walls_s[1]:.1f} s")
        models = ours.settings.models
    bare_s = bare_cpu_s(models)
    wall_s = fmean(walls_s)
    say(f"end to end: speaking and scoring alone take {bare_s:.1f} s of CPU; there are {cores():g} cores")
    return {
        "baseline_wall_s": baseline_s,
        "ours_wall_s": wall_s,
        "bare_cpu_s": bare_s,
        "share": bare_s / cores() / wall_s,
    }


def _run(ours: Ringtrue, jobs: Sequence[dict[str, object]]) -> float:
    """Seconds from the first request until all jobs are tracked."""
    began = time.monotonic()
    ids = [ours.http.post("/v1/jobs", json=job).raise_for_status().json()["id"] for job in jobs]
    for job_id in ids:  # one look at a time: a list of all of them, again and again, is work for the machine too
        eventually(partial(_ended, ours, job_id), _TRACKED_WITHIN_S, f"{job_id} is tracked", _LOOK_EVERY_S)
    return time.monotonic() - began


def _ended(ours: Ringtrue, job_id: str) -> bool:
    job = ours.http.get(f"/v1/jobs/{job_id}").raise_for_status().json()
    facets = (job["status"], job["scoring"]["status"], job["tracking"]["status"])
    if "failed" in facets or "skipped" in facets:
        raise NotDone(f"{job['id']} ended as {facets}: {job['error']}")
    return facets == ("succeeded", "done", "done")


def bare_cpu_s(models: Path, *arguments: str) -> float:
    """CPU seconds of the work alone (baselines/bare.py) on a machine whose cores are all busy with the same work.

    Cores share caches, memory and power, and often a physical core. So the same work takes more CPU on a busy machine,
    and that is no fault of the system that runs it.
    """
    at_once = max(1, min(round(cores()), _MOST_AT_ONCE))
    with ThreadPoolExecutor(at_once) as threads:
        done = threads.map(lambda _: child("bare", models, *arguments), range(at_once))
        return fmean(one["cpu_s"] for one in done)


def child(module: str, models: Path, *arguments: str) -> dict[str, float]:
    """Return what a module of `benchmarks.baselines` prints, run in a separate process."""
    argv = [sys.executable, "-m", f"benchmarks.baselines.{module}", "--models", str(models), *arguments]
    done = subprocess.run(argv, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotDone(f"{module}: {done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures
