"""Metric families that misbehave, in a table of their own: what a host has to live with."""

from __future__ import annotations

import ctypes
import os
import socket
import time
from collections.abc import Mapping
from typing import Any

from services.scorer.metrics.base import MeasuredClip, Reading
from services.scorer.metrics.instruments import Instruments
from shared import metrics
from shared.scores import Direction, MetricInfo, Quantity


class Well:
    """Gives the length of the clip. The others are like it but for one thing."""

    def __init__(self, instruments: Instruments) -> None:
        self._models = instruments.models

    @property
    def info(self) -> MetricInfo:
        return families()[self.__class__.__name__.lower()]

    def lock(self) -> Mapping[str, Any]:
        return {"family": self.info.family}

    def load(self) -> None:
        """Nothing."""

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        return dict.fromkeys(self.info.names, clip.duration_s)


class Crashes(Well):
    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        os.abort()


class CrashesOnLoad(Well):
    def load(self) -> None:
        os.abort()


class Hangs(Well):
    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        time.sleep(600)
        return {}


class LoadsSlowly(Well):
    def load(self) -> None:
        time.sleep(1.5)


class Raises(Well):
    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        raise ArithmeticError("the matrix is singular")


class GivesNan(Well):
    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        return {name: float("nan") for name in self.info.names}


class LacksWeights(Well):
    def load(self) -> None:
        raise FileNotFoundError(f"weights.bin is not in {self._models}")


class CallsOut(Well):
    """As a C library would: Python's own module is not asked."""

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.socket(socket.AF_INET, socket.SOCK_STREAM, 0) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return super().measure(clip)


class Writes(Well):
    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        clip.samples[:] = 0
        return super().measure(clip)


def _facts(metric: type[Well]) -> MetricInfo:
    name = metric.__name__.lower()
    quantity = Quantity(f"broken/{name}", "s", Direction.NEUTRAL)
    code = f"{__name__}:{metric.__name__}"
    return MetricInfo(name, name, (quantity,), "Apache-2.0", "none", code, needs_speech=False, deadline_s=0.5)


_METRICS = (Crashes, CrashesOnLoad, Hangs, LoadsSlowly, Raises, GivesNan, LacksWeights, CallsOut, Writes, Well)


def families() -> Mapping[str, MetricInfo]:
    return {info.family: info for info in (*map(_facts, _METRICS), metrics.COST)}
