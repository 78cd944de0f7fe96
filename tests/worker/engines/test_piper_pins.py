"""Pins of Piper that cannot be served: each says why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
from onnx import TensorProto, helper

from services.worker.engines.base import Engine, EngineError, Snapshot
from services.worker.engines.piper.family import Piper
from services.worker.engines.piper.graph import DRAWN
from shared.errors import FailureCode
from tests.worker.engines import piper_voices
from tests.worker.engines.piper_voices import STEPS, Step


def refusal(folder: Path, files: Mapping[str, bytes], **options: Any) -> EngineError:
    """Why a pin of these files is not served."""
    for path, content in files.items():
        (folder / path).write_bytes(content)
    engine = Piper().build_from(Snapshot("tiny", folder, "0" * 64, options=options))
    with pytest.raises(EngineError) as refused:
        served_pins(engine)
    return refused.value


def served_pins(engine: Engine) -> None:
    """What is done to a pin before it speaks."""
    engine.manifest()
    engine.load()


# --- files


def test_a_pin_without_a_model_is_not_pulled(tmp_path: Path) -> None:
    error = refusal(tmp_path, {"README.md": b""})
    assert (str(error), error.code) == ("the pin has no *.onnx file", FailureCode.MODEL_NOT_PULLED)


def test_a_model_without_its_json_is_not_pulled(tmp_path: Path) -> None:
    files = piper_voices.files()
    error = refusal(tmp_path, {"voice.onnx": files["voice.onnx"], "voice.json": files["voice.onnx.json"]})
    assert (str(error), error.code) == ("voice.onnx.json is missing", FailureCode.MODEL_NOT_PULLED)


def test_two_voices_are_no_pin(tmp_path: Path) -> None:
    both = {**piper_voices.files(path="anna.onnx"), **piper_voices.files(path="bert.onnx")}
    assert str(refusal(tmp_path, both)) == "a pin must have one voice (found 2: anna.onnx, bert.onnx)"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"{", "voice.onnx.json is not JSON"), (b"\xff", "voice.onnx.json is not JSON"), (b"[]", "is not a JSON object")],
)
def test_a_json_that_is_none_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    assert complaint in str(refusal(tmp_path, {**piper_voices.files(), "voice.onnx.json": content}))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"audio": {}}, "audio/sample_rate must be a whole number from 8000 to 48000, not None"),
        ({"espeak": {}}, "espeak/voice must be a name"),
        ({"inference": {"noise_w": -1}}, "inference/noise_w must be from 0 to 2, not -1"),
        ({"inference": {"length_scale": 0}}, "inference/length_scale must be from 0.05 to 20, not 0"),
        ({"num_speakers": None}, "num_speakers must be a whole number from 1 to 100000, not None"),
        ({"num_speakers": 2, "speaker_id_map": {"anna": 2}}, "speaker_id_map/anna must be a whole number from 0 to 1"),
        ({"num_speakers": 2, "default_speaker_id": 2}, "default_speaker_id must be a whole number from 0 to 1"),
        ({"phoneme_id_map": {"_": [0]}}, "phoneme_id_map has no ^ $"),
        ({"phoneme_id_map": None}, "the voice's JSON has no table phoneme_id_map"),
        ({"phoneme_type": "runes"}, "phoneme_type must be one of espeak, text, hebrew, japanese, thai, not 'runes'"),
        ({"phoneme_type": "pinyin"}, "phoneme_type must be one of espeak, text, hebrew, japanese, thai, not 'pinyin'"),
        (
            {"phoneme_type": "text", "language": {}},
            "the voice does not say its language; set options/languages in the catalog",
        ),
    ],
    ids=str,
)
def test_a_json_that_does_not_describe_a_voice_is_refused(
    tmp_path: Path, changes: Mapping[str, Any], complaint: str
) -> None:
    assert complaint in str(refusal(tmp_path, piper_voices.files(**changes)))


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"languages": []}, "options/languages: must be a list of language tags, not []"),
        ({"languages": ["e n"]}, "options/languages: must be a list of language tags, not ['e n']"),
        ({"languages": ["english"]}, "options/languages: must be a list of language tags, not ['english']"),
        ({"max_piece_chars": 49}, "options/max_piece_chars: must be from 50 to 2000, not 49"),
        ({"threads": 1.5}, "options/threads: must be a whole number, not 1.5"),
        ({"device": "auto"}, "options/device: must be one of cpu, cuda, not 'auto'"),
        ({"speed": 1}, "options/speed: unknown option; known options: languages, device, max_piece_chars, threads"),
    ],
    ids=str,
)
def test_what_the_catalog_may_not_say_is_refused(tmp_path: Path, options: Mapping[str, Any], complaint: str) -> None:
    assert str(refusal(tmp_path, piper_voices.files(), **options)) == complaint


def test_a_gpu_that_onnxruntime_does_not_serve_is_not_replaced_by_the_cpu(tmp_path: Path) -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime serves GPUs")
    assert "has no CUDAExecutionProvider" in str(refusal(tmp_path, piper_voices.files(), device="cuda"))


# --- the model


def with_model(content: bytes) -> dict[str, bytes]:
    return {"voice.onnx": content, "voice.onnx.json": json.dumps(piper_voices.said()).encode()}


def with_steps(*steps: Step) -> dict[str, bytes]:
    return with_model(piper_voices.model(steps=steps).SerializeToString())


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"weights, surely", "the voice is not an ONNX model"),
        (b"", "expected one Ceil in the voice, for the lengths of phonemes (found 0)"),
    ],
    ids=["not ONNX", "empty"],
)
def test_a_model_that_is_none_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    assert complaint in str(refusal(tmp_path, with_model(content)))


def test_a_model_that_onnxruntime_does_not_take_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, with_steps(*STEPS, ("Transmogrify", ["output"], "other")))
    assert "onnxruntime does not load the voice" in str(error)


def test_a_model_with_other_inputs_is_refused(tmp_path: Path) -> None:
    many = piper_voices.model(speakers=2).SerializeToString()
    assert str(refusal(tmp_path, with_model(many))) == (
        "expected a voice with the inputs input tensor(int64), input_lengths tensor(int64), scales tensor(float), "
        "got input tensor(int64), input_lengths tensor(int64), scales tensor(float), sid tensor(int64)"
    )


def test_noise_that_no_seed_reaches_is_refused(tmp_path: Path) -> None:
    steps = [
        ("RandomUniformLike", inputs, output) if kind == DRAWN else (kind, inputs, output)
        for kind, inputs, output in STEPS
    ]
    assert str(refusal(tmp_path, with_steps(*steps))) == (
        "the voice draws random numbers by RandomUniformLike, which cannot be seeded"
    )


def test_noise_inside_of_a_branch_is_refused(tmp_path: Path) -> None:
    voice = piper_voices.model()
    inner = helper.make_graph(
        [helper.make_node(DRAWN, ["scales"], ["drawn"])],
        "branch",
        [],
        [helper.make_tensor_value_info("drawn", TensorProto.FLOAT, [3])],
    )
    voice.graph.node.append(helper.make_node("If", ["asked"], ["unused"], then_branch=inner, else_branch=inner))
    assert DRAWN in str(refusal(tmp_path, with_model(voice.SerializeToString())))
