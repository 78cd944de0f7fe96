"""What every family that stands on a checkpoint of transformers says of one that is not whole: its pin's name, and why.

Real code reads tiny checkpoints with one thing wrong.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save

from services.scorer.metrics.base import MeasuredClip
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import Panel
from shared.metrics import METRICS
from shared.scores import Reason, Score, Scored, Unscored
from tests.model_stores import ModelStores
from tests.scorer.metrics.clips import KNOWN
from tests.scorer.metrics.tiny_emotion import EIGHT, classifier_files
from tests.scorer.metrics.tiny_encoder import encoder_files
from tests.scorer.metrics.tiny_wavlm import wavlm_files
from tests.scorer.metrics.tiny_whisper import altered, whisper_files, without

FAMILY = ("whisper", "emotion", "speaker_wavlm", "semantic_multilingual")
LISTENERS = FAMILY[:3]
WEIGHTS = "model.safetensors"

Files = Mapping[str, bytes]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Files]:
    """By family, one that is whole."""
    known = KNOWN["en_plain"]
    return {
        "whisper": whisper_files(tmp_path_factory.mktemp("whisper")),
        "emotion": classifier_files(tmp_path_factory.mktemp("emotion"), EIGHT),
        "speaker_wavlm": wavlm_files(tmp_path_factory.mktemp("wavlm")),
        "semantic_multilingual": encoder_files(tmp_path_factory.mktemp("encoder"), [known.text or ""]),
    }


@pytest.fixture
def measured(tmp_path: Path, checkpoints: Mapping[str, Files]) -> Callable[[str, Files], Scored]:
    """What a family says of a clip by a pin named ``tiny``; the encoder's transcript is that of a Whisper that is
    whole."""

    def measured(family: str, files: Files) -> Scored:
        model_stores = ModelStores(tmp_path)
        if family == "semantic_multilingual":
            model_stores.put("asr", checkpoints["whisper"], engine="whisper")
        model_stores.put("tiny", files, engine=family)
        known = KNOWN["en_plain"]
        clip = MeasuredClip.of(
            known.audio, text=known.text, language="en", reference=KNOWN["en_fast"].audio, emotion="happy"
        )
        panel = Panel(METRICS, Instruments(model_stores.store.root, lock_file=model_stores.lock_file))
        return next(iter(panel.measure(family, clip).values()))

    return measured


def refusal(scored: Scored) -> str:
    assert isinstance(scored, Unscored), scored
    assert scored.reason is Reason.MODEL_NOT_PULLED
    return scored.detail


def lacking(files: Files, weight: str) -> Files:
    """The checkpoint without the weights in whose names ``weight`` is found; there have to be some."""
    saved = load(files[WEIGHTS])
    kept = {name: value for name, value in saved.items() if weight not in name}
    assert len(kept) < len(saved)
    return {**files, WEIGHTS: save(kept, metadata={"format": "pt"})}


def as_published_before(files: Files) -> Files:
    """The checkpoint as torch saved it under the names of old, as superb/wav2vec2-base-superb-er and
    microsoft/wavlm-base-plus-sv are published."""
    newer = "parametrizations.weight.original"
    names = {f"{newer}0": "weight_g", f"{newer}1": "weight_v"}
    saved = load(files[WEIGHTS])
    assert any(newer in name for name in saved)
    for new, old in names.items():
        saved = {name.replace(new, old): value for name, value in saved.items()}
    file = io.BytesIO()
    torch.save(saved, file)
    return {**without(files, WEIGHTS), "pytorch_model.bin": file.getvalue()}


def defects(files: Files) -> Iterator[tuple[str, Files]]:
    """What is said, and a checkpoint of which it is said."""
    yield "tiny cannot be read: ", without(files, WEIGHTS)
    yield "tiny cannot be read: SafetensorError", {**files, WEIGHTS: b"no weights"}
    yield "tiny cannot be read: ", without(files, "config.json")
    yield "tiny cannot be read: ", {**files, "config.json": b"{"}


@pytest.mark.parametrize("family", FAMILY)
def test_what_cannot_be_read_is_the_pins_fault(
    family: str, checkpoints: Mapping[str, Files], measured: Callable[[str, Files], Scored]
) -> None:
    for said, files in defects(checkpoints[family]):
        assert said in refusal(measured(family, files))


@pytest.mark.parametrize("family", LISTENERS)
def test_an_ear_for_another_rate_is_refused_when_it_is_loaded(
    family: str, checkpoints: Mapping[str, Files], measured: Callable[[str, Files], Scored]
) -> None:
    telephone = altered(checkpoints[family], "preprocessor_config.json", sampling_rate=8_000)
    assert refusal(measured(family, telephone)) == "tiny expects 8000 Hz, not 16000 Hz"


@pytest.mark.parametrize(
    ("family", "size"),
    [("whisper", "decoder_ffn_dim"), *((family, "intermediate_size") for family in FAMILY[1:])],
)
def test_weights_of_another_shape_are_not_made_up(
    family: str, size: str, checkpoints: Mapping[str, Files], measured: Callable[[str, Files], Scored]
) -> None:
    said = refusal(measured(family, altered(checkpoints[family], "config.json", **{size: 48})))
    assert "weights are not in tiny; the first is" in said


@pytest.mark.parametrize(
    ("family", "weight"),
    [
        ("emotion", "masked_spec_embed"),
        ("speaker_wavlm", "masked_spec_embed"),
        ("speaker_wavlm", "objective.weight"),
        ("semantic_multilingual", "pooler."),
    ],
)
def test_a_weight_that_only_training_uses_may_be_missing(
    family: str, weight: str, checkpoints: Mapping[str, Files], measured: Callable[[str, Files], Scored]
) -> None:
    whole, cut = (measured(family, files) for files in (checkpoints[family], lacking(checkpoints[family], weight)))
    assert isinstance(cut, Score), cut
    assert isinstance(whole, Score)
    assert cut.value == pytest.approx(whole.value, abs=1e-6)


@pytest.mark.parametrize("family", ["emotion", "speaker_wavlm"])
def test_weights_under_their_old_names_are_the_same_weights(
    family: str, checkpoints: Mapping[str, Files], measured: Callable[[str, Files], Scored]
) -> None:
    old, new = (measured(family, files) for files in (as_published_before(checkpoints[family]), checkpoints[family]))
    assert isinstance(old, Score), old
    assert isinstance(new, Score)
    assert old.value == pytest.approx(new.value, abs=1e-6)
