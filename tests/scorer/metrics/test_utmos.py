"""A predictor as TorchScript: what it is given, what it may answer, and that nothing is run but what was locked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import Panel
from services.scorer.metrics.utmos import Utmos
from shared.audio import Audio
from shared.catalog import lock_sha256
from shared.metrics import METRICS
from shared.scores import Reason, Score, Scored, Unscored
from shared.weights.lock import PinLock
from tests.model_stores import NOWHERE, ModelStores, locked, pull
from tests.scorer.metrics.clips import KNOWN
from tests.scorer.metrics.tiny_utmos import Nothing, OfFloats, OfFrames, OfIntegers, script

CLIP = KNOWN["en_plain"].clip()
LOUDNESS = float(1 + 4 * np.abs(CLIP.at_16k).mean())


def _pinned(folder: Path, files: dict[str, bytes], **options: Any) -> Instruments:
    model_stores = ModelStores(folder)
    lock = locked("tiny", files, NOWHERE, engine="utmos", options=options)
    pull(model_stores.store, lock, files)
    model_stores.write({"tiny": lock})
    return Instruments(model_stores.store.root, lock_file=model_stores.lock_file)


def _scored(instruments: Instruments, audio: Audio | None = None) -> Scored:
    clip = KNOWN["en_plain"].clip(audio)
    return Panel(METRICS, instruments).measure("utmos", clip)["mos/utmos"]


def _refusal(scored: Scored) -> tuple[Reason, str]:
    assert isinstance(scored, Unscored), scored
    return scored.reason, scored.detail


@pytest.mark.parametrize(
    ("module", "options"),
    [(OfFloats(), {}), (OfFloats(), {"input": "float32"}), (OfIntegers(), {"input": "int16"})],
    ids=["unsaid", "float32", "int16"],
)
def test_a_script_is_given_the_form_that_its_pin_names(
    module: nn.Module, options: dict[str, str], tmp_path: Path
) -> None:
    scored = _scored(_pinned(tmp_path, {"any.pt": script(module)}, **options))
    assert isinstance(scored, Score), scored
    assert scored.value == pytest.approx(LOUDNESS, abs=1e-4)


def test_a_form_that_there_is_not_is_refused(tmp_path: Path) -> None:
    reason, detail = _refusal(_scored(_pinned(tmp_path, {"any.pt": script(OfFloats())}, input="int8")))
    assert reason is Reason.MODEL_NOT_PULLED
    assert "input of tiny is 'int8', not float32 or int16" in detail


@pytest.mark.parametrize(("module", "said"), [(OfFrames(), "not one number"), (Nothing(), "returned nan")])
def test_an_answer_that_is_no_number_is_an_error(module: nn.Module, said: str, tmp_path: Path) -> None:
    reason, detail = _refusal(_scored(_pinned(tmp_path, {"any.pt": script(module)})))
    assert reason is Reason.SCORER_ERROR
    assert said in detail


def test_a_script_that_takes_another_form_is_an_error(tmp_path: Path) -> None:
    reason, _ = _refusal(_scored(_pinned(tmp_path, {"any.pt": script(OfIntegers())})))
    assert reason is Reason.SCORER_ERROR


def test_a_minute_and_more_is_too_long(tmp_path: Path) -> None:
    audio = Audio(KNOWN["en_plain"].audio.pcm * 30, KNOWN["en_plain"].audio.sample_rate)
    reason, _ = _refusal(_scored(_pinned(tmp_path, {"any.pt": script(OfFloats())}), audio))
    assert reason is Reason.TOO_LONG


def test_a_pin_is_one_script(tmp_path: Path) -> None:
    reason, detail = _refusal(_scored(_pinned(tmp_path, {"any.pt": script(OfFloats()), "README.md": b"Read me."})))
    assert reason is Reason.MODEL_NOT_PULLED
    assert "tiny has 2 files" in detail


def test_what_is_no_torchscript_is_refused(tmp_path: Path) -> None:
    reason, detail = _refusal(_scored(_pinned(tmp_path, {"any.pt": b"state_dict"})))
    assert reason is Reason.MODEL_NOT_PULLED
    assert "any.pt of tiny is not TorchScript" in detail


def test_bytes_that_are_not_the_locked_ones_are_not_run(tmp_path: Path) -> None:
    instruments = _pinned(tmp_path, {"any.pt": script(OfFloats())})
    (file,) = instruments.pin_for("utmos").files
    blob = ModelStores(tmp_path).store.blob(file.sha256)
    blob.chmod(0o644)
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    reason, detail = _refusal(_scored(instruments))
    assert reason is Reason.MODEL_NOT_PULLED
    assert "but the lock says" in detail


class Meddled(Instruments):
    """Whose files are changed once they have been checked."""

    def snapshot(self, pin: PinLock) -> Path:
        folder = super().snapshot(pin)
        (file,) = pin.files
        blob = (folder / file.path).resolve()
        blob.chmod(0o644)
        blob.write_bytes(script(OfIntegers()))
        return folder


def test_bytes_that_changed_after_the_check_are_not_run_either(tmp_path: Path) -> None:
    checked = _pinned(tmp_path, {"any.pt": script(OfFloats())})
    reason, detail = _refusal(_scored(Meddled(checked.models, lock_file=ModelStores(tmp_path).lock_file)))
    assert reason is Reason.MODEL_NOT_PULLED
    assert "was changed after it was checked" in detail


def test_what_its_samples_come_as_is_part_of_its_lock(tmp_path: Path) -> None:
    files = {"any.pt": script(OfFloats())}
    as_floats, as_integers = (
        Utmos(_pinned(tmp_path / form, files, input=form)).lock() for form in ("float32", "int16")
    )
    assert lock_sha256(as_floats) != lock_sha256(as_integers)
