"""`ringtrue jobs`, `job` and `cancel`: list jobs, show one, cancel one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, cast

import typer

from ringtrue import Job, JobFilters, Score, Unscored
from ringtrue.commands.connection import AsJson, JobId, connect, pairs
from ringtrue.commands.delivery import Output, Timeout, WaitFor, check_output, deliver, end
from ringtrue.console.terminal import data, data_json, data_table, titled

ByStatus = Annotated[
    str | None, typer.Option("--status", help="queued, starting, processing, succeeded, failed, canceled or expired.")
]
ByPin = Annotated[str | None, typer.Option("--pin", help="Only jobs of this pin.")]
ByScoring = Annotated[str | None, typer.Option("--scoring", help="pending, running, done, failed or skipped.")]
ByTracking = Annotated[str | None, typer.Option("--tracking", help="pending, running, done, failed or skipped.")]
After = Annotated[
    datetime | None,
    typer.Option("--created-after", metavar="TIME", help="Such as 2026-11-30 or 2026-11-30T09:30, in local time."),
]
Before = Annotated[
    datetime | None,
    typer.Option("--created-before", metavar="TIME", help="Such as 2026-11-30 or 2026-11-30T09:30, in local time."),
]
ByMetadata = Annotated[
    list[str] | None, typer.Option("--metadata", metavar="K=V", help="Only jobs with this metadata; repeatable.")
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="Most jobs to list.")]
WaitUntil = Annotated[WaitFor, typer.Option("--wait-for", help="Wait until this facet of the job has ended.")]
Wait = Annotated[bool, typer.Option("--wait", help="The same as --wait-for status.")]


def jobs(
    ctx: typer.Context,
    *,
    status: ByStatus = None,
    pin: ByPin = None,
    scoring: ByScoring = None,
    tracking: ByTracking = None,
    created_after: After = None,
    created_before: Before = None,
    metadata: ByMetadata = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List your jobs, newest first."""
    asked = {
        "status": status, "pin": pin, "scoring": scoring, "tracking": tracking,
        "created_after": created_after, "created_before": created_before,
        "metadata": dict(pairs(metadata, "--metadata")),
    }  # fmt: skip
    with connect(ctx) as ringtrue:
        found = list(islice(ringtrue.jobs(**cast(JobFilters, asked)), limit))
    if as_json:
        data_json([one.raw for one in found])
        return
    data_table(
        ("ID", "STATUS", "SCORING", "TRACKING", "PIN", "CREATED", "SECONDS", "TEXT"),
        (
            (
                *(one.id, one.status, one.scoring.status, one.tracking.status, one.pin.name, _local(one.created_at)),
                f"{one.audio.duration_s:.2f}" if one.audio else "",
                str(one.input.get("text", "")),
            )
            for one in found
        ),
    )


def job(
    ctx: typer.Context,
    job_id: JobId,
    *,
    wait: Wait = False,
    wait_for: WaitUntil = "none",
    timeout: Timeout = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Show a job: what was used, its audio, its scores, its run in MLflow."""
    if wait_for == "none" and (wait or output is not None):
        wait_for = "status"
    check_output(output, as_json, wait_for)
    with connect(ctx) as ringtrue:
        delivered = deliver(ringtrue, ringtrue.job(job_id), wait_for, timeout, output)
    if as_json:
        data_json(delivered.job.raw)
    elif output != "-":
        data("\n".join(_lines(delivered.job)))
    end(delivered, wait_for)


def cancel(ctx: typer.Context, job_id: JobId, as_json: AsJson = False) -> None:
    """Stop a job. A finished job does not change."""
    with connect(ctx) as ringtrue:
        stopped = ringtrue.cancel(job_id)
    if as_json:
        data_json(stopped.raw)
    else:
        data(f"{stopped.id} {stopped.status}")


def _local(time: datetime) -> str:
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _lines(one: Job) -> Iterator[str]:
    """Yield the readable view: a name and a value on each line, with details indented."""
    yield f"{one.id} {one.status}" + (f", attempt {one.attempt}" if one.attempt > 1 else "")
    if one.error:
        yield titled("error", f"{one.error.code}: {one.error.message}")
    yield titled("pin", f"{one.pin.name} ({one.pin.engine}, lock {one.pin.lock_sha256})")
    yield from (titled(name, _plain(value)) for name, value in one.input.items() if value not in (None, {}))
    yield titled("controls", ", ".join(f"{name} {how}" for name, how in one.controls.items()))
    if one.audio:
        yield titled("audio", f"{one.audio.duration_s:.2f} s at {one.audio.sample_rate} Hz, PCM {one.audio.pcm_sha256}")
    yield titled("timings", ", ".join(f"{name} {value:g}" for name, value in one.timings.items()))
    times = {"created": one.created_at, "started": one.started_at, "completed": one.completed_at}
    yield from (titled(name, _local(time)) for name, time in times.items() if time)
    yield from (titled(name, value) for name, value in one.metadata.items())
    yield titled("scoring", one.scoring.status)
    yield from ("  " + titled(name, _measured(score), 28) for name, score in sorted(one.scoring.scores.items()))
    yield titled("tracking", " ".join(filter(None, (one.tracking.status, one.tracking.run_id, one.tracking.url))))
    yield "links"
    yield from ("  " + titled(name, url, 28) for name, url in one.links.items())


def _measured(score: Score | Unscored) -> str:
    if isinstance(score, Unscored):
        return score.reason
    return f"{score.value:.4g}" if score.unit == "1" else f"{score.value:.4g} {score.unit}"


def _plain(value: Any) -> str:
    return " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
