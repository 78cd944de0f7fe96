"""Sambert-HifiGAN against a fake of its packages: what is asked of them, and how each of their failures ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from services.worker.engine_host import EngineHost, never_mind
from shared.audio import Audio
from shared.catalog import Manifest, Support
from shared.controls import Emotion
from shared.errors import FailureCode
from tests.worker.engines import own_python
from tests.worker.engines.conformance import EngineConformance, speak
from tests.worker.engines.conftest import LOAD_S, Start
from tests.worker.engines.hearing import pitch_hz
from tests.worker.engines.sambert_pins import Hosts, files, installed, snapshot

SENTENCE = "墙上的旧钟敲了七下，屋里的人谁也没有说话。"


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Hosts:
    return Hosts(installed(tmp_path_factory.mktemp("packages")), tmp_path_factory.mktemp("rooms"))


@pytest.fixture(scope="class")
def launch(request: pytest.FixtureRequest, hosts: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Starts a host of the class's pin, whose files are the class's ``content``."""
    given = snapshot(tmp_path_factory.mktemp("pins"), request.cls.pin, request.cls.content)
    return lambda: hosts.start(given)


class TestSambert(EngineConformance):
    pin = "sambert-zhiyan"
    stands_in = True
    content = files("zhiyan_emo", "zhitian_emo")
    language = "zh"
    sentence = SENTENCE
    others = ("今晚你去哪里？", "七。八！", "又下了一整天的雨。")

    def test_strength_runs_from_neutral_to_the_whole_emotion(self, warm: EngineHost, manifest: Manifest) -> None:
        """In one step: it is quantised, and the manifest says so."""
        assert "0 is neutral, and anything above is the whole emotion" in manifest.description
        neutral, none, little, whole = (
            speak(warm, self.plain(emotion=emotion))
            for emotion in (None, Emotion("happy", strength=0), Emotion("happy", strength=0.3), Emotion("happy"))
        )
        assert none.sha256 == neutral.sha256
        assert little.sha256 == whole.sha256
        assert pitch_hz(neutral) < pitch_hz(whole)


# --- one host per kind of voice for what follows


@pytest.fixture(scope="module")
def feeling(hosts: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineHost]:
    """Three voices: one with an emotion more than the second, and one of which nothing is known."""
    content = files("zhiyan_emo", "zhitian_emo", "zhizhe_emo")
    host = hosts.start(snapshot(tmp_path_factory.mktemp("feeling"), "feeling", content))
    host.load(never_mind, LOAD_S)
    yield host
    host.close()


@pytest.fixture(scope="module")
def plain(hosts: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineHost]:
    """A voice without emotions, whose vocoder draws nothing."""
    content = files("zhixiang", vocoder="nsf_params: null")
    host = hosts.start(snapshot(tmp_path_factory.mktemp("plain"), "plain", content))
    host.load(never_mind, LOAD_S)
    yield host
    host.close()


def spoken(host: EngineHost, text: str = SENTENCE, **changes: Any) -> Audio:
    return own_python.spoken(host, text, "zh", **changes)


def failure(host: EngineHost, text: str = SENTENCE, **changes: Any) -> tuple[FailureCode, str]:
    return own_python.failure(host, text, "zh", **changes)


# --- voices


def test_a_voice_that_is_loaded_late_sounds_the_same_then_as_later(feeling: EngineHost) -> None:
    first, again = (spoken(feeling, voice="zhitian_emo").sha256 for _ in range(2))
    assert first == again != spoken(feeling).sha256


def test_without_a_source_module_a_seed_changes_nothing_and_the_manifest_says_so(plain: EngineHost) -> None:
    assert plain.manifest(LOAD_S).support("seed") is Support.NO_EFFECT
    assert spoken(plain, seed=1).sha256 == spoken(plain, seed=2).sha256


def test_a_place_does_not_matter_and_another_language_is_refused(plain: EngineHost) -> None:
    assert spoken(plain, language="zh-CN").sha256 == spoken(plain).sha256
    assert failure(plain, language="en") == (FailureCode.ENGINE_ERROR, "plain does not speak en")


# --- emotions


def test_neutral_by_name_is_what_is_heard_without_an_emotion(feeling: EngineHost) -> None:
    assert spoken(feeling, emotion=Emotion("neutral")).sha256 == spoken(feeling).sha256


def test_disgust_is_the_category_that_voices_were_trained_with(feeling: EngineHost) -> None:
    assert pitch_hz(spoken(feeling, emotion=Emotion("disgust"))) < pitch_hz(spoken(feeling)) * 0.95


def test_an_emotion_that_the_voice_was_not_trained_on_is_refused(feeling: EngineHost) -> None:
    arousal = Emotion("sambert:arousal")
    assert spoken(feeling, emotion=arousal).sha256 != spoken(feeling).sha256
    code, message = failure(feeling, voice="zhitian_emo", emotion=arousal)
    assert code is FailureCode.ENGINE_ERROR
    assert message.startswith("the voice has no emotion sambert:arousal; it has: neutral, happy")
    code, message = failure(feeling, voice="zhizhe_emo", emotion=Emotion("happy"))
    assert message == "the voice has no emotion happy; it has: none"


def test_a_voice_without_emotions_refuses_them_and_takes_none_of_their_strength(plain: EngineHost) -> None:
    assert plain.manifest(LOAD_S).support("strength") is Support.UNSUPPORTED
    assert failure(plain, emotion=Emotion("happy")) == (FailureCode.ENGINE_ERROR, "plain has no emotion happy")


@pytest.mark.parametrize("kind", ["feeling", "plain"])
def test_text_is_text_and_no_markup(kind: str, request: pytest.FixtureRequest) -> None:
    host = request.getfixturevalue(kind)
    loud = '<speak><emotion category="angry">你好</emotion></speak>'
    words = "speak emotion category angry 你好 emotion speak"  # what the front end reads of it as text
    assert spoken(host, loud).sha256 == spoken(host, words).sha256
    assert spoken(host, "三 < 五 & 七").sha256 == spoken(host, "三 五 七").sha256


# --- failures: each has its type, and the next job is spoken


@pytest.mark.parametrize(
    ("text", "code", "why"),
    [
        ("你好 lost", FailureCode.ENGINE_ERROR, "TtsVoiceNotExistsException: modelscope error: Voice zhiyan_emo"),
        ("你好 tabless", FailureCode.ENGINE_ERROR, "IndexError"),
        ("你好 mute", FailureCode.ENGINE_ERROR, "output_wav is NoneType"),
        ("你好 garbled", FailureCode.AUDIO_INVALID, "did not return a WAV file"),
        ("你好 stereo", FailureCode.AUDIO_INVALID, "did not return 16-bit mono audio"),
        ("你好 telephone", FailureCode.AUDIO_INVALID, "expected 16000 Hz, got 8000"),
        ("你好 voluminous", FailureCode.GPU_OUT_OF_MEMORY, "out of GPU memory"),
        ("你好 speechless", FailureCode.ENGINE_RETURNED_NOTHING, "only silence"),
        ("Привет", FailureCode.ENGINE_RETURNED_NOTHING, "no samples"),
    ],
)
def test_a_failure_of_the_packages_is_told_and_changes_nothing(
    feeling: EngineHost, text: str, code: FailureCode, why: str
) -> None:
    own_python.check_failure(feeling, text, SENTENCE, "zh", code, why)
