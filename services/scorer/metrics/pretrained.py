"""A checkpoint of transformers as a pin holds it: read from its folder alone, every weight from its files.

Owns how each part is read (no network, no code that came with it, float32 on the CPU) and what is refused, by the
pin's name: what is missing or cannot be read, another kind of model, an ear for another rate than 16 kHz, and a weight
that the library would make up. Knows no metric.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoConfig

from services.scorer.metrics import speech
from services.scorer.metrics.base import WeightsMismatch
from shared.weights.lock import PinLock

_UNREADABLE = (OSError, EOFError, ValueError, LookupError, TypeError, RuntimeError, SafetensorError, UnpicklingError)
"""What the libraries raise of files that are missing or are not what they should be. A package that is missing
(ImportError) and memory that is (MemoryError) are not the pin's fault."""


@contextmanager
def reading(pin: PinLock) -> Iterator[None]:
    """`WeightsMismatch` with the pin's name for what a library raises while it reads the pin's files."""
    try:
        yield
    except _UNREADABLE as error:
        raise WeightsMismatch(f"{pin.name} cannot be read: {type(error).__name__}: {error}") from error


class Pretrained:
    """The checkpoint of ``pin`` in ``folder``. Every method raises `WeightsMismatch` where it is not whole."""

    def __init__(self, pin: PinLock, folder: Path) -> None:
        self._pin = pin
        self._folder = folder

    def part(self, made_by: Any, **how: Any) -> Any:
        """One part of it, read by the library's class ``made_by``."""
        with reading(self._pin):
            return made_by.from_pretrained(str(self._folder), local_files_only=True, **how)

    def config(self, model_type: str | None = None) -> Any:
        """Its config.json. ``model_type``: what it has to be, where there is no choice."""
        config = self.part(AutoConfig, trust_remote_code=False)
        if model_type not in (None, config.model_type):
            raise WeightsMismatch(f"{self._pin.name} is a model of type {config.model_type}, not {model_type}")
        return config

    def ear(self, made_by: Any) -> Any:
        """What brings samples at 16 kHz into the model's form."""
        ear = self.part(made_by)
        if ear.sampling_rate != speech.RATE:
            raise WeightsMismatch(f"{self._pin.name} listens at {ear.sampling_rate} Hz, not at {speech.RATE}")
        return ear

    def model(self, made_by: Any, unused: tuple[str, ...] = ()) -> Any:
        """The model, for inference. ``unused``: parts of the names of weights that may be missing, because what is
        asked of the model does not come from them."""
        model, report = self.part(
            made_by,
            use_safetensors=any(self._folder.glob("*.safetensors")),
            weights_only=True,
            trust_remote_code=False,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,  # they are told like those that are missing
            output_loading_info=True,
        )
        # What is not there the library makes up, and random weights give plausible answers.
        made_up = {*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])}
        if needed := {key for key in made_up if not any(name in key for name in unused)}:
            raise WeightsMismatch(f"{len(needed)} weights are not in {self._pin.name}; the first is {min(needed)}")
        return model.eval()
