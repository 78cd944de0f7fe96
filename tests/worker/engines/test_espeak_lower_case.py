"""The folder of links that spares espeak a search for voices: the same sound, and gone with the engine."""

from __future__ import annotations

import gc
import hashlib
from pathlib import Path

import pytest

from services.worker.engines.base import SpeakRequest
from services.worker.engines.espeak import library
from services.worker.engines.espeak.family import Espeak
from services.worker.engines.espeak.library import Utterance
from services.worker.engines.espeak.locking import installation
from services.worker.engines.espeak.lower_case import LowerCaseData
from services.worker.engines.espeak.voices import EspeakVoices
from services.worker.engines.sonic import Stretch

TEXT = "One, two, 3: 你好, мир, γειά, café."
VARIANTS = ("en-us+f3", "en-us+Denis", "pt-br+croak", "fr-ch+whisper", "cmn-latn-pinyin+f2")


def _sha256(data: Path, voice: str) -> str:
    utterance = Utterance((TEXT,), voice, rate=170, pitch=50, range=50, volume=100)
    return hashlib.sha256(library.speak(installation().library, data, utterance, Stretch(1, 1))[0]).hexdigest()


def test_every_voice_sounds_as_it_does_by_the_voice_data_itself() -> None:
    data = installation().data
    links, voices = LowerCaseData(data), EspeakVoices(data)
    assert links.path != data
    for name in (*voices.names, *VARIANTS):
        voice = voices.find("en", name)
        assert _sha256(links.path, voice) == _sha256(data, voice), name


def test_a_voice_is_found_without_looking_at_the_others(tmp_path: Path) -> None:
    """They are not there: of ``gmw``, one file is left."""
    links = LowerCaseData(installation().data)
    data = links.path
    few = tmp_path / data.name
    few.mkdir()
    for entry in data.iterdir():
        if entry.name not in ("lang", "voices"):
            (few / entry.name).symlink_to(entry)
    voice = few / "lang" / "gmw" / "en-us"
    voice.parent.mkdir(parents=True)
    voice.symlink_to(data / "lang" / "gmw" / "en-us")
    assert _sha256(few, "gmw/en-US") == _sha256(data, "gmw/en-US")


def test_voice_data_whose_names_are_all_lower_case_is_used_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "lang" / "gmw").mkdir(parents=True)
    (tmp_path / "lang" / "gmw" / "en-us").touch()
    assert LowerCaseData(tmp_path).path == tmp_path


def test_the_folder_is_made_for_the_first_job_and_goes_with_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    engine = Espeak().build("espeak-v2")
    engine.load()
    assert not any(tmp_path.iterdir())
    engine.speak(SpeakRequest("Hello.", "en"))
    assert any(tmp_path.iterdir())
    del engine
    gc.collect()
    assert not any(tmp_path.iterdir())
