"""The family ``utmos``: predicted MOS by UTMOS, as TorchScript.

UTMOS is the strong learner of the system that won the VoiceMOS Challenge 2022. Owns how the script is loaded and what
it is given. The catalog chooses the script: the pin whose engine is ``utmos``, for example utmos_scripted.pt of
Blinorot/UTMOS-PyTorch. TorchScript is code. It runs on the CPU, from the very bytes whose hash was compared with the
lock; review what you lock.

The script takes the whole clip at 16 kHz, untrimmed, as a batch of one, shape (1, n), and returns one number. The
pin's option ``input`` says in what form the samples come: ``float32`` in [-1, 1], the default, or ``int16``. A script
that was traced for a GPU, as utmos.jit of balacoon/utmos is according to its authors, does not run on a CPU: its
values are then ``unscored: scorer_error``.

It was trained on listening tests of 2022 and before, most of them English. In other languages use it to compare
versions, and trust its level less.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from services.scorer.metrics.base import MeasuredClip, Reading, Samples, WeightsMismatch, too_long
from services.scorer.metrics.instruments import Instruments, only_file
from services.scorer.metrics.locks import scorer_lock
from shared import metrics
from shared.scores import Reason, Unscored
from shared.weights.lock import PinLock

INPUT = "input"
"""The name of the pin's option."""
FORMS = ("float32", "int16")
LONGEST_S = 60.0
"""Seconds. Longer clips are refused: time and memory of the attention grow with the square of the length."""


class Utmos:
    """The family ``utmos``."""

    info = metrics.UTMOS

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._pin: PinLock | None = None
        self._script: Any = None

    def lock(self) -> Mapping[str, Any]:
        pin = self._pin or self._instruments.pin_for(self.info.family)
        return scorer_lock(
            self.info.family,
            revision=1,
            weights=pin.hashes,
            packages=("torch", "soxr", "numpy"),
            parameters={INPUT: _form(pin), "longest_s": LONGEST_S},
        )

    def load(self) -> None:
        torch.set_num_threads(self._instruments.threads)
        pin = self._instruments.pin_for(self.info.family)
        _form(pin)
        file = only_file(pin)
        script = (self._instruments.snapshot(pin) / file.path).read_bytes()
        # The snapshot was checked a moment ago, but the file may have changed since, and these bytes are about to be
        # run.
        if hashlib.sha256(script).hexdigest() != file.sha256:
            raise WeightsMismatch(f"{file.path} of {pin.name} was changed after it was checked")
        try:
            self._script = torch.jit.load(io.BytesIO(script), map_location="cpu").eval()  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            raise WeightsMismatch(f"{file.path} of {pin.name} is not TorchScript: {error}") from error
        self._pin = pin

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        return {"mos/utmos": self._mos(clip)}

    def _mos(self, clip: MeasuredClip) -> Reading:
        assert self._pin is not None, "load comes first"
        if obstacle := too_long(clip, LONGEST_S):
            return obstacle
        with torch.inference_mode():
            found = self._script(torch.from_numpy(_given(clip.at_16k, _form(self._pin))[None]))
        if not isinstance(found, torch.Tensor) or found.numel() != 1:
            shape = tuple(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
            return Unscored(Reason.SCORER_ERROR, f"{self._pin.name} returned {shape}, not one number")
        return float(found)


def _given(samples: Samples, form: str) -> Any:
    if form == "float32":
        return samples.copy()
    return np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)


def _form(pin: PinLock) -> str:
    form = pin.options.get(INPUT, FORMS[0])
    if form not in FORMS:
        raise WeightsMismatch(f"the option {INPUT} of {pin.name} is {form!r}, not {' or '.join(FORMS)}")
    return str(form)
