"""SpeechT5 with its vocoder holds what every engine must hold, and what is its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any, ClassVar

import numpy as np
import pytest

from services.pins.locking.selection import is_wanted
from services.worker.engine_host import EngineHost
from services.worker.engines.base import EngineError, Snapshot
from services.worker.engines.transformers.engine import TransformersEngine
from shared.catalog import Manifest
from shared.errors import FailureCode, JobFailure
from shared.weights.catalog_file import read_catalog
from tests.worker.engines import checkpoints
from tests.worker.engines.batch_conformance import speak_batch
from tests.worker.engines.checkpoint_suite import CheckpointBatches, CheckpointConformance
from tests.worker.engines.conformance import speak

ROOT = Path(__file__).parents[3]


class TestTinySpeechT5(CheckpointConformance):
    pin = "tiny-speecht5"
    made_by = staticmethod(checkpoints.speecht5)

    def test_speakers_are_voices_and_the_first_speaks_unasked(self, warm: EngineHost, manifest: Manifest) -> None:
        assert manifest.voices == ("anna", "bert")
        assert manifest.default_voice == "anna"
        unasked, anna, bert = (speak(warm, self.plain(voice=voice)) for voice in (None, "anna", "bert"))
        assert unasked == anna
        assert anna != bert

    def test_characters_that_are_not_known_are_named(self, warm: EngineHost) -> None:
        with pytest.raises(JobFailure, match="the model does not know '今', '天'"):
            speak(warm, self.plain(text="今天 is today"))

    def test_a_text_beyond_the_models_positions_is_refused_and_not_cut(self, warm: EngineHost) -> None:
        with pytest.raises(JobFailure, match=r"the text has 302 tokens .* at most 250 are allowed"):
            speak(warm, self.plain(text="a" * 299 + "b"))

    def test_the_longest_speech_is_an_option(self, warm: EngineHost) -> None:
        half = speak(warm, self.plain(options={"maxlenratio": 10}))
        assert half.duration_s == pytest.approx(speak(warm, self.plain()).duration_s / 2, rel=0.02)


class TestTinySpeechT5InBatches(CheckpointBatches):
    pin = "tiny-speecht5"
    made_by = staticmethod(checkpoints.speecht5)
    options: ClassVar[Mapping[str, Any]] = {"max_batch": 4}

    @pytest.mark.parametrize("bound", [{"maxlenratio": 5}, {"minlenratio": 2, "maxlenratio": 5}], ids=str)
    def test_bounds_on_length_are_those_of_each_text(self, warm: EngineHost, bound: Mapping[str, Any]) -> None:
        alone = [speak(warm, request).duration_s for request in self.batch(options=bound)]
        assert [one.duration_s for one in speak_batch(warm, self.batch(options=bound))] == alone


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return checkpoints.speecht5(tmp_path / "speecht5")


def refusal(folder: Path, **options: object) -> EngineError:
    engine = TransformersEngine(Snapshot("speecht5", folder, "0" * 64, options=options))
    with pytest.raises(EngineError) as refused:
        engine.load()
    return refused.value


def test_without_a_vocoder_nothing_is_downloaded_and_nothing_spoken(checkpoint: Path) -> None:
    (checkpoint / "vocoder" / "config.json").unlink()
    refused = refusal(checkpoint)
    assert (refused.code, str(refused)) == (FailureCode.MODEL_NOT_PULLED, "the vocoder: config.json is missing")


def test_without_a_speaker_it_is_refused(checkpoint: Path) -> None:
    for file in (checkpoint / "speakers").iterdir():
        file.unlink()
    assert str(refusal(checkpoint)).startswith("SpeechT5 needs a speaker")


def test_a_speaker_may_stand_in_the_catalog_as_numbers(checkpoint: Path) -> None:
    numbers = np.load(checkpoint / "speakers" / "anna.npy").tolist()
    engine = TransformersEngine(Snapshot("speecht5", checkpoint, "0" * 64, options={"speakers": {"carl": numbers}}))
    assert engine.manifest().voices == ("anna", "bert", "carl")


@pytest.mark.parametrize("vector", [[0.5] * 15, ["a"] * 16, "anna", [float("inf")] * 16], ids=str)
def test_a_speaker_of_the_wrong_kind_is_refused_by_name(checkpoint: Path, vector: object) -> None:
    assert str(refusal(checkpoint, speakers={"carl": vector})).startswith("the speaker carl is n")


def test_a_speaker_file_that_holds_objects_is_not_unpickled(checkpoint: Path) -> None:
    np.save(checkpoint / "speakers" / "anna.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert str(refusal(checkpoint)).startswith("the speaker anna is not a list of numbers")


def test_the_example_catalog_puts_every_file_where_the_engine_looks(checkpoint: Path) -> None:
    wanted = read_catalog(ROOT / "examples" / "catalog.toml")["speecht5"].components
    for path in checkpoints.files(checkpoint):
        published = PurePath(path.replace("model.safetensors", "pytorch_model.bin"))
        assert any(PurePath(part.folder) == published.parent and is_wanted(part, published.name) for part in wanted), (
            path
        )
