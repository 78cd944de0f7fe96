"""The items table keeps what a recogniser heard, what was compared to count its errors, and which reading it chose."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow.parquet as pq

from services.scorer.analysis.comparison.evaluated import SpokenClip
from services.scorer.analysis.comparison.evaluated_json import from_json, to_json
from services.scorer.studies.items_table import items_table
from shared.scores import HeardReading, Reason, Score, Scored, Transcript, Unscored
from tests.scorer.comparison.drawn import evaluated

HEARD = Transcript("Doctor Lee has 10.", "doctor lee has ten", "doctor lee has ten")


def clip(number: int, scores: dict[str, Scored]) -> SpokenClip:
    return SpokenClip(f"item-{number:03}", 0, f"job_{number}", False, scores, "b" * 64, 22050, 2.0, "here")


def rows_of(clips: tuple[SpokenClip, ...]) -> list[dict[str, Any]]:
    """The rows of the table, which are the same in both files."""
    # An evaluation goes through a pipe before its table is written.
    through_the_pipe = from_json(json.loads(json.dumps(to_json(evaluated("v1", lambda *_: None, 2, clips=clips)))))
    files = items_table(through_the_pipe)
    rows = [json.loads(line) for line in files["items.jsonl"].decode().splitlines()]
    assert rows == pq.read_table(io.BytesIO(files["items.parquet"])).to_pylist()
    return rows


def test_every_error_rate_has_its_transcript_beside_it() -> None:
    clips = (
        clip(0, {"asr/wer": Score(0.0, "1", "e" * 64, HEARD), "mos/dnsmos_ovrl": Score(3.0, "MOS", "d" * 64)}),
        clip(1, {"asr/wer": Unscored(Reason.TOO_LONG), "mos/dnsmos_ovrl": Score(3.1, "MOS", "d" * 64)}),
    )
    rows = rows_of(clips)
    assert [row["asr/wer.transcript"] for row in rows] == [
        {"heard": "Doctor Lee has 10.", "text_counted": "doctor lee has ten", "heard_counted": "doctor lee has ten"},
        None,
    ]
    assert [row["asr/wer.unscored"] for row in rows] == [None, "too_long"]
    assert not any("mos/dnsmos_ovrl.transcript" in row for row in rows)


def test_a_verdict_on_a_pronunciation_has_what_was_heard_beside_it() -> None:
    heard = HeardReading("whisper", "red", right=True, margin=12.5)
    clips = (
        clip(0, {"pronunciation/right": Score(1.0, "1", "f" * 64, readings=(heard,))}),
        clip(1, {"pronunciation/right": Unscored(Reason.NO_SPEECH)}),
    )
    assert [row["pronunciation/right.readings"] for row in rows_of(clips)] == [
        [{"recogniser": "whisper", "reading": "red", "right": True, "margin": 12.5}],
        None,
    ]
