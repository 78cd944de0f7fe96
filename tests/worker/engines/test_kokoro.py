"""A tiny Kokoro holds what every engine must hold, and what is its own."""

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
from services.worker.engines.kokoro.engine import KokoroEngine
from services.worker.engines.kokoro.family import Kokoro
from services.worker.engines.kokoro.files import files_in
from services.worker.engines.kokoro.model import MOST_PHONEMES, SAMPLE_RATE, KokoroModel
from services.worker.engines.kokoro_phonemes.phonemes import KokoroPhonemes
from services.worker.engines.onnx_models.phoneme_lengths import FASTEST
from services.worker.engines.onnx_models.pin_options import OnnxPinOptions
from services.worker.pins.catalog_pins import CatalogPins
from shared.audio import Audio
from shared.catalog import Manifest, Support
from shared.errors import FailureCode, JobFailure
from tests.model_stores import NOWHERE, ModelStores, locked, pull
from tests.worker.engines import kokoro_pins
from tests.worker.engines.conformance import EngineConformance, speak
from tests.worker.engines.conftest import Start
from tests.worker.engines.hearing import pitch_hz
from tests.worker.engines.kokoro_pins import FRAME, PITCHES_HZ, STEPS
from tests.worker.engines.pin_folders import put

FAMILY = "services.worker.engines.kokoro.family:Kokoro"
HELLO = SpeakRequest("Hello, is anybody there?", "en", seed=7)
ENGLISH = ("af_heart", "am_adam", "bf_emma")
CHINESE = ("zf_xiaoxiao", "zm_yunxi")
JAPANESE = ("jf_alpha", "jm_kumo")
BY_ESPEAK = ("ef_dora", "ff_siwis", "hf_alpha", "im_nicola", "pf_dora")


class _TinyKokoro(EngineConformance):
    voices: tuple[str, ...]

    @pytest.fixture(scope="class")
    @classmethod
    def launch(cls, tmp_path_factory: pytest.TempPathFactory) -> Start:
        """In place of the one that starts hosts of built-in pins."""
        model_stores = ModelStores(tmp_path_factory.mktemp("model stores"))
        content = kokoro_pins.files(cls.voices)
        lock = locked(cls.pin, content, NOWHERE, engine="kokoro")
        pull(model_stores.store, lock, content)
        snapshot = CatalogPins(model_stores.store, model_stores.lock_file).snapshot(lock)
        return lambda: EngineHost(cls.pin, (*HOST, "--family", FAMILY), dict(os.environ), snapshot=snapshot)


class TestTinyEnglish(_TinyKokoro):
    pin = "tiny-kokoro-en"
    voices = ENGLISH

    def test_the_default_voice_of_one_language_is_published(self, warm: EngineHost, manifest: Manifest) -> None:
        assert (manifest.voices, manifest.default_voice) == (ENGLISH, "af_heart")
        unasked, heart, adam = (speak(warm, self.plain(voice=voice)) for voice in (None, "af_heart", "am_adam"))
        assert unasked == heart
        assert pitch_hz(adam) == pytest.approx(PITCHES_HZ["am_adam"], rel=0.02)

    def test_what_has_no_phonemes_is_named(self, warm: EngineHost) -> None:
        with pytest.raises(JobFailure, match="does not know '今'"):
            speak(warm, self.plain(text="a 今"))


class TestTinyChinese(_TinyKokoro):
    pin = "tiny-kokoro-zh"
    voices = CHINESE
    language = "zh"
    sentence = "墙上的旧钟敲了七下，可是房间里没有人说话。"
    others = ("今晚你去哪里？", "七。八！", "又下了一整天雨。")

    def test_the_manifest_says_chinese(self, manifest: Manifest) -> None:
        assert (manifest.languages, manifest.voices, manifest.default_voice) == (("zh",), CHINESE, "zf_xiaoxiao")


class TestTinyJapanese(_TinyKokoro):
    pin = "tiny-kokoro-ja"
    voices = JAPANESE
    language = "ja"
    sentence = "壁の古い時計が七時を打ったが、部屋では誰も何も言わなかった。"
    others = ("今夜はどこへ行きますか？", "七。八！", "また一日中雨だった。")

    def test_the_manifest_says_japanese(self, manifest: Manifest) -> None:
        assert (manifest.languages, manifest.voices, manifest.default_voice) == (("ja",), JAPANESE, "jf_alpha")


class TestTinySpanish(_TinyKokoro):
    pin = "tiny-kokoro-es"
    voices = ("ef_dora",)
    language = "es"
    sentence = "El viejo reloj de la pared dio las siete, y nadie en la habitación dijo una palabra."
    others = ("¿Adónde vas esta noche?", "Siete. ¡Ocho!", "Llovió todo el día, otra vez.")


