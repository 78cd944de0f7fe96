"""Pins of Kokoro that cannot be served: each says why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from services.worker.engines.base import Engine, EngineError, Snapshot
from services.worker.engines.kokoro.family import Kokoro
from shared.errors import FailureCode
from tests.worker.engines import kokoro_pins
from tests.worker.engines.kokoro_pins import STEPS, Step


def refusal(folder: Path, files: Mapping[str, bytes], **options: Any) -> EngineError:
    """Why a pin of these files is not served."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    engine = Kokoro().build_from(Snapshot("tiny", folder, "0" * 64, options=options))
    with pytest.raises(EngineError) as refused:
        served(engine)
    return refused.value


def served(engine: Engine) -> None:
    """What is done to a pin before it speaks."""
    engine.manifest()
    engine.load()


# --- files


@pytest.mark.parametrize(
    ("missing", "complaint"),
    [
        ("model.onnx", "the pin has no *.onnx file"),
        ("vocab.json", "the pin has none of vocab.json, config.json, tokenizer.json"),
        ("voices/af_heart.bin", "the pin has no voice, such as af_heart.bin"),
    ],
)
def test_a_pin_without_one_of_its_files_is_not_pulled(tmp_path: Path, missing: str, complaint: str) -> None:
    files = kokoro_pins.files(["af_heart"])
    del files[missing]
    error = refusal(tmp_path, files)
    assert (str(error), error.code) == (complaint, FailureCode.MODEL_NOT_PULLED)


def test_two_models_are_no_pin(tmp_path: Path) -> None:
    files = kokoro_pins.files(["af_heart"])
    error = refusal(tmp_path, {**files, "other.onnx": files["model.onnx"]})
    assert str(error) == "a pin must have one model (found 2: model.onnx, other.onnx)"


@pytest.mark.parametrize("content", [b"", b"\0" * 1000])
def test_a_voice_of_another_size_is_refused(tmp_path: Path, content: bytes) -> None:
    error = refusal(tmp_path, {**kokoro_pins.files(["af_heart"]), "voices/am_adam.bin": content})
    assert str(error) == f"am_adam.bin: expected rows of 1024 bytes, found {len(content)} bytes"


@pytest.mark.parametrize("vocabulary", [b"{}", b'{"vocab": 1}', b'{"vocab": {"ab": 1}}', b'{"vocab": {"a": true}}'])
def test_a_vocabulary_that_is_none_is_refused(tmp_path: Path, vocabulary: bytes) -> None:
    error = refusal(tmp_path, kokoro_pins.files(["af_heart"], vocab=vocabulary))
    assert str(error) == "vocab.json: vocab must be a table of phonemes with their numbers"


def test_voices_of_languages_that_nobody_reads_are_no_pin(tmp_path: Path) -> None:
    error = refusal(tmp_path, kokoro_pins.files(["xf_nobody"]))
    served = "en-us, en, en-gb, zh, ja, es, fr, hi, it, pt-br, pt"
    assert str(error) == f"no voice of the pin speaks a language that is served: {served}"


# --- options


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"languages": []}, "options/languages: must be a list of language tags, not []"),
        ({"languages": ["en", "de"]}, "options/languages: no voice of the pin speaks de"),
        ({"max_piece_chars": 49}, "options/max_piece_chars: must be from 50 to 2000, not 49"),
        ({"threads": 1.5}, "options/threads: must be a whole number, not 1.5"),
        ({"device": "auto"}, "options/device: must be one of cpu, cuda, not 'auto'"),
        ({"speed": 1}, "options/speed: unknown option; known options: languages, device, max_piece_chars, threads"),
    ],
    ids=str,
)
def test_what_the_catalog_may_not_say_is_refused(tmp_path: Path, options: Mapping[str, Any], complaint: str) -> None:
    assert str(refusal(tmp_path, kokoro_pins.files(), **options)) == complaint


def test_a_gpu_that_onnxruntime_does_not_serve_is_not_replaced_by_the_cpu(tmp_path: Path) -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime serves GPUs")
    assert "has no CUDAExecutionProvider" in str(refusal(tmp_path, kokoro_pins.files(["af_heart"]), device="cuda"))


# --- the model


def with_steps(*steps: Step) -> dict[str, bytes]:
    return kokoro_pins.files(["af_heart"], model=kokoro_pins.model(steps).SerializeToString())


NOT_ROUNDED = [("Identity" if kind == "Round" else kind, inputs, output) for kind, inputs, output in STEPS]


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        (kokoro_pins.files(["af_heart"], model=b"weights, surely"), "the model is not an ONNX model"),
        (with_steps(*NOT_ROUNDED), "expected one division that is rounded, for the lengths of phonemes (found 0)"),
        (with_steps(*STEPS, ("Transmogrify", ["audio"], "other")), "onnxruntime does not load the model"),
        (
            with_steps(*STEPS, ("RandomNormalLike", ["audio"], "other")),
            "the model draws random numbers by RandomNormalLike, which cannot be seeded",
        ),
        (
            kokoro_pins.files(["af_heart"], model=kokoro_pins.model(tokens="text").SerializeToString()),
            "expected a model with the inputs speed tensor(float), style tensor(float), tokens tensor(int64), "
            "got speed tensor(float), style tensor(float), text tensor(int64)",
        ),
    ],
    ids=["not ONNX", "no lengths", "unknown operator", "random", "other inputs"],
)
def test_a_model_that_is_none_is_refused(tmp_path: Path, files: Mapping[str, bytes], complaint: str) -> None:
    assert complaint in str(refusal(tmp_path, files))
