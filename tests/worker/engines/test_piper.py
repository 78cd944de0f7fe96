"""A tiny voice of Piper holds what every engine must hold, and what is its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from piper import PiperConfig, PiperVoice

from services.worker.engine_host import HOST, EngineHost
from services.worker.engines.base import EngineError, Snapshot, SpeakRequest
from services.worker.engines.onnx_models.pin_options import OnnxPinOptions
from services.worker.engines.piper.engine import PiperEngine
from services.worker.engines.piper.family import Piper
from services.worker.engines.piper.model import FIRST_DRAW, PiperManner, PiperModel, PiperSpoken
from services.worker.engines.piper.voice import voice_in
from services.worker.pins.catalog_pins import CatalogPins
from shared.audio import Audio
from shared.catalog import Manifest, Support
from shared.errors import FailureCode, JobFailure
from tests.model_stores import NOWHERE, ModelStores, locked, pull
from tests.worker.engines import piper_voices
from tests.worker.engines.conformance import EngineConformance, speak
from tests.worker.engines.conftest import Start
from tests.worker.engines.hearing import pitch_hz
from tests.worker.engines.pin_folders import put
from tests.worker.engines.piper_voices import STEPS

FAMILY = "services.worker.engines.piper.family:Piper"
HELLO = SpeakRequest("Hello, is anybody there?", "en", seed=7)
STILL = {"noise_scale": 0, "noise_w": 0}


class TestTinyVoice(EngineConformance):
    pin = "tiny-piper"

    @pytest.fixture(scope="class")
    @classmethod
    def launch(cls, tmp_path_factory: pytest.TempPathFactory) -> Start:
        """In place of the one that starts hosts of built-in pins."""
        model_stores = ModelStores(tmp_path_factory.mktemp("model stores"))
        content = piper_voices.files(speakers=2, path="en/en_US/tiny/en_US-tiny-low.onnx")
        lock = locked(cls.pin, content, NOWHERE, engine="piper")
        pull(model_stores.store, lock, content)
        snapshot = CatalogPins(model_stores.store, model_stores.lock_file).snapshot(lock)
        return lambda: EngineHost(cls.pin, (*HOST, "--family", FAMILY), dict(os.environ), snapshot=snapshot)

    def test_the_language_is_the_voices_with_and_without_its_region(self, manifest: Manifest) -> None:
        assert manifest.languages == ("en-us", "en")

    def test_speakers_are_voices_and_the_default_speaks_unasked(self, warm: EngineHost, manifest: Manifest) -> None:
        assert (manifest.voices, manifest.default_voice) == (("low", "high"), "low")
        unasked, low, high = (speak(warm, self.plain(voice=voice)) for voice in (None, "low", "high"))
        assert unasked == low
        assert (pitch_hz(low), pitch_hz(high)) == pytest.approx(piper_voices.PITCHES_HZ, rel=0.02)

    def test_noise_is_what_the_seed_changes(self, warm: EngineHost) -> None:
        one, other = (speak(warm, self.plain(seed=seed, options=STILL)) for seed in (1, 2))
        assert one == other
        assert one != speak(warm, self.plain(seed=1))

    def test_what_espeak_knows_no_word_for_is_named(self, warm: EngineHost) -> None:
        with pytest.raises(JobFailure, match="does not know '𝄞'"):
            speak(warm, self.plain(text="a 𝄞"))

    @pytest.mark.parametrize("text", ["`", "── …"])
    def test_text_of_which_espeak_says_nothing_returns_nothing(self, warm: EngineHost, text: str) -> None:
        with pytest.raises(JobFailure) as failed:
            speak(warm, self.plain(text=text))
        assert failed.value.code is FailureCode.ENGINE_RETURNED_NOTHING


# --- one voice, spoken by an engine in this process


def engine_of(folder: Path, **options: Any) -> PiperEngine:
    return PiperEngine(Snapshot("tiny", folder, "0" * 64, options=options))


def loaded(folder: Path, **options: Any) -> PiperEngine:
    engine = engine_of(folder, **options)
    engine.load()
    return engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A voice that a test may spoil."""
    return put(tmp_path, piper_voices.files())


