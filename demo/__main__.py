"""Ringtrue in one go: a stack of its own, 14 sentences with two pins, scored and tracked; a table, audio and pictures.

With ``--starter`` two more, by the neural voice of the starter set.

``python -m demo [--compose | --starter] [--output FOLDER]``; exit code 0 if all of it came out as it should.
"""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from demo.deployment import deployed_stack
from demo.failure import DemoFailed
from demo.runs import Runs
from demo.sentences import SENTENCES, STARTER_SENTENCES
from demo.stack import Stack, own_stack
from demo.table import check_emotions_differ, emotion_of, print_table
from ringtrue import APIError, Job, Ringtrue, RingtrueError, SpeechRequest

PINS = ("espeak-v1", "espeak-v2")
VOICES = {"en": "en-us+f5", "zh": "cmn+f5"}
"""The variant that the built-in recogniser understands best: a word error rate of 1 would tell nothing."""
STARTER_PIN = "kokoro"
STARTER_VOICES = {"en": "af_heart", "zh": "zm_yunxi"}
DATA = "data"
"""The stack's data folder within the output: what it prints of MLflow can be looked up later."""
STUCK_S = 900
"""Without any job getting anywhere."""
_LOOK_EVERY_S = 0.5
_TELL_EVERY_S = 3.0
_FAILED = 70
_INTERRUPTED = 130


def main() -> int:
    """Run the demo; gives its exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="Ringtrue in one go.")
    parser.add_argument("--output", type=Path, default=Path("demo-output"), help="folder for audio and pictures")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--starter", action="store_true", help="pull the starter set first, and let its neural voice speak as well"
    )
    where.add_argument(
        "--compose",
        action="store_true",
        help="use the deployment of docker-compose.yml, and start it if it does not run",
    )
    arguments = parser.parse_args()
    data = (arguments.output / DATA).absolute()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the stack is stopped as well
    try:
        with deployed_stack() if arguments.compose else own_stack(data, starter=arguments.starter) as stack:
            _demonstrate(stack, arguments.output, _requests() + (_starter_requests() if arguments.starter else []))
    except (DemoFailed, RingtrueError, httpx.HTTPError) as error:
        print(f"error: {error}", file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    print(f"audio and pictures are in {arguments.output}/; nothing that it started still runs", file=sys.stderr)
    if not arguments.compose:
        up = shlex.join([str(Path(sys.executable).with_name("ringtrue")), "up", "--data", str(data)])
        print(f"its jobs and its runs in MLflow are kept; to look at them: {up}", file=sys.stderr)
    return 0


def _demonstrate(stack: Stack, output: Path, requests: Sequence[SpeechRequest]) -> None:
    with Ringtrue(stack.api, stack.key) as ringtrue:
        jobs = _followed(ringtrue, _submitted(ringtrue, requests))
        print_table(jobs)
        _check_facets(jobs)
        check_emotions_differ(jobs)
        _save(ringtrue, Runs(stack.mlflow, stack.mlflow_password), jobs, output)


def _requests() -> list[SpeechRequest]:
    """All sentences with both pins."""
    return [
        {
            "text": sentence.text,
            "pin": pin,
            "language": sentence.language,
            "voice": VOICES[sentence.language],
            "emotion": sentence.emotion,
        }
        for pin in PINS
        for sentence in SENTENCES
    ]


def _starter_requests() -> list[SpeechRequest]:
    return [
        {
            "text": sentence.text,
            "pin": STARTER_PIN,
            "language": sentence.language,
            "voice": STARTER_VOICES[sentence.language],
        }
        for sentence in STARTER_SENTENCES
    ]


def _submitted(ringtrue: Ringtrue, requests: Sequence[SpeechRequest]) -> list[Job]:
    """All of them, in one request to the gateway."""
    outcomes = ringtrue.submit_many(requests)
    for outcome in outcomes:
        if isinstance(outcome, APIError):
            raise outcome
    return [outcome for outcome in outcomes if isinstance(outcome, Job)]


def _followed(ringtrue: Ringtrue, jobs: Sequence[Job]) -> list[Job]:
    """Show how far the jobs are until all are tracked; the jobs as they ended."""
    started = moved_at = time.monotonic()
    before = (-1, -1, -1)
    for standing in _standings(ringtrue, jobs):
        spoken, scored, tracked = standing
        if standing != before:
            before, moved_at = standing, time.monotonic()
        print(
            f"{time.monotonic() - started:5.1f} s  spoken {spoken:2}  scored {scored:2}  tracked {tracked:2}"
            f"  of {len(jobs)}",
            file=sys.stderr,
        )
        if tracked == len(jobs):
            break
        if time.monotonic() - moved_at > STUCK_S:
            raise DemoFailed(f"{tracked} of {len(jobs)} jobs were tracked, and for {STUCK_S} s nothing more happened")
    return [ringtrue.wait(job, until="tracking", timeout=30) for job in jobs]


def _standings(ringtrue: Ringtrue, jobs: Sequence[Job]) -> Iterator[tuple[int, int, int]]:
    """How many are spoken, scored and tracked, every few seconds and once all are."""
    ours = {job.id for job in jobs}
    said_at = 0.0
    standing = (0, 0, 0)
    while True:
        try:
            now = [job for job in ringtrue.jobs() if job.id in ours]
        except APIError as error:
            # The list only shows the progress; on a busy machine the next one may come through.
            if not error.transient:
                raise
            print(f"the jobs could not be listed: {error}", file=sys.stderr)
        else:
            standing = (
                sum(job.reached("status") for job in now),
                sum(job.reached("scoring") for job in now),
                sum(job.reached("tracking") for job in now),
            )
        if time.monotonic() - said_at > _TELL_EVERY_S or standing[-1] == len(jobs):
            said_at = time.monotonic()
            yield standing
        time.sleep(_LOOK_EVERY_S)


def _check_facets(jobs: Sequence[Job]) -> None:
    for job in jobs:
        facets = (job.status, job.scoring.status, job.tracking.status)
        if facets != ("succeeded", "done", "done"):
            why = f" ({job.error.code}: {job.error.message})" if job.error else ""
            raise DemoFailed(f"{job.id} ended as {'/'.join(facets)}{why}")
    if len({job.tracking.run_id for job in jobs}) != len(jobs):
        raise DemoFailed("two jobs share a run")


def _save(ringtrue: Ringtrue, runs: Runs, jobs: Sequence[Job], output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    for job in jobs:
        assert job.tracking.run_id
        emotion = emotion_of(job)
        clip = output / f"{job.pin.name}-{job.input['language']}-{emotion}.wav"
        ringtrue.save(job, clip)
        runs.check_finished(job.tracking.run_id, with_artifact=f"audio/{emotion}.wav")
        runs.save_picture(job.tracking.run_id, clip.with_suffix(".png"))
    runs.close()


if __name__ == "__main__":
    sys.exit(main())
