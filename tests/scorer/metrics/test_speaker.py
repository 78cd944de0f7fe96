"""Likeness of voices: equal to the package's, higher for the same voice than for the same words, and refused where
there is too little to hear."""

from __future__ import annotations

import shutil
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from services.scorer.metrics.base import MeasuredClip
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import Panel
from services.scorer.metrics.speaker.comparison import spoken
from services.scorer.metrics.speaker.encoder import VoiceEncoder
from services.scorer.metrics.speaker.metric import UNPACKED, WEIGHTS, Speaker
from services.scorer.metrics.speaker.wavlm import SpeakerWavlm
from services.scorer.metrics.weights import PinnedWeights
from services.worker.engines.base import SpeakRequest
from services.worker.engines.families import family_of
from shared.audio import Audio, silence
from shared.metrics import METRICS
from shared.scores import Reason, Scored, Unscored
from tests.defects import truncated, with_noise, with_silence_after
from tests.model_stores import ModelStores
from tests.scorer.metrics.clips import KNOWN
from tests.scorer.metrics.measure import Measure
from tests.scorer.metrics.tiny_wavlm import wavlm_files

PACKAGE = {
    ("en_fast", "en_plain"): 0.6967,
    ("en_fast", "zh_low"): 0.7213,
    ("en_fast", "zh_plain"): 0.8204,
    ("en_plain", "zh_low"): 0.5496,
    ("en_plain", "zh_plain"): 0.6390,
    ("zh_low", "zh_plain"): 0.8610,
}
"""Resemblyzer 0.1.4 itself: ``preprocess_wav``, then ``embed_utterance``."""
EMBEDDED = {158: 0.23506, 145: 0.21576, 248: 0.21008, 82: 0.19113, 197: 0.18518, 238: 0.18223}
"""The largest of what its ``embed_utterance`` makes of zh_low at 16 kHz, nothing cut away."""
RAISED = {82: 0.22723, 158: 0.21866, 240: 0.21563, 145: 0.19804, 0: 0.19444, 248: 0.18039}
"""The same of a twentieth of these samples, after its ``normalize_volume``."""

VOICES = ("en-us+f5", "en-us+m3", "en-us+m7")
SENTENCES = (
    "The library opens at nine and closes at half past six.",
    "I told you three times to leave that door shut!",
)


@pytest.fixture(scope="module")
def encoder(models: Path) -> VoiceEncoder:
    metric = Speaker(Instruments(models))
    try:
        metric.load()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    assert metric.encoder is not None
    return metric.encoder


@pytest.fixture(scope="module")
def said() -> dict[tuple[str, str], Audio]:
    """Each sentence in each voice."""
    engine = family_of("espeak-v2").build("espeak-v2")
    engine.load()
    return {
        (voice, text): engine.speak(SpeakRequest(text, "en", voice=voice)) for voice in VOICES for text in SENTENCES
    }


def _reason(scores: dict[str, Scored]) -> Reason:
    (scored,) = scores.values()
    assert isinstance(scored, Unscored), scored
    return scored.reason


@pytest.mark.parametrize(("factor", "expected"), [(1.0, EMBEDDED), (0.05, RAISED)], ids=["as it is", "quiet"])
def test_the_encoder_gives_what_the_package_gives(
    factor: float, expected: dict[int, float], encoder: VoiceEncoder
) -> None:
    vector = encoder.embed(KNOWN["zh_low"].clip().at_16k * np.float32(factor))
    vector /= np.linalg.norm(vector)
    assert {index: float(vector[index]) for index in expected} == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("one", "other"), PACKAGE)
def test_the_likeness_of_two_clips_is_the_packages_but_for_a_window(one: str, other: str, measure: Measure) -> None:
    """Another detector of speech finds its ends elsewhere; where that makes a window more, it shows."""
    found = measure.value("speaker/similarity", "speaker", KNOWN[one].clip(reference=KNOWN[other].audio))
    assert found == pytest.approx(PACKAGE[one, other], abs=0.04)


def test_the_same_voice_in_other_words_is_nearer_than_another_in_the_same_words(
    said: dict[tuple[str, str], Audio], measure: Measure
) -> None:
    text, another = SENTENCES

    def likeness(clip: Audio, reference: Audio) -> float:
        return measure.value("speaker/similarity", "speaker", MeasuredClip.of(clip, reference=reference))

    same = {voice: likeness(said[voice, another], said[voice, text]) for voice in VOICES}
    others = {pair: likeness(said[pair[0], text], said[pair[1], text]) for pair in permutations(VOICES, 2)}
    assert min(same.values()) > 0.8 > max(others.values())


def test_noise_takes_a_voice_away_from_itself(measure: Measure) -> None:
    good = KNOWN["zh_plain"]
    noisy = good.clip(with_noise(good.audio, snr_db=5), reference=good.audio)
    assert measure.value("speaker/similarity", "speaker", noisy) < 0.9


def test_silence_at_the_ends_of_a_reference_changes_nothing(measure: Measure) -> None:
    clip, reference = KNOWN["zh_plain"], KNOWN["zh_low"].audio
    before = measure.value("speaker/similarity", "speaker", clip.clip(reference=reference))
    longer = with_silence_after(reference, 1.0)
    after = measure.value("speaker/similarity", "speaker", clip.clip(reference=longer))
    assert after == pytest.approx(before, abs=1e-3)