def test_without_noise_the_samples_are_those_of_the_published_graph(folder: Path) -> None:
    still = loaded(folder).speak(replace(HELLO, options=STILL))
    (ids,) = phoneme_ids(HELLO.text)
    given = {
        "input": np.array([ids]),
        "input_lengths": np.array([len(ids)]),
        "scales": np.array([0, 1, 0], np.float32),
    }
    (published,) = onnxruntime.InferenceSession(folder / "voice.onnx").run(None, given)
    scaled = np.rint(published.reshape(-1) / np.abs(published).max() * np.float32(32767)).astype("<i2")
    assert still == Audio(scaled.tobytes(), piper_voices.SAMPLE_RATE)


def phoneme_ids(text: str) -> list[list[int]]:
    """As the package has them."""
    voice = PiperVoice(session=None, config=PiperConfig.from_dict(dict(piper_voices.said())))
    return [voice.phonemes_to_ids(phonemes) for phonemes in voice.phonemize(text)]


def test_slow_speech_is_the_models_own(folder: Path) -> None:
    slow, _ = by_model(folder, speed=0.25)
    assert len(slow.samples) == slow.frames * piper_voices.FRAME
    assert slow.plain_frames / slow.frames == pytest.approx(0.25, abs=0.1)


def test_fast_speech_has_a_frame_for_every_phoneme_at_least(folder: Path) -> None:
    fast, ids = by_model(folder, speed=4)
    assert len(ids) <= fast.frames <= 1.1 * len(ids)


def by_model(folder: Path, speed: float) -> tuple[PiperSpoken, Sequence[int]]:
    """What the model alone makes of the greeting, and of how many phonemes."""
    (ids,) = phoneme_ids(HELLO.text)
    manner = PiperManner(speed, {"noise_scale": 0.667, "noise_w": 0.8}, speaker=None)
    return PiperModel(voice_in(folder), OnnxPinOptions()).spoken(ids, manner, seed=(7, 0)), ids


def test_speech_that_takes_more_noise_than_was_drawn_is_the_same_cold_and_warm(folder: Path) -> None:
    slow = replace(HELLO, speed=0.25)
    engine = loaded(folder)
    cold = engine.speak(slow)
    assert len(cold.pcm) // 2 > FIRST_DRAW, "too short to take more than is drawn at first"
    assert engine.speak(slow) == cold
    engine.speak(HELLO)
    assert engine.speak(slow) == cold


def test_threads_change_no_sample(folder: Path) -> None:
    assert loaded(folder, threads=2).speak(HELLO) == loaded(folder).speak(HELLO)


def test_sentences_are_spoken_one_after_the_other(folder: Path) -> None:
    engine = loaded(folder)
    one, two = (engine.speak(replace(HELLO, text=text, options=STILL)) for text in ("Seven.", "Seven. Seven."))
    assert two.pcm == one.pcm * 2


@pytest.mark.parametrize(
    ("fate", "code"),
    [("Sub", FailureCode.ENGINE_RETURNED_NOTHING), ("Div", FailureCode.AUDIO_INVALID)],
    ids=["silence", "not a number"],
)
def test_what_is_no_speech_is_a_failure(folder: Path, fate: str, code: FailureCode) -> None:
    nothing = ("Sub", ["sound", "sound"], "nothing")
    steps = [*STEPS[:-1], nothing, (fate, ["nothing", "nothing"], "lost"), ("Reshape", ["lost", "wave"], "output")]
    (folder / "voice.onnx").write_bytes(piper_voices.model(steps=steps).SerializeToString())
    engine = loaded(folder)
    with pytest.raises(EngineError) as failed:
        engine.speak(HELLO)
    assert failed.value.code is code


def test_speakers_without_names_go_by_number_the_default_first(tmp_path: Path) -> None:
    put(tmp_path, piper_voices.files(speakers=2, speaker_id_map={}, default_speaker_id=1))
    engine = loaded(tmp_path)
    assert engine.manifest().voices == ("1", "0")
    assert engine.speak(HELLO) == engine.speak(replace(HELLO, voice="1")) != engine.speak(replace(HELLO, voice="0"))


