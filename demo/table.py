"""The demo's result as a table, and whether its clips differ by emotion."""

from __future__ import annotations

import itertools
import math
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from demo.failure import DemoFailed
from ringtrue import Job, Score

MOS_PREDICTORS = ("mos/nisqa_tts", "mos/dnsmos_ovrl")
"""The first that was scored is shown; the weights of NISQA are not brought along."""
CER = "asr/cer_whisper"
"""In its own column, if it was scored: it needs the starter set, or another Whisper."""
PLAIN = "plain"
"""In the place of an emotion, where the job names none."""
F0, RATE = "prosody/f0_median_hz", "prosody/rate_per_s"
WIDTH, CER_WIDTH = 108, 8
SEMITONES_APART, RATE_APART = 0.1, 0.03
"""Two clips differ from here up in pitch or rate: roughly what a listener can just tell."""


def emotion_of(job: Job) -> str:
    emotion = job.input.get("emotion", PLAIN)
    return str(emotion["name"] if isinstance(emotion, Mapping) else emotion)


def value(job: Job, name: str) -> float | None:
    """A score of the job, or ``None`` where it is unscored."""
    score = job.scoring.scores.get(name)
    return score.value if isinstance(score, Score) else None


def print_table(jobs: Sequence[Job]) -> None:
    """One row per job to stdout."""
    predictor = next((name for name in MOS_PREDICTORS if any(value(job, name) is not None for job in jobs)), "")
    with_cer = any(value(job, CER) is not None for job in jobs)
    by_whisper = "; CER by Whisper" if with_cer else ""
    caption = f"MOS by {predictor.removeprefix('mos/') or 'none'}{by_whisper}; - is unscored"
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), caption=caption, caption_justify="left")
    for heading in ("pin", "lang", "emotion"):
        table.add_column(heading, no_wrap=True)
    for heading in ("s", "RTF", "MOS", "WER", *(("CER",) if with_cer else ()), "F0 Hz", "rate /s"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("run id", no_wrap=True)
    for job in jobs:
        numbers = (
            (job.audio and job.audio.duration_s, 2),
            (job.timings.get("rtf"), 3),
            (value(job, predictor), 2),
            (value(job, "asr/wer"), 2),
            *(((value(job, CER), 2),) if with_cer else ()),
            (value(job, F0), 0),
            (value(job, RATE), 2),
        )
        shown = ["-" if number is None else f"{number:.{digits}f}" for number, digits in numbers]
        table.add_row(job.pin.name, str(job.input["language"]), emotion_of(job), *shown, job.tracking.run_id or "-")
    # A fixed width: a narrow terminal wraps lines, but no run id is cut.
    Console(width=WIDTH + (CER_WIDTH if with_cer else 0), no_color=bool(os.environ.get("NO_COLOR"))).print(table)


def check_emotions_differ(jobs: Sequence[Job]) -> None:
    """`DemoFailed` where two clips of one pin and language are the same, or differ neither in pitch nor in rate."""
    groups: dict[tuple[str, str], list[Job]] = defaultdict(list)
    for job in jobs:
        groups[job.pin.name, str(job.input["language"])].append(job)
    for group in groups.values():
        for one, other in itertools.combinations(group, 2):
            if not _differ(one, other):
                raise DemoFailed(
                    f"{one.pin.name} speaks {emotion_of(one)} and {emotion_of(other)} alike ({one.id}, {other.id})"
                )


def _differ(one: Job, other: Job) -> bool:
    if one.audio is None or other.audio is None or one.audio.pcm_sha256 == other.audio.pcm_sha256:
        return False
    return _apart(one, other, F0) > SEMITONES_APART / 12 or _apart(one, other, RATE) > math.log2(1 + RATE_APART)


def _apart(one: Job, other: Job, name: str) -> float:
    """Distance in octaves (doublings); 0 where either is unscored."""
    a, b = value(one, name), value(other, name)
    return abs(math.log2(a / b)) if a and b else 0.0
