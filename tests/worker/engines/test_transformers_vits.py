"""VITS holds what every engine must hold, and what is its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from services.worker.engine_host import EngineHost
from services.worker.engines.base import EngineError, Snapshot, SpeakRequest
from services.worker.engines.transformers.engine import TransformersEngine
from shared.audio import Audio
from shared.catalog import Manifest
from shared.errors import FailureCode, JobFailure
from tests.worker.engines import checkpoints
from tests.worker.engines.batch_conformance import speak_batch
from tests.worker.engines.checkpoint_suite import CheckpointBatches, CheckpointConformance
from tests.worker.engines.conformance import speak


class TestTinyVits(CheckpointConformance):
    pin = "tiny-vits"
    made_by = staticmethod(checkpoints.vits)

    def test_the_language_is_the_tokenizers(self, manifest: Manifest) -> None:
        assert manifest.languages == ("en",)

    @pytest.mark.parametrize(
        ("text", "named"), [("Guten Tag, Jörg", "'ö'"), ("今天 is today", "'今', '天'"), ("5 €", "'5', '€'")]
    )
    def test_characters_that_are_not_known_are_named(self, warm: EngineHost, text: str, named: str) -> None:
        with pytest.raises(JobFailure, match="the model does not know") as failed:
            speak(warm, self.plain(text=text))
        assert failed.value.code is FailureCode.ENGINE_ERROR
        assert failed.value.message.endswith(named)

    def test_noise_is_put_back_after_the_call(self, warm: EngineHost) -> None:
        before = speak(warm, self.plain())
        still = {"noise_scale": 0, "noise_scale_duration": 0}
        one, other = (speak(warm, self.plain(seed=seed, options=still)) for seed in (1, 2))
        assert one == other
        assert one != before
        assert speak(warm, self.plain()) == before


class TestTinyVitsInBatches(CheckpointBatches):
    pin = "tiny-vits"
    made_by = staticmethod(checkpoints.vits)
    options: ClassVar[Mapping[str, Any]] = {"max_batch": 4}

    def test_a_text_that_is_partly_unknown_is_named(self, warm: EngineHost) -> None:
        with pytest.raises(JobFailure, match="the model does not know '€'"):
            speak_batch(warm, [self.batch()[0], replace(self.batch()[1], text="a €")])


@pytest.fixture(scope="module")
def duo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with two speakers."""
    folder = tmp_path_factory.mktemp("duo") / "checkpoint"
    return checkpoints.vits(folder, num_speakers=2, speaker_embedding_size=8)


def said(checkpoint: Path, options: Mapping[str, Any], *voices: str | None) -> list[Audio]:
    engine = TransformersEngine(Snapshot("duo-v1", checkpoint, "0" * 64, options=options))
    engine.load()
    return [engine.speak(SpeakRequest("Hello, is anybody there?", "en", voice=voice, seed=7)) for voice in voices]


def test_speakers_are_voices_by_number_and_the_first_speaks_unasked(duo: Path) -> None:
    unasked, first, second = said(duo, {}, None, "0", "1")
    assert unasked == first
    assert first != second


def test_a_batch_has_one_speaker(duo: Path) -> None:
    engine = TransformersEngine(Snapshot("duo-v1", duo, "0" * 64, options={"max_batch": 2}))
    engine.load()
    first, second = (
        engine.speak_batch([SpeakRequest(text, "en", voice=voice, seed=7) for text in ("Hello.", "Is anybody there?")])
        for voice in ("0", "1")
    )
    assert all(one != other for one, other in zip(first, second, strict=True))


def test_the_catalog_may_name_speakers(duo: Path) -> None:
    anna, bert = said(duo, {"speakers": {"anna": 1, "bert": 0}}, "anna", "bert")
    assert [anna, bert] == said(duo, {}, "1", "0")


@pytest.mark.parametrize("number", [2, -1, True, "0"])
def test_a_speaker_that_there_is_not_is_refused_before_loading(duo: Path, number: object) -> None:
    engine = TransformersEngine(Snapshot("duo-v1", duo, "0" * 64, options={"speakers": {"anna": number}}))
    with pytest.raises(EngineError, match="options/speakers/anna: the checkpoint has 2 speakers"):
        engine.manifest()
