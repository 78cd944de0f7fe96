"""Pins of Hibari that cannot be served: each says why."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from services.worker.engines.base import Engine, EngineError, Snapshot
from services.worker.engines.hibari.family import HibariFamily
from shared.errors import FailureCode
from shared.weights.lock import read_locks
from tests.worker.engines import hibari_pins, kokoro_pins
from tests.worker.engines.hibari_pins import with_steps
from tests.worker.engines.pin_folders import put

LOCK = Path(__file__).parents[3] / "examples/catalog.lock"
HEART = {"file": "hibari.onnx", "british": False}


def refusal(folder: Path, files: Mapping[str, bytes], **options: Any) -> EngineError:
    """Why a pin of these files is not served."""
    engine = HibariFamily().build_from(Snapshot("tiny", put(folder, files), "0" * 64, options=options))
    with pytest.raises(EngineError) as refused:
        served(engine)
    return refused.value


def served(engine: Engine) -> None:
    """What is done to a pin before it speaks."""
    engine.manifest()
    engine.load()


def test_the_model_of_the_package_is_the_one_that_is_locked() -> None:
    files = {path: hashlib.sha256(content).hexdigest() for path, content in hibari_pins.files().items()}
    assert files["hibari.onnx"] == read_locks(LOCK)["hibari"].hashes["hibari.onnx"]


@pytest.mark.parametrize(
    ("missing", "complaint"),
    [
        ("hibari.onnx", "the pin has no *.onnx file"),
        ("vocab.json", "the pin has no vocab.json"),
        ("voices.json", "the pin has no voices.json"),
    ],
)
def test_a_pin_without_one_of_its_files_is_not_pulled(tmp_path: Path, missing: str, complaint: str) -> None:
    files = hibari_pins.files()
    del files[missing]
    error = refusal(tmp_path, files)
    assert (str(error), error.code) == (complaint, FailureCode.MODEL_NOT_PULLED)


def test_a_model_that_is_no_voice_is_refused_by_name(tmp_path: Path) -> None:
    error = refusal(tmp_path, {**hibari_pins.files(), "oov.onnx": b""})
    assert str(error) == "voices.json names no voice of oov.onnx"


@pytest.mark.parametrize(
    ("voices", "complaint"),
    [
        ({"heart": 1}, "voices.json must be a table of voices by their names"),
        ({"He art": HEART}, "voices.json must be a table of voices by their names"),
        ({"heart": {"file": "hibari.onnx"}}, "voices.json: heart must say its file and whether it is british"),
        ({"heart": {"file": 1, "british": True}}, "voices.json: heart must say its file and whether it is british"),
    ],
    ids=str,
)
def test_a_list_of_voices_that_is_none_is_refused(tmp_path: Path, voices: object, complaint: str) -> None:
    assert str(refusal(tmp_path, hibari_pins.files(voices=voices))) == complaint


@pytest.mark.parametrize("vocabulary", [{}, {"ab": 1}, {"a": True}, {"a": "1"}], ids=str)
def test_a_vocabulary_that_is_none_is_refused(tmp_path: Path, vocabulary: object) -> None:
    error = refusal(tmp_path, hibari_pins.files(vocab=vocabulary))
    assert str(error) == "vocab.json must be a table of phonemes with their numbers"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"languages": ["en", "en-gb"]}, "options/languages: no voice of the pin speaks en-gb"),
        ({"threads": 65}, "options/threads: must be from 1 to 64, not 65"),
        ({"device": "auto"}, "options/device: must be one of cpu, cuda, not 'auto'"),
        ({"speed": 1}, "options/speed: unknown option; known options: languages, device, max_piece_chars, threads"),
    ],
    ids=str,
)
def test_what_the_catalog_may_not_say_is_refused(tmp_path: Path, options: Mapping[str, Any], complaint: str) -> None:
    assert str(refusal(tmp_path, hibari_pins.files(), **options)) == complaint


def test_a_gpu_that_onnxruntime_does_not_serve_is_not_replaced_by_the_cpu(tmp_path: Path) -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime serves GPUs")
    assert "has no CUDAExecutionProvider" in str(refusal(tmp_path, hibari_pins.files(), device="cuda"))


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        (b"weights, surely", "the model is not an ONNX model"),
        (with_steps(("Transmogrify", ["f0"], "other")), "onnxruntime does not load the model"),
        (
            with_steps(("RandomNormalLike", ["f0"], "other")),
            "the model draws random numbers by RandomNormalLike, which cannot be seeded",
        ),
        (
            with_steps(("Div", ["f0", "speed"], "other"), ("Round", ["other"], "another")),
            "expected one division that is rounded, for the lengths of phonemes (found 2)",
        ),
    ],
    ids=["not ONNX", "unknown operator", "random", "other lengths"],
)
def test_a_model_that_is_none_is_refused(tmp_path: Path, model: bytes, complaint: str) -> None:
    assert complaint in str(refusal(tmp_path, hibari_pins.files(model=model)))


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    files = hibari_pins.files(model=kokoro_pins.model().SerializeToString())
    assert str(refusal(tmp_path, files)) == (
        "expected a model with the inputs ids tensor(int64), speed tensor(float), "
        "got speed tensor(float), style tensor(float), tokens tensor(int64)"
    )
