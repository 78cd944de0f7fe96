"""What must hold: one row per figure of ours, its baseline where there is one, and its target.

Owns the targets. Knows no measurement: a row names a benchmark and the members of what its ``measure()`` gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_REGISTRY = "registry"
Figures = Mapping[str, Mapping[str, float | None]]
"""Benchmark -> what its ``measure()`` gave."""


@dataclass(frozen=True, slots=True)
class Target:
    """One row. Without a baseline the target is for our figure itself; without a limit the row only tells."""

    benchmark: str
    what: str
    ours: str
    baseline: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    inverse: bool = False
    """The ratio is baseline by ours: both are times, and more is faster."""
    digits: int = 0
    needs: str = ""
    """What the benchmark cannot do without; where that is not here, the row says so."""


@dataclass(frozen=True, slots=True)
class Row:
    """A target and what was measured. ``holds`` is ``None`` where there is no limit, and where nothing was measured."""

    what: str
    baseline: float | None
    ours: float | None
    ratio: float | None
    target: str
    holds: bool | None
    digits: int

    def to_json(self) -> dict[str, Any]:
        names = ("what", "baseline", "ours", "ratio", "target", "holds")
        return {name: getattr(self, name) for name in names}


TARGETS = (
    Target("this_machine", "this machine: Python, 10^6 additions: ms", "loop_ms"),
    Target("this_machine", "  one core, float32: GFLOP/s", "gflop_per_s"),
    Target("submitting", "submit, SQLite: jobs/s", "sqlite_per_s", "baseline_per_s", at_least=0.8),
    Target("submitting", "submit, SQLite: p99 ms", "sqlite_p99_ms", at_most=50),
    Target("submitting", "submit, PostgreSQL: jobs/s", "postgresql_per_s", "baseline_per_s", at_least=0.8),
    Target("submitting", "submit, PostgreSQL: p99 ms", "postgresql_p99_ms", at_most=50),
    Target("submitting", "jobs:batch, SQLite: jobs/s", "sqlite_batch_per_s", "baseline_per_s", at_least=20),
    Target("submitting", "jobs:batch, PostgreSQL: jobs/s", "postgresql_batch_per_s", "baseline_per_s", at_least=20),
    Target("polling", "poll, finished: polls/s", "ours_finished_per_s", "baseline_finished_per_s", at_least=1),
    Target("polling", "poll, queued: polls/s", "ours_queued_per_s", "baseline_queued_per_s", at_least=1),
    Target("lists", "a page of jobs, 10^6 to 10^3: worst ratio", "worst_ratio", at_most=1.5, digits=2),
    Target("lists", "  the slowest, of 10^6: ms", "slowest_ms", digits=1),
    Target("claims", "claim, stale statistics: ms, to fresh", "unknown_ms", "known_ms", at_most=1.5, digits=1),
    Target("claims", "claim, 10,000 users gone: ms, to none", "ever_ms", "known_ms", at_most=1.5, digits=1),
    Target(
        "waking", "idle, sent to started: p50 ms", "ours_sent_p50_ms", "baseline_sent_p50_ms", at_most=1.5, digits=1
    ),
    Target(
        "waking",
        "idle, 202 to started: p50 ms",
        "ours_answered_p50_ms",
        "baseline_answered_p50_ms",
        at_most=1.5,
        digits=2,
    ),
    Target("waking", "idle, 202 to started: p99 ms", "ours_answered_p99_ms", at_most=100, digits=1),
    Target("end_to_end", "28 jobs, spoken to tracked: s", "ours_wall_s", "baseline_wall_s", 3, inverse=True, digits=1),
    Target("end_to_end", "  of it on speaking and scoring", "share", digits=2),
    Target(
        "evaluating", "2 evaluations of 35, to MLflow: s", "ours_wall_s", "baseline_wall_s", 3, inverse=True, digits=1
    ),
    Target("evaluating", "  of it on speaking and scoring", "share", at_least=0.8, digits=2),
    Target("evaluating", "  again, and compared: s", "rerun_s", at_most=3, digits=1),
    Target("one_clip", "clip of 4 s, real weights: CPU s", "pulled_cpu_s", at_most=1.5, digits=2, needs=_REGISTRY),
    Target("one_clip", "  by the default metrics", "default_cpu_s", digits=2),
    Target("comparing", "comparison of 2 x 35 x 5, one core: s", "whole_s", at_most=15, digits=1),
    Target("comparing", "  of it the statistics", "statistics_s", digits=1),
    Target("tracking", "tracking: runs/s", "ours_runs_per_s", "baseline_runs_per_s", at_least=5, digits=1),
    Target("gateway_weight", "gateway: import s", "import_s", at_most=1, digits=2),
    Target("gateway_weight", "gateway: peak MB under load", "peak_rss_mb", at_most=120),
    Target("gateway_weight", "gateway: heavy libraries loaded", "heavy_libraries", at_most=0),
    Target("attacked", "/healthz of others, attacked: p99 ms", "worst_p99_ms", at_most=100, digits=1),
    Target("attacked", "  the longest: ms", "longest_ms", at_most=1000, digits=1),
    Target("attacked", "  not attacked: p99 ms", "quiet_p99_ms", digits=1),
    Target("attacked", "  the gateway grew by MB", "grown_mb", at_most=200),
    Target("host_overhead", "engine host: ms per job", "overhead_ms", at_most=5, digits=1),
    Target("loading", "host of espeak: ms to start", "start_ms", at_most=150),
    Target("loading", "from one loaded pin to another: ms", "switch_ms", at_most=5, digits=1),
    Target("speaking", "espeak, whole path: clips/s", "clips_per_s", at_least=100),
    Target("speaking", "  by one host, nothing around it", "alone_per_s"),
    Target(
        "batching",
        "VITS: s of speech/s, 16 at once",
        "together_per_s",
        "alone_per_s",
        at_least=6,
        digits=1,
        needs="GPU",
    ),
    Target(
        "kokoro_on_cpu",
        "Kokoro: s, to its model alone",
        "engine_s",
        "bare_s",
        0.9,
        inverse=True,
        digits=2,
        needs=_REGISTRY,
    ),
    Target("kokoro_on_cpu", "Kokoro: texts/s, two hosts", "two_per_s", "one_per_s", 1.7, digits=2, needs=_REGISTRY),
    Target("two_hosts", "VITS: texts/s, two hosts", "two_per_s", "one_per_s", digits=2),
    Target("two_hosts", "  with a thread per core each", "two_crowded_per_s", "one_per_s", digits=2),
    Target("compiled", "VITS, compiled: texts/s", "compiled_per_s", "eager_per_s", digits=2, needs="compiler"),
    Target("resampling", "bootstrap, 10,000 of 35: ms", "ours_ms", "loop_ms", at_least=20, inverse=True, digits=1),
    Target("pulling", "pull, hub on loopback: MB/s", "ours_mb_per_s", "baseline_mb_per_s", at_least=1),
    Target("verifying", "verify, all bytes: MB/s, to sha256sum", "ours_mb_per_s", "baseline_mb_per_s", at_least=0.9),
    Target("verifying", "verify --quick, 40 files of 10 GB: ms", "quick_ms", at_most=50, digits=1),
    Target("verifying", "verified pin, added to a host's start: ms", "host_start_ms", at_most=20, digits=1),
)


def rows(figures: Figures) -> list[Row]:
    """The rows of what was measured, in order."""
    found = []
    for target in TARGETS:
        measured = figures.get(target.benchmark, {})
        if (ours := measured.get(target.ours)) is not None:
            baseline = measured[target.baseline] if target.baseline else None
            found.append(_row(target, ours, baseline))
        elif target.needs and target.benchmark in figures:
            found.append(Row(target.what, None, None, None, f"no {target.needs} here", None, target.digits))
    return found


def _row(target: Target, ours: float, baseline: float | None) -> Row:
    ratio = None
    if baseline is not None and (ours if target.inverse else baseline) > 0:
        ratio = baseline / ours if target.inverse else ours / baseline
    judged = ours if target.baseline is None else ratio
    holds, said = None, ""
    if target.at_least is not None:
        holds, said = judged is not None and judged >= target.at_least, f">= {target.at_least:g}"
    elif target.at_most is not None:
        holds, said = judged is not None and judged <= target.at_most, f"<= {target.at_most:g}"
    if said and target.baseline is not None:
        said += " x"
    return Row(target.what, baseline, ours, ratio, said, holds, target.digits)
