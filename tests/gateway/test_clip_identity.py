"""The identity of a clip: what decides how it sounds and scores. Jobs of one identity can share a clip."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.gateway.studies.reuse import identity_of
from shared.controls import Emotion
from shared.readings.lexicons import LexiconUsed
from shared.voices import Recording
from tests.shared.store.building import new_job


def identity(**given: Any) -> str:
    job = new_job("job_1")
    return identity_of(replace(job, input=replace(job.input, text="Good morning.", **given)), "none")


def test_it_outlives_versions_of_the_program() -> None:
    stored_under = "0a070dcf5ea398b45062a4e0eacb8f821253eeaa1ef651522fb0b8ec0b00097f"  # by earlier versions
    assert identity() == stored_under


@pytest.mark.parametrize(
    "given",
    [
        {"text": "Good evening."}, {"language": "de"}, {"voice": "de"}, {"emotion": Emotion(name="sad")},
        {"speed": 1.1}, {"pitch_scale": 0.9}, {"seed": 1}, {"options": {"gain": 1}}, {"sample_rate": 8000},
        {"score": ("prosody",)},
    ],
    ids=lambda given: next(iter(given)),
)  # fmt: skip
def test_each_member_counts(given: dict[str, Any]) -> None:
    job = new_job("job_1")
    same = replace(job.input, text="Good morning.")
    assert identity_of(replace(job, input=replace(same, **given)), "none") != identity()


def test_a_lexicon_counts_by_what_it_does_to_the_text() -> None:
    used = LexiconUsed("ours", "1", "a" * 64)
    assert identity(lexicon=used) == identity(), "it changed nothing"
    changed = identity(written="Good mornin.", lexicon=used)
    assert changed != identity()
    assert changed == identity(written="Good mornin.", lexicon=LexiconUsed("ours", "2", "b" * 64))


def test_another_preprocessing_is_another_clip() -> None:
    job = new_job("job_1")
    assert identity_of(job, "nfkc") != identity_of(job, "none")


@pytest.mark.parametrize(
    "use", [{"reference": "voice_1"}, {"emotion": Emotion(audio="voice_1")}], ids=["reference", "emotion"]
)
def test_an_uploaded_voice_counts_by_its_sound(use: dict[str, Any]) -> None:
    def with_sound(id_: str, sha256: str) -> str:
        renamed = {"reference": id_} if "reference" in use else {"emotion": Emotion(audio=id_)}
        return identity(**renamed, recordings={id_: Recording(sha256, 24_000, 3.0)})

    assert with_sound("voice_1", "a" * 64) == with_sound("voice_2", "a" * 64)
    assert with_sound("voice_1", "a" * 64) != with_sound("voice_1", "b" * 64)
