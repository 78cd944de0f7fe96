"""Hibari with the model of its package holds what every engine must hold, and what is its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from services.worker.engine_host import HOST, EngineHost
from services.worker.engines.base import EngineError, Snapshot, SpeakRequest
from services.worker.engines.hibari.engine import HibariEngine
from services.worker.engines.hibari.family import HibariFamily
from services.worker.engines.hibari.model import MOST_PHONEMES
from services.worker.engines.hibari.waveform import BINS, HOP, HibariFrames, waveform
from services.worker.engines.kokoro_phonemes.phonemes import KokoroPhonemes
from services.worker.engines.onnx_models.phoneme_lengths import FASTEST
from services.worker.pins.catalog_pins import CatalogPins
from shared.catalog import Manifest, Support
from shared.errors import FailureCode, JobFailure
from tests.model_stores import NOWHERE, ModelStores, locked, pull
from tests.worker.engines import hibari_pins
from tests.worker.engines.conformance import EngineConformance, speak
from tests.worker.engines.conftest import Start
from tests.worker.engines.pin_folders import put

FAMILY = "services.worker.engines.hibari.family:HibariFamily"
HELLO = SpeakRequest("Hello, is anybody there?", "en", seed=7)


class _Hibari(EngineConformance):
    content: dict[str, bytes]

    @pytest.fixture(scope="class")
    @classmethod
    def launch(cls, tmp_path_factory: pytest.TempPathFactory) -> Start:
        """In place of the one that starts hosts of built-in pins."""
        model_stores = ModelStores(tmp_path_factory.mktemp("model stores"))
        lock = locked(cls.pin, cls.content, NOWHERE, engine="hibari")
        pull(model_stores.store, lock, cls.content)
        snapshot = CatalogPins(model_stores.store, model_stores.lock_file).snapshot(lock)
        return lambda: EngineHost(cls.pin, (*HOST, "--family", FAMILY), dict(os.environ), snapshot=snapshot)


class TestHeart(_Hibari):
    pin = "hibari-heart"
    content = hibari_pins.files()

    def test_the_voice_of_the_package_is_published(self, manifest: Manifest) -> None:
        assert (manifest.languages, manifest.voices) == (("en-us", "en"), ("heart",))
        assert manifest.default_voice == "heart"
        assert manifest.engine_version == f"hibari-tts 0.2.1, onnxruntime {onnxruntime.__version__}"

    def test_what_has_no_phonemes_is_named(self, warm: EngineHost) -> None:
        with pytest.raises(JobFailure, match="does not know '今'"):
            speak(warm, self.plain(text="a 今"))


class TestTwoAccents(_Hibari):
    pin = "hibari-two"
    content = hibari_pins.two_accents()
    language = "en-gb"

    def test_both_voices_are_published(self, manifest: Manifest) -> None:
        assert (manifest.languages, manifest.voices) == (("en-us", "en", "en-gb"), ("heart", "emma"))


# --- one pin, spoken by an engine in this process


def engine_of(folder: Path, **options: Any) -> HibariEngine:
    return HibariEngine(Snapshot("tiny", folder, "0" * 64, options=options))


def loaded(folder: Path, **options: Any) -> HibariEngine:
    engine = engine_of(folder, **options)
    engine.load()
    return engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pin that a test may spoil."""
    return put(tmp_path, hibari_pins.files())


@pytest.fixture(scope="module")
def heart(tmp_path_factory: pytest.TempPathFactory) -> HibariEngine:
    return loaded(put(tmp_path_factory.mktemp("heart"), hibari_pins.files()))


@pytest.fixture(scope="module")
def reader() -> KokoroPhonemes:
    return KokoroPhonemes(hibari_pins.numbers(), "ab", MOST_PHONEMES, by_sentence=True)


