"""The demo's table: what it shows of a clip, and that no run id is cut."""

from __future__ import annotations

from typing import Any

import pytest

from demo.table import print_table
from ringtrue import Job

RUN_ID = "290a0123e43c486192400ca754c8bd31"


def job(pin: str, *, emotion: str | None = None, **scores: float) -> Job:
    document: dict[str, Any] = {
        "id": "job_1",
        "status": "succeeded",
        "pin": {"name": pin, "engine": "espeak", "lock_sha256": "0" * 64},
        "input": {"language": "zh", **({} if emotion is None else {"emotion": {"name": emotion}})},
        "scoring": {
            "status": "done",
            "scores": {
                name.replace("__", "/"): {"value": value, "unit": "1", "scorer_lock": "0" * 64}
                for name, value in scores.items()
            },
        },
        "tracking": {"status": "done", "run_id": RUN_ID, "url": "http://127.0.0.1:5000/"},
        "created_at": "2026-11-30T15:49:45Z",
    }
    return Job.from_json(document)


def rows(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    return [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]


def test_without_a_whisper_there_is_no_column_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([job("espeak-v1", emotion="happy", mos__dnsmos_ovrl=2.414)])
    heading, _, row, _ = rows(capsys)
    assert heading == ["pin", "lang", "emotion", "s", "RTF", "MOS", "WER", "F0", "Hz", "rate", "/s", "run", "id"]
    assert row == ["espeak-v1", "zh", "happy", "-", "-", "2.41", "-", "-", "-", RUN_ID]


def test_with_one_its_error_rate_is_shown_and_a_job_without_emotion_is_plain(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain = job("kokoro", mos__dnsmos_ovrl=3.44, asr__cer_whisper=0.25)
    print_table([job("espeak-v1", emotion="surprise", mos__dnsmos_ovrl=2.41), plain])
    heading, _, first, second, caption = rows(capsys)
    assert heading[6:8] == ["WER", "CER"]
    assert first == ["espeak-v1", "zh", "surprise", "-", "-", "2.41", "-", "-", "-", "-", RUN_ID]
    assert second == ["kokoro", "zh", "plain", "-", "-", "3.44", "-", "0.25", "-", "-", RUN_ID]
    assert " ".join(caption) == "MOS by dnsmos_ovrl; CER by Whisper; - is unscored"
