"""IndexTTS2 against a fake of its package: what is asked of it, and how each of its failures ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.worker.engine_host import EngineHost, never_mind
from shared.audio import Audio
from shared.controls import Emotion
from shared.errors import FailureCode
from tests.worker.engines import own_python
from tests.worker.engines.conformance import EngineConformance
from tests.worker.engines.conftest import LOAD_S, Start
from tests.worker.engines.hearing import pitch_hz
from tests.worker.engines.indextts_pins import QWEN, VOICES, Hosts, files, installed, recording, snapshot

SENTENCE = "Nobody in the room said a word."


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Hosts:
    return Hosts(installed(tmp_path_factory.mktemp("indextts")))


@pytest.fixture(scope="class")
def launch(request: pytest.FixtureRequest, hosts: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Starts a host of the class's pin, whose files are the class's ``content``."""
    given = snapshot(tmp_path_factory.mktemp("pins"), request.cls.pin, request.cls.content)
    return lambda: hosts.start(given)


class TestIndexTts20(EngineConformance):
    pin = "index-v21"
    stands_in = True
    content = files("2.0", VOICES, QWEN)


class TestIndexTts25(EngineConformance):
    pin = "index-v25"
    stands_in = True
    content = files("2.5", VOICES)


# --- one host per release for what follows


@pytest.fixture(scope="module")
def old(hosts: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineHost]:
    """2.0, with voices and with the model that reads feelings."""
    host = hosts.start(snapshot(tmp_path_factory.mktemp("old"), "index-v21", files("2.0", VOICES, QWEN)))
    host.load(never_mind, LOAD_S)
    yield host
    host.close()


@pytest.fixture(scope="module")
def new(hosts: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineHost]:
    """2.5, without voices."""
    host = hosts.start(snapshot(tmp_path_factory.mktemp("new"), "index-v25", files("2.5")))
    host.load(never_mind, LOAD_S)
    yield host
    host.close()


def spoken(host: EngineHost, text: str = SENTENCE, **changes: Any) -> Audio:
    return own_python.spoken(host, text, "en", **changes)


def failure(host: EngineHost, text: str = SENTENCE, **changes: Any) -> tuple[FailureCode, str]:
    return own_python.failure(host, text, "en", **changes)


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    path = tmp_path / "reference.wav"
    path.write_bytes(recording(3))
    return path


# --- whose voice


def test_a_reference_is_spoken_with_and_stands_above_the_default_voice(old: EngineHost, reference: Path) -> None:
    with_reference = spoken(old, reference=reference).sha256
    assert with_reference not in {spoken(old, voice=voice).sha256 for voice in ("narrator", "visitor")}
    assert spoken(old, reference=reference, voice="narrator").sha256 == with_reference


def test_a_reference_beside_another_voice_is_refused(old: EngineHost, reference: Path) -> None:
    code, message = failure(old, reference=reference, voice="visitor")
    assert (code, message) == (FailureCode.ENGINE_ERROR, "either a reference or the voice visitor, not both")


def test_a_pin_without_voices_needs_a_reference(new: EngineHost, reference: Path) -> None:
    assert failure(new) == (FailureCode.ENGINE_ERROR, "index-v25 has no voice of its own and needs a reference")
    assert spoken(new, reference=reference).duration_s > 1


def test_a_reference_that_is_not_there_is_an_error(old: EngineHost, tmp_path: Path) -> None:
    code, message = failure(old, reference=tmp_path / "gone.wav")
    assert (code, message) == (FailureCode.ENGINE_ERROR, "the reference recording is missing")


# --- emotions


def test_a_named_emotion_is_its_weakened_vector(old: EngineHost) -> None:
    vector = (0, 0, 0, 0, 0, 0, 0.6875, 0)  # what the package leaves of 1.0 surprised
    by_name = spoken(old, emotion=Emotion("surprise", strength=0.5))
    assert spoken(old, emotion=Emotion(vector=vector, strength=0.5)).sha256 == by_name.sha256


def test_a_vector_at_half_strength_is_half_the_vector(old: EngineHost) -> None:
    whole, half = (0, 0, 0.8, 0, 0, 0, 0, 0), (0, 0, 0.4, 0, 0, 0, 0, 0)
    at_half = spoken(old, emotion=Emotion(vector=whole, strength=0.5)).sha256
    assert at_half == spoken(old, emotion=Emotion(vector=half)).sha256


def test_no_strength_is_no_emotion_in_every_form(old: EngineHost, reference: Path) -> None:
    plain = spoken(old).sha256
    forms = ({"name": "angry"}, {"vector": (0.5,) + (0.0,) * 7}, {"audio": str(reference)}, {"text": "sad"})
    assert {spoken(old, emotion=Emotion(**form, strength=0)).sha256 for form in forms} == {plain}