def test_the_samples_are_those_of_the_package_but_for_rounding(heart: HibariEngine) -> None:
    """Its own random numbers are drawn from the seed alone; here they are given those of the engine."""
    from hibari import Hibari  # type: ignore[import-untyped]

    package = Hibari()
    numbers = package.ids(package.phonemize(HELLO.text)[0])
    published = package.from_ids(numbers, 1.0, np.random.default_rng((HELLO.seed, 0)))
    heard = np.frombuffer(heart.speak(HELLO).pcm, "<i2") / np.float32(32767)
    assert heard.shape == published.shape
    assert np.abs(heard - published).max() < 0.01 * np.abs(published).max()


def test_noise_alone_depends_on_the_seed() -> None:
    shape = (BINS, 40)
    silent, loud = np.full(shape, -50, np.float32), np.zeros(shape, np.float32)
    pitch = np.full(40, 200, np.float32)
    for noise, same in ((silent, True), (loud, False)):
        frames = HibariFrames(loud, loud, noise, silent, loud, pitch)
        one, other = (waveform(frames, np.random.default_rng(seed)) for seed in (1, 2))
        assert one.shape == (40 * HOP,)
        assert np.array_equal(one, other) == same


def test_the_pulses_are_as_high_as_the_voice() -> None:
    """Of 200 Hz at 24,000 samples a second, a pulse every 120 samples."""
    shape = (BINS, 80)
    silent, plain = np.full(shape, -50, np.float32), np.zeros(shape, np.float32)
    frames = HibariFrames(plain, plain, silent, silent, plain, np.full(80, 200, np.float32))
    pulses = waveform(frames, np.random.default_rng(0))[4_800:-4_800]
    (peaks,) = np.nonzero(pulses > 0.5 * pulses.max())
    assert set(np.diff(peaks)) <= {1, 118, 119, 120}


def test_where_there_is_no_voice_there_are_no_pulses() -> None:
    shape = (BINS, 40)
    silent, plain = np.full(shape, -50, np.float32), np.zeros(shape, np.float32)
    frames = HibariFrames(plain, plain, silent, silent, plain, np.zeros(40, np.float32))
    assert np.abs(waveform(frames, np.random.default_rng(0))).max() < 1e-6


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.8, 1.25, FASTEST, 4.0])
def test_speed_is_the_models_own_and_exact(heart: HibariEngine, speed: float) -> None:
    plain, moved = heart.speak(HELLO), heart.speak(replace(HELLO, speed=speed))
    assert plain.duration_s / moved.duration_s == pytest.approx(speed, rel=0.03)


def test_a_sentence_is_as_long_as_people_speak_it(heart: HibariEngine) -> None:
    said = heart.speak(replace(HELLO, text="The train leaves in ten minutes, so please hurry up."))
    assert 2.5 < said.duration_s < 4.5


def test_sentences_are_read_one_by_one(reader: KokoroPhonemes) -> None:
    names = {number: phoneme for phoneme, number in hibari_pins.numbers().items()}
    text = 'Dr. J. K. Smith left at 3.5 p.m. today. "Who?" (You.) And more... What'
    assert ["".join(names[number] for number in part) for part in reader.parts(text, "a")] == [
        "dˈɑktəɹ ʤˈA kˈA smˈɪθ lˈɛft æt θɹˈi pYnt fˈIv pˌiˈɛm tədˈA.",
        "hˈu?",
        "(jˌu.)",
        "ˌænd mˈɔɹ...",
        "wˌʌt",
    ]


def test_a_long_text_is_cut_to_what_the_model_reads_at_once(reader: KokoroPhonemes) -> None:
    clause = "the old clock on the wall struck seven and nobody in the room said a word "
    parts = reader.parts(clause * 20, "a")
    assert all(0 < len(part) <= 400 for part in parts)
    assert sum(map(len, parts)) == pytest.approx(20 * len(reader.parts(clause, "a")[0]), rel=0.03)


def test_the_accent_is_that_of_the_voice(tmp_path: Path) -> None:
    engine = loaded(put(tmp_path, hibari_pins.two_accents()))
    heart, emma = (replace(HELLO, text="tomato", voice=voice) for voice in ("heart", "emma"))
    assert engine.speak(heart) != engine.speak(emma)
    for language, request in {"en": heart, "en-us": heart, "en-gb": emma}.items():
        assert engine.speak(replace(request, language=language, voice=None)) == engine.speak(request)