class TestTinyHindi(_TinyKokoro):
    pin = "tiny-kokoro-hi"
    voices = ("hf_alpha",)
    language = "hi"
    sentence = "दीवार पर लगी पुरानी घड़ी ने सात बजाए, और कमरे में किसी ने कुछ नहीं कहा।"
    others = ("आज रात तुम कहाँ जा रहे हो?", "सात। आठ!", "फिर से सारा दिन बारिश हुई।")


# --- one pin, spoken by an engine in this process


def engine_of(folder: Path, **options: Any) -> KokoroEngine:
    return KokoroEngine(Snapshot("tiny", folder, "0" * 64, options=options))


def loaded(folder: Path, **options: Any) -> KokoroEngine:
    engine = engine_of(folder, **options)
    engine.load()
    return engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pin that a test may spoil."""
    return put(tmp_path, kokoro_pins.files(ENGLISH))


def test_of_several_languages_each_has_its_own_default_voice(tmp_path: Path) -> None:
    engine = loaded(put(tmp_path, kokoro_pins.files()))
    manifest = engine.manifest()
    by_espeak = ("es", "fr", "hi", "it", "pt-br", "pt")
    assert (manifest.languages, manifest.default_voice) == (("en-us", "en", "en-gb", "zh", "ja", *by_espeak), None)
    assert manifest.voices == (*ENGLISH, *CHINESE, *JAPANESE, *BY_ESPEAK)
    texts = {"zh": "墙上的旧钟敲了七下。", "ja": "壁の時計が七時を打った。"}
    defaults = {
        "zh": "zf_xiaoxiao",
        "ja": "jf_alpha",
        "fr": "ff_siwis",
        "pt": "pf_dora",
        "en": "af_heart",
        "en-us": "af_heart",
        "en-gb": "bf_emma",
    }
    for language, voice in defaults.items():
        request = SpeakRequest(texts.get(language, HELLO.text), language, seed=7)
        heard = engine.speak(request)
        assert heard == engine.speak(replace(request, voice=voice))
        assert pitch_hz(heard) == pytest.approx(PITCHES_HZ[voice], rel=0.02)


def test_a_voice_of_another_language_is_refused_by_name(tmp_path: Path) -> None:
    engine = loaded(put(tmp_path, kokoro_pins.files()))
    with pytest.raises(EngineError, match=r"voice af_heart does not speak zh; voices that do: zf_xiaoxiao, zm_yunxi$"):
        engine.speak(replace(HELLO, language="zh", voice="af_heart"))


def test_the_accent_is_that_of_the_voice(folder: Path) -> None:
    reader = KokoroPhonemes(kokoro_pins.numbers(), "ab", MOST_PHONEMES)
    assert reader.parts("tomato", "a") != reader.parts("tomato", "b")


def test_the_samples_are_those_of_the_published_graph(folder: Path) -> None:
    (part,) = KokoroPhonemes(kokoro_pins.numbers(), "ab", MOST_PHONEMES).parts(HELLO.text, "a")
    styles = np.fromfile(folder / "voices/af_heart.bin", "<f4").reshape(-1, 256)
    given = {
        "tokens": np.array([[0, *part, 0]]),
        "style": styles[len(part) - 1][None],
        "speed": np.array([1], np.float32),
    }
    (published,) = onnxruntime.InferenceSession(folder / "model.onnx").run(None, given)
    assert loaded(folder).speak(HELLO) == Audio(np.rint(published * np.float32(32767)).astype("<i2").tobytes(), 24_000)


def test_the_other_name_of_the_input_is_known(folder: Path) -> None:
    before = loaded(folder).speak(HELLO)
    (folder / "model.onnx").write_bytes(kokoro_pins.model(tokens="input_ids").SerializeToString())
    assert loaded(folder).speak(HELLO) == before


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_the_numbers_of_phonemes_are_found_where_others_publish_them(folder: Path, name: str) -> None:
    before = loaded(folder).speak(HELLO)
    said = (folder / "vocab.json").read_text()
    (folder / "vocab.json").unlink()
    (folder / name).write_text(said if name == "config.json" else f'{{"model": {said}}}')
    assert loaded(folder).speak(HELLO) == before


def test_a_style_is_that_of_the_length(folder: Path) -> None:
    styles = np.fromfile(folder / "voices/af_heart.bin", "<f4").reshape(-1, 256)
    styles[9:, 0] /= 2
    styles[:9].tofile(folder / "voices/am_adam.bin")
    styles.tofile(folder / "voices/af_heart.bin")
    model = KokoroModel(files_in(folder), OnnxPinOptions())
    pitches = {
        (voice, count): pitch_of(model, [5] * count, voice) for voice in ("af_heart", "am_adam") for count in (9, 10)
    }
    high = PITCHES_HZ["af_heart"]
    assert pitches == pytest.approx(
        {("af_heart", 9): high, ("af_heart", 10): high / 2, ("am_adam", 9): high, ("am_adam", 10): high}, rel=0.05
    )


def pitch_of(model: KokoroModel, numbers: list[int], voice: str) -> float:
    samples = model.spoken(numbers, voice, 1.0).samples
    return pitch_hz(Audio((samples * 30_000).astype("<i2").tobytes(), SAMPLE_RATE))


@pytest.mark.parametrize("speed", [0.5, 1.0, 1.7, 2.0, 4.0])
def test_the_frames_are_those_that_the_model_makes(folder: Path, speed: float) -> None:
    model = KokoroModel(files_in(folder), OnnxPinOptions())
    spoken = model.spoken(range(1, 60), "af_heart", speed)
    assert len(spoken.samples) == spoken.frames * FRAME
    assert spoken.plain_frames / spoken.frames == pytest.approx(min(speed, FASTEST), rel=0.15)


def test_a_long_text_is_cut_to_what_the_model_reads_at_once(folder: Path) -> None:
    text = "The old clock on the wall struck seven, and nobody in the room said a word. " * 20
    parts = KokoroPhonemes(kokoro_pins.numbers(), "ab", MOST_PHONEMES).parts(text, "a")
    assert all(0 < len(part) <= MOST_PHONEMES for part in parts)
    one = KokoroPhonemes(kokoro_pins.numbers(), "ab", MOST_PHONEMES).parts(text[:76], "a")[0]
    assert sum(map(len, parts)) == pytest.approx(20 * len(one), rel=0.02)


def test_threads_change_nothing_of_a_graph_without_sums_over_many(folder: Path) -> None:
    assert loaded(folder, threads=2).speak(HELLO) == loaded(folder).speak(HELLO)


@pytest.mark.parametrize(
    ("fate", "code"),
    [("Sub", FailureCode.ENGINE_RETURNED_NOTHING), ("Div", FailureCode.AUDIO_INVALID)],
    ids=["silence", "not a number"],
)
def test_what_is_no_speech_is_a_failure(folder: Path, fate: str, code: FailureCode) -> None:
    steps = [*STEPS[:-1], ("Sub", ["hum", "hum"], "nothing"), (fate, ["nothing", "nothing"], "audio")]
    (folder / "model.onnx").write_bytes(kokoro_pins.model(steps=steps).SerializeToString())
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
    assert Kokoro().pins() == ()
    with pytest.raises(KeyError):
        Kokoro().build("tiny")


IN_A_CHILD = """
import sys
from pathlib import Path
sys.modules.update(dict.fromkeys(sys.argv[2:]))
from services.worker.engines.base import Snapshot
from services.worker.engines.kokoro.family import Kokoro
manifest = Kokoro().build_from(Snapshot("tiny", Path(sys.argv[1]), "")).manifest()
modules = ("hibari", "misaki", "jieba", "pyopenjtalk", "onnx", "onnxruntime", "numpy")
print([name for name in modules if sys.modules.get(name)])
print(manifest.state.value, manifest.languages, manifest.detail)
"""


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ((), "ready ('en-us', 'en', 'en-gb') None"),
        (("hibari",), "refused ('en-us', 'en', 'en-gb') not installed: hibari-tts"),
        (("misaki", "jieba"), "ready ('en-us', 'en', 'en-gb') None"),
    ],
    ids=["installed", "not installed", "what Chinese alone needs"],
)
def test_a_manifest_imports_nothing_and_says_what_is_missing(folder: Path, missing: tuple[str], said: str) -> None:
    command = [sys.executable, "-c", IN_A_CHILD, str(folder), *missing]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"[]\n{said}\n"


def test_no_emotion_and_no_reference_is_promised(folder: Path) -> None:
    controls = engine_of(folder).manifest().controls
    refused = {name for name, support in controls.items() if support is Support.UNSUPPORTED}
    assert refused == {"emotion", "strength", "emotion_vector", "emotion_audio", "emotion_text", "reference"}
    assert controls["seed"] is Support.NO_EFFECT


def test_the_catalog_says_which_languages_are_served(folder: Path) -> None:
    manifest = engine_of(folder, languages=["en-GB"], max_piece_chars=90).manifest()
    assert (manifest.languages, manifest.voices, manifest.default_voice) == (("en-gb",), ("bf_emma",), "bf_emma")
    assert manifest.max_piece_chars == 90