def test_a_level_of_12_db_less_moves_it_no_further_than_stated(measure: Measure) -> None:
    clip, reference = KNOWN["zh_plain"], KNOWN["zh_low"].audio
    quiet = Audio((np.frombuffer(clip.audio.pcm, "<i2") // 4).astype("<i2").tobytes(), clip.audio.sample_rate)
    before = measure.value("speaker/similarity", "speaker", clip.clip(reference=reference))
    after = measure.value("speaker/similarity", "speaker", clip.clip(quiet, reference))
    assert after == pytest.approx(before, abs=0.12)


def test_half_a_window_of_speech_is_less_like_its_own_voice_than_a_whole_one(
    said: dict[tuple[str, str], Audio], encoder: VoiceEncoder, instruments: Instruments
) -> None:
    """Why less than 1.6 s is refused: the rest of the window would be silence."""

    def likeness(voice: str, seconds: float) -> float:
        reference, samples = (spoken(MeasuredClip.of(said[voice, text]), instruments.speech) for text in SENTENCES)
        one, other = encoder.embed(reference), encoder.embed(samples[: round(seconds * 16_000)])
        return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))

    whole, half = (np.mean([likeness(voice, seconds) for voice in VOICES]) for seconds in (1.6, 0.8))
    assert whole > half + 0.1


@pytest.mark.parametrize("family", ["speaker", "speaker_wavlm"])
def test_too_little_speech_on_either_side_is_said(family: str, measure: Measure) -> None:
    long, short = KNOWN["en_plain"], truncated(KNOWN["en_plain"].audio, keep=0.45)
    assert _reason(measure(family, long.clip(short, reference=long.audio))) is Reason.TOO_SHORT
    assert _reason(measure(family, long.clip(reference=short))) is Reason.TOO_SHORT


@pytest.mark.parametrize("family", ["speaker", "speaker_wavlm"])
def test_a_reference_in_which_nobody_speaks_is_none(family: str, measure: Measure) -> None:
    nobody = Audio(silence(3.0, 24_000), 24_000)
    assert _reason(measure(family, KNOWN["en_plain"].clip(reference=nobody))) is Reason.NO_SPEECH


def test_weights_that_are_nowhere_are_told_with_whence_they_come(tmp_path: Path) -> None:
    pin = PinnedWeights("no-such.pt", "0" * 64, "https://example.org/weights")
    with pytest.raises(FileNotFoundError, match=r"https://example\.org/weights/no-such\.pt"):
        pin.read(tmp_path, ())


def test_the_weights_may_also_be_a_pin_in_the_store(encoder: VoiceEncoder, tmp_path: Path) -> None:
    found = WEIGHTS.find(tmp_path, UNPACKED)
    blob = ModelStores(tmp_path).store.blob(WEIGHTS.sha256)
    blob.parent.mkdir(parents=True)
    shutil.copy(found, blob)
    assert WEIGHTS.find(ModelStores(tmp_path).store.root, ()) == blob


class TestWavlm:
    """A pin of the catalog, found by its engine's name."""

    def test_a_long_recording_is_encoded_in_parts(self, instruments: Instruments) -> None:
        metric = SpeakerWavlm(instruments)
        metric.load()
        samples = KNOWN["zh_low"].clip().at_16k
        one, parts = metric.embed(samples), metric.embed(np.tile(samples, 5))
        assert one.shape == parts.shape == (16,)
        assert np.linalg.norm(parts) <= 1 + 1e-6

    def test_its_lock_names_every_file_of_the_pin(self, instruments: Instruments) -> None:
        lock = SpeakerWavlm(instruments).lock()
        assert set(lock["weights"]) == {"config.json", "model.safetensors", "preprocessor_config.json"}

    def test_it_is_missing_until_a_pin_is_locked_and_pulled(self, tmp_path: Path) -> None:
        assert "(found none)" in self._detail(tmp_path, tmp_path / "catalog.lock")

    def test_two_pins_for_one_family_are_refused(self, tmp_path: Path) -> None:
        model_stores = ModelStores(tmp_path)
        for name in ("large", "small"):
            model_stores.put(name, {"config.json": name.encode()}, engine="speaker_wavlm")
        assert "large, small" in self._detail(model_stores.store.root, model_stores.lock_file)

    def test_bytes_that_are_not_the_locked_ones_are_refused(self, tmp_path: Path) -> None:
        model_stores = ModelStores(tmp_path)
        lock = model_stores.put("tiny", {"config.json": b"{}"}, engine="speaker_wavlm")
        (file,) = lock.files
        blob = model_stores.store.blob(file.sha256)
        blob.chmod(0o644)
        blob.write_bytes(b"[]")
        assert "but the lock says" in self._detail(model_stores.store.root, model_stores.lock_file)

    def test_weights_that_are_missing_are_not_made_up(self, tmp_path: Path) -> None:
        files = dict(wavlm_files(tmp_path / "checkpoint"))
        files["config.json"] = files["config.json"].replace(b'"num_hidden_layers": 2', b'"num_hidden_layers": 3')
        model_stores = ModelStores(tmp_path / "model stores")
        model_stores.put("cut", files, engine="speaker_wavlm")
        assert "weights are not in cut" in self._detail(model_stores.store.root, model_stores.lock_file)

    @staticmethod
    def _detail(models: Path, lock_file: Path) -> str:
        panel = Panel(METRICS, Instruments(models, lock_file=lock_file))
        clip = KNOWN["en_plain"].clip(reference=KNOWN["en_fast"].audio)
        (scored,) = panel.measure("speaker_wavlm", clip).values()
        assert isinstance(scored, Unscored)
        assert scored.reason is Reason.MODEL_NOT_PULLED
        return scored.detail