def test_a_pin_with_more_threads_has_samples_of_its_own_and_always_the_same(folder: Path, heart: HibariEngine) -> None:
    first = loaded(folder, threads=2).speak(HELLO)
    assert loaded(folder, threads=2).speak(HELLO) == first
    assert first.duration_s == pytest.approx(heart.speak(HELLO).duration_s, abs=0.1)


def test_the_catalog_says_which_languages_are_served(tmp_path: Path) -> None:
    folder = put(tmp_path, hibari_pins.two_accents())
    manifest = engine_of(folder, languages=["en-GB"], max_piece_chars=90).manifest()
    assert (manifest.languages, manifest.voices, manifest.default_voice) == (("en-gb",), ("emma",), "emma")
    assert manifest.max_piece_chars == 90


def test_no_emotion_and_no_reference_is_promised(folder: Path) -> None:
    controls = engine_of(folder).manifest().controls
    refused = {name for name, support in controls.items() if support is Support.UNSUPPORTED}
    assert refused == {"emotion", "strength", "emotion_vector", "emotion_audio", "emotion_text", "reference"}


NOTHING = [
    step
    for name in ("lh", "ln", "lr")
    for step in (
        ("Sub", [f"{name} before"] * 2, f"{name} zero"),
        ("Log", [f"{name} zero"], name),
    )
]
NOT_A_NUMBER = [("Sub", ["lr before"] * 2, "zero"), ("Div", ["zero", "zero"], "lr")]


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (hibari_pins.with_steps(*NOTHING, replaced=("lh", "ln", "lr")), FailureCode.ENGINE_RETURNED_NOTHING),
        (hibari_pins.with_steps(*NOT_A_NUMBER, replaced=["lr"]), FailureCode.AUDIO_INVALID),
        (
            hibari_pins.with_steps(("Transpose", ["f0 before"], "f0"), replaced=["f0"]),
            FailureCode.AUDIO_INVALID,
        ),
    ],
    ids=["silence", "not a number", "another shape"],
)
def test_what_is_no_speech_is_a_failure(folder: Path, model: bytes, code: FailureCode) -> None:
    (folder / "hibari.onnx").write_bytes(model)
    engine = loaded(folder)
    with pytest.raises(EngineError) as failed:
        engine.speak(HELLO)
    assert failed.value.code is code


def test_phonemes_that_the_model_lacks_are_named(folder: Path) -> None:
    (folder / "vocab.json").write_text((folder / "vocab.json").read_text().replace('"ʊ"', '"ʘ"'))
    engine = loaded(folder)
    with pytest.raises(EngineError, match="the model does not know 'ʊ'"):
        engine.speak(replace(HELLO, text="good"))


# --- before the weights


def test_the_family_brings_no_pins() -> None:
    assert HibariFamily().pins() == ()
    with pytest.raises(KeyError):
        HibariFamily().build("tiny")


IN_A_CHILD = """
import sys
from pathlib import Path
sys.modules.update(dict.fromkeys(sys.argv[2:]))
from services.worker.engines.base import Snapshot
from services.worker.engines.hibari.family import HibariFamily
manifest = HibariFamily().build_from(Snapshot("tiny", Path(sys.argv[1]), "")).manifest()
print([name for name in ("hibari", "onnx", "onnxruntime", "numpy") if sys.modules.get(name)])
print(manifest.state.value, manifest.languages, manifest.detail)
"""


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ((), "ready ('en-us', 'en') None"),
        (("hibari", "onnx"), "refused ('en-us', 'en') not installed: hibari-tts, onnx"),
    ],
    ids=["installed", "not installed"],
)
def test_a_manifest_imports_nothing_and_says_what_is_missing(folder: Path, missing: tuple[str], said: str) -> None:
    command = [sys.executable, "-c", IN_A_CHILD, str(folder), *missing]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"[]\n{said}\n"
