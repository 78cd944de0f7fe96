"""Reads a transformers checkpoint from a pin's folder alone, every weight from its files.

Owns how each part is read (no network, no code that came with it, float32 on the CPU) and what is refused, with the
pin's name in the message: missing or unreadable files, another kind of model, a feature extractor for another rate
than 16 kHz, and weights that the library would initialise at random. Knows no metric.
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
"""What the libraries raise for files that are missing or invalid.

A missing package (ImportError) and missing memory (MemoryError) are not the pin's fault, so they are not here.
"""


@contextmanager
def reading(pin: PinLock) -> Iterator[None]:
    """Turn errors that a library raises while it reads the pin's files into `WeightsMismatch` with the pin's name."""
    try:
        yield
    except _UNREADABLE as error:
        raise WeightsMismatch(f"{pin.name} cannot be read: {type(error).__name__}: {error}") from error


class Pretrained:
    """The checkpoint of ``pin`` in ``folder``. Every method raises `WeightsMismatch` if it is incomplete."""

    def __init__(self, pin: PinLock, folder: Path) -> None:
        self._pin = pin
        self._folder = folder

    def part(self, made_by: Any, **how: Any) -> Any:
        """Return one part of the checkpoint, read by the library's class ``made_by``."""
        with reading(self._pin):
            return made_by.from_pretrained(str(self._folder), local_files_only=True, **how)

    def config(self, model_type: str | None = None) -> Any:
        """Return its config.json. ``model_type``: the type that it must have, if only one is possible."""
        config = self.part(AutoConfig, trust_remote_code=False)
        if model_type not in (None, config.model_type):
            raise WeightsMismatch(f"{self._pin.name} is a model of type {config.model_type}, not {model_type}")
        return config

    def ear(self, made_by: Any) -> Any:
        """Return the feature extractor, which brings samples at 16 kHz into the model's form."""
        ear = self.part(made_by)
        if ear.sampling_rate != speech.RATE:
            raise WeightsMismatch(f"{self._pin.name} expects {ear.sampling_rate} Hz, not {speech.RATE} Hz")
        return ear

    def model(self, made_by: Any, unused: tuple[str, ...] = ()) -> Any:
        """Return the model, ready for inference.

        ``unused``: parts of the names of weights that may be missing, because the values that are used do not depend on
        them.
        """
        model, report = self.part(
            made_by,
            use_safetensors=any(self._folder.glob("*.safetensors")),
            weights_only=True,
            trust_remote_code=False,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,  # they are reported below, like the missing ones
            output_loading_info=True,
        )
        # The library initialises missing weights at random, and a random model gives plausible answers.
        made_up = {*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])}
        if needed := {key for key in made_up if not any(name in key for name in unused)}:
            raise WeightsMismatch(f"{len(needed)} weights are not in {self._pin.name}; the first is {min(needed)}")
        return model.eval()
