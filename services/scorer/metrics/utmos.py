"""Predicted MOS by UTMOS, the strong learner of the system that won the VoiceMOS Challenge 2022, as TorchScript.

Owns how the script is loaded and what it is given. Which one it is says the catalog: the pin whose engine is ``utmos``,
for example utmos_scripted.pt of Blinorot/UTMOS-PyTorch. TorchScript is code. What is run here are the very bytes that
were hashed and found to be those of the lock, on the CPU; review whom you lock.

The script takes the whole clip at 16 kHz, nothing trimmed, as a batch of one, shape (1, n), and gives one number. The
pin's option ``input`` says in what form the samples come: ``float32`` in [-1, 1], which holds where it says nothing, or
``int16``. A script that was traced for a GPU, as utmos.jit of balacoon/utmos is by its authors' word, does not run on a
CPU: its values are then ``unscored: scorer_error``.

It learned from listening tests of 2022 and before, of English for the most part: in other languages compare versions by
it, and believe its level less.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from services.scorer.metrics import infos
from services.scorer.metrics.base import Clip, Reading, Samples, WeightsMismatch, too_long
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from shared.scores import Reason, Unscored
from shared.weights.lock import LockedFile, PinLock

INPUT = "input"
"""The option of the pin."""
FORMS = ("float32", "int16")
LONGEST_S = 60.0
"""Longer clips are refused: time and memory of the attention grow with the square of the length."""


class Utmos:
    """The family ``utmos``."""

    info = infos.UTMOS

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._pin: PinLock | None = None
        self._script: Any = None

    def lock(self) -> Mapping[str, Any]:
        pin = self._pin or self._instruments.pin_for(self.info.family)
        return scorer_lock(
            self.info.family,
            revision=1,
            weights={file.path: file.sha256 for file in pin.files},
            packages=("torch", "soxr", "numpy"),
            parameters={INPUT: _form(pin), "longest_s": LONGEST_S},
        )

    def load(self) -> None:
        torch.set_num_threads(self._instruments.threads)
        pin = self._instruments.pin_for(self.info.family)
        _form(pin)
        file = _only_file(pin)
        script = (self._instruments.snapshot(pin) / file.path).read_bytes()
        # The snapshot was checked a moment ago; these bytes are about to be run.
        if hashlib.sha256(script).hexdigest() != file.sha256:
            raise WeightsMismatch(f"{file.path} of {pin.name} was changed after it was checked")
        try:
            self._script = torch.jit.load(io.BytesIO(script), map_location="cpu").eval()  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            raise WeightsMismatch(f"{file.path} of {pin.name} is no TorchScript: {error}") from error
        self._pin = pin

    def measure(self, clip: Clip) -> Mapping[str, Reading]:
        return {"mos/utmos": self._mos(clip)}

    def _mos(self, clip: Clip) -> Reading:
        assert self._pin is not None, "load comes first"
        if obstacle := too_long(clip, LONGEST_S):
            return obstacle
        with torch.inference_mode():
            found = self._script(torch.from_numpy(_given(clip.at_16k, _form(self._pin))[None]))
        if not isinstance(found, torch.Tensor) or found.numel() != 1:
            shape = tuple(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
            return Unscored(Reason.SCORER_ERROR, f"{self._pin.name} gave {shape}, not one number")
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


def _only_file(pin: PinLock) -> LockedFile:
    files = list(pin.files)
    if len(files) != 1:
        raise WeightsMismatch(f"{pin.name} has {len(files)} files; it has to be the script alone")
    return files[0]