@pytest.mark.parametrize(
    ("vector", "why"),
    [
        ((0.5,) * 8, "must add up to at most 0.8, not 4"),
        ((0.1,) * 7, "must have 8 numbers"),
        ((1.5, 0, 0, 0, 0, 0, 0, 0), "from 0 to 1"),
        ((-0.5, 0, 0, 0, 0, 0, 0, 0), "from 0 to 1"),
        ((float("nan"), 0, 0, 0, 0, 0, 0, 0), "from 0 to 1"),
    ],
)
def test_a_vector_that_would_drown_the_voice_is_refused(old: EngineHost, vector: tuple[float, ...], why: str) -> None:
    code, message = failure(old, emotion=Emotion(vector=vector))
    assert code is FailureCode.ENGINE_ERROR
    assert why in message


def test_a_recording_lends_its_feeling_by_strength_and_leaves_no_trace(old: EngineHost, reference: Path) -> None:
    plain = spoken(old).sha256
    felt = {spoken(old, emotion=Emotion(audio=str(reference), strength=strength)).sha256 for strength in (0.5, 1.0)}
    assert len(felt | {plain}) == 3
    assert spoken(old).sha256 == plain


def test_words_are_felt_up_to_the_strength_that_is_advised(old: EngineHost) -> None:
    happy, sad = (spoken(old, emotion=Emotion(text=words)) for words in ("so happy", "so sad"))
    assert pitch_hz(happy) > pitch_hz(sad)
    at = {strength: spoken(old, emotion=Emotion(text="so sad", strength=strength)).sha256 for strength in (0.3, 0.6)}
    assert at[0.6] == sad.sha256 != at[0.3]


def test_emotions_of_its_own_are_named_for_the_engine(old: EngineHost) -> None:
    melancholic = spoken(old, emotion=Emotion("indextts2:melancholic"))
    assert pitch_hz(melancholic) < pitch_hz(spoken(old))


# --- what differs between the releases


def test_the_old_release_refuses_letters_that_it_does_not_know(old: EngineHost) -> None:
    assert failure(old, "Hello, Привет!") == (FailureCode.ENGINE_ERROR, "not in the vocabulary of index-v21: ПРИВЕТ")


def test_signs_without_a_sound_are_no_reason_to_refuse(old: EngineHost) -> None:
    assert spoken(old, "Hello ☎ there").duration_s > 0.2


def test_the_new_release_speaks_in_the_language_that_is_asked_for(new: EngineHost, reference: Path) -> None:
    tags = ("zh", "en", "ja", "es", "ar", "zh-x-en")
    assert len({spoken(new, reference=reference, language=tag).sha256 for tag in tags}) == len(tags)
    american, english = (spoken(new, reference=reference, language=tag).sha256 for tag in ("en-US", "en"))
    assert american == english


@pytest.mark.parametrize("release", ["old", "new"])
def test_another_language_is_refused(release: str, request: pytest.FixtureRequest, reference: Path) -> None:
    host = request.getfixturevalue(release)
    code, message = failure(host, reference=reference, language="fr")
    assert (code, message) == (FailureCode.ENGINE_ERROR, f"{host.pin} does not speak fr")


def test_numbers_are_left_as_they_are_where_that_is_asked_for(new: EngineHost, reference: Path) -> None:
    normalised, plain = (
        spoken(new, "I saw 7 of them.", reference=reference, options={"text_normalization": value}) for value in (1, 0)
    )
    assert normalised.duration_s > plain.duration_s


# --- options


def test_segments_are_as_long_and_as_far_apart_as_asked_for(old: EngineHost) -> None:
    text = " ".join(["word"] * 40)
    near, far = (
        spoken(old, text, options={"max_text_tokens_per_segment": 20, "interval_silence": silence_ms})
        for silence_ms in (0, 1000)
    )
    assert far.duration_s - near.duration_s == pytest.approx(1.0, abs=0.001)


def test_a_random_choice_of_emotion_is_the_seeds(old: EngineHost) -> None:
    happy = Emotion("happy")
    usual = spoken(old, emotion=happy).sha256
    first, again = (spoken(old, emotion=happy, options={"use_random": 1}).sha256 for _ in range(2))
    assert first == again != usual


# --- failures: each has its type, and the next job is spoken


@pytest.mark.parametrize(
    ("text", "code", "why"),
    [
        ("An indexerror within.", FailureCode.ENGINE_ERROR, "infer returned None"),
        ("An interminable tale.", FailureCode.ENGINE_ERROR, "not spoken completely within max_mel_tokens"),
        ("A voluminous tale.", FailureCode.GPU_OUT_OF_MEMORY, "out of GPU memory"),
        ("A telephone line.", FailureCode.AUDIO_INVALID, "expected 22050 Hz, got 8000"),
        ("A speechless guest.", FailureCode.ENGINE_RETURNED_NOTHING, "only silence"),
    ],
)
def test_a_failure_of_the_package_is_told_and_changes_nothing(
    old: EngineHost, text: str, code: FailureCode, why: str
) -> None:
    own_python.check_failure(old, text, SENTENCE, "en", code, why)