def test_a_voice_of_plain_text_reads_letters_and_names_those_it_does_not_know(tmp_path: Path) -> None:
    engine = loaded(put(tmp_path, piper_voices.files(phoneme_type="text")))
    assert engine.speak(replace(HELLO, text="hello")).duration_s > 0
    with pytest.raises(EngineError, match="the model does not know 'H', '今'"):
        engine.speak(replace(HELLO, text="Hello 今"))


@pytest.mark.parametrize("kind", ["espeak", "japanese"])
def test_a_japanese_voice_reads_kanji_and_names_what_it_would_leave_out(tmp_path: Path, kind: str) -> None:
    """By espeak or by Open JTalk, as the voice was trained."""
    every = {chr(code): [code] for code in range(3, 0x2200)}
    changes = {"phoneme_id_map": {"_": [0], "^": [1], "$": [2], **every}, "num_symbols": 0x2200}
    japanese = {"language": {"code": "ja_JP", "family": "ja"}, "espeak": {"voice": "ja"}, "phoneme_type": kind}
    engine = loaded(put(tmp_path, piper_voices.files(**changes, **japanese)))
    assert "pyopenjtalk-plus 0.4.1.post10" in engine.manifest().engine_version
    request = replace(HELLO, language="ja")
    tokyo, kyoto, celsius, spelled = (
        engine.speak(replace(request, text=text)) for text in ("東京", "京都", "気温は20℃", "気温は摂氏20度")
    )
    assert (tokyo != kyoto, celsius == spelled) == (True, True)
    with pytest.raises(EngineError, match="the model does not know '々'"):
        engine.speak(replace(request, text="々"))


def test_phonemes_that_the_voice_lacks_are_named(tmp_path: Path) -> None:
    few = {sign: number for sign, number in piper_voices.said()["phoneme_id_map"].items() if sign != "ʊ"}
    engine = loaded(put(tmp_path, piper_voices.files(phoneme_id_map=few)))
    with pytest.raises(EngineError, match="the model does not know 'ʊ'"):
        engine.speak(HELLO)


# --- before the weights


def test_the_family_brings_no_pins() -> None:
    assert Piper().pins() == ()
    with pytest.raises(KeyError):
        Piper().build("tiny")


IN_A_CHILD = """
import sys
from pathlib import Path
sys.modules.update(dict.fromkeys(sys.argv[2:]))
from services.worker.engines.base import Snapshot
from services.worker.engines.piper.family import Piper
manifest = Piper().build_from(Snapshot("tiny", Path(sys.argv[1]), "")).manifest()
print([name for name in ("piper", "onnx", "onnxruntime", "numpy") if sys.modules.get(name)])
print(manifest.state.value, manifest.languages, manifest.detail)
"""


@pytest.mark.parametrize(
    ("missing", "said"),
    [((), "ready ('en-us', 'en') None"), (("piper",), "refused ('en-us', 'en') not installed: piper-tts")],
    ids=["installed", "not installed"],
)
def test_a_manifest_imports_nothing_and_says_what_is_missing(folder: Path, missing: tuple[str], said: str) -> None:
    command = [sys.executable, "-c", IN_A_CHILD, str(folder), *missing]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"[]\n{said}\n"


def test_no_emotion_and_no_reference_is_promised(folder: Path) -> None:
    controls = engine_of(folder).manifest().controls
    refused = {name for name, support in controls.items() if support is Support.UNSUPPORTED}
    assert refused == {"emotion", "strength", "emotion_vector", "emotion_audio", "emotion_text", "reference"}


def test_the_catalog_overrules_the_voice(folder: Path) -> None:
    manifest = engine_of(folder, languages=["en-GB"], max_piece_chars=90).manifest()
    assert (manifest.languages, manifest.default_language, manifest.max_piece_chars) == (("en-gb",), "en-gb", 90)
