"""The family ``distillmos``: predicted MOS by DistillMOS.

Owns which file is read and how. The catalog chooses it: the pin whose engine is ``distillmos``, with the one file of
weights that the package distillmos publishes (examples/catalog.toml). Knows no layers: network.py has them.

A clip is measured at 16 kHz, untrimmed. One that is shorter than 7.68 s is continued with zeros; of a longer one, that
many seconds are measured at a time, at most 1 s apart, and the mean is the value. So the value is the same at any
loudness, except near silence.

The network was trained on calls, denoisers, codecs and some synthetic speech, almost all of it English. It judges how
a signal sounds, not how natural the speaking is; docs/pinned-metrics.md says how far its ranking can be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn

from services.scorer.metrics.base import MeasuredClip, Reading, WeightsMismatch, too_long
from services.scorer.metrics.distillmos.network import DistillMos
from services.scorer.metrics.instruments import Instruments, only_file
from services.scorer.metrics.locks import scorer_lock
from shared import metrics
from shared.weights.lock import PinLock

_UNREADABLE = (EOFError, KeyError, RuntimeError, TypeError, UnpicklingError, ValueError)
"""What torch raises for a file that is no archive of weights, and for weights of another network."""


class DistillMosMetric:
    """The family ``distillmos``."""

    info = metrics.DISTILLMOS

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._pin: PinLock | None = None
        self._network: nn.Module | None = None

    def lock(self) -> Mapping[str, Any]:
        pin = self._pin or self._instruments.pin_for(self.info.family)
        return scorer_lock(self.info.family, revision=1, weights=pin.hashes, packages=("torch", "soxr", "numpy"))

    def load(self) -> None:
        torch.set_num_threads(self._instruments.threads)
        pin = self._instruments.pin_for(self.info.family)
        file = only_file(pin)
        self._network = _network(pin, self._instruments.snapshot(pin) / file.path)
        self._pin = pin

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        return {"mos/distillmos": self._mos(clip)}

    def _mos(self, clip: MeasuredClip) -> Reading:
        assert self._network is not None, "load comes first"
        if obstacle := too_long(clip):
            return obstacle
        with torch.inference_mode():
            return float(self._network(torch.from_numpy(clip.at_16k.copy())))


def _network(pin: PinLock, path: Path) -> DistillMos:
    try:
        return DistillMos(torch.load(path, map_location="cpu", weights_only=True)["model"])
    except _UNREADABLE as error:
        raise WeightsMismatch(f"{path.name} of {pin.name} has no weights of DistillMOS: {error}") from error
