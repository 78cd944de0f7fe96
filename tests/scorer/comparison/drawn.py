"""Evaluations drawn at random, with a truth that the tests decide: tables alone, nothing is spoken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from services.scorer.analysis.comparison.evaluated import Evaluated, SpokenClip
from services.scorer.analysis.comparison.quantities import known_quantities
from shared.controls import CANONICAL_EMOTIONS
from shared.scores import Reason, Score, Scored, Unscored
from shared.suites.suite import Item, Suite

CPU = {"os": "Linux", "architecture": "x86_64", "gpu": None, "cuda": None, "precision": "float32"}
LOCK = "0123456789abcdef"

Reading = float | Reason
Measure = Callable[[int, int], Mapping[str, Reading] | None]
"""(number of the item, seed) -> readings by quantity; None is a job that failed."""


def suite(items: int, **changes: Any) -> Suite:
    """Emotions in turn, so that 35 items are five of each."""
    made = tuple(
        Item(f"item-{n:03}", f"Sentence number {n}.", "en", emotion=CANONICAL_EMOTIONS[n % 7], tags=(f"third:{n % 3}",))
        for n in range(items)
    )
    return replace(Suite("drawn", "1.0", "Drawn", "CC0-1.0", made), **changes)


def evaluated(name: str, measure: Measure, items: int = 35, seeds: tuple[int, ...] = (0,), **changes: Any) -> Evaluated:
    """An evaluation ``eval_<name>`` of the pin ``name``."""
    of = changes.pop("suite", suite(items))
    clips = tuple(_clip(n, item, seed, measure(n, seed)) for n, item in enumerate(of.items) for seed in seeds)
    made = Evaluated(
        f"eval_{name}", name, "espeak", "a" * 64, of, seeds, True, {}, "none", clips, {"here": CPU}, "GPL-3.0-or-later"
    )
    return replace(made, **changes)


def _clip(number: int, item: Item, seed: int, readings: Mapping[str, Reading] | None) -> SpokenClip:
    job = f"job_{number}_{seed}"
    if readings is None:
        return SpokenClip(item.id, seed, job, False, {}, error="engine_error: it broke")
    scores = {name: scored(name, reading) for name, reading in readings.items()}
    return SpokenClip(item.id, seed, job, False, scores, "b" * 64, 22050, 2.0, "here")


def scored(name: str, reading: Reading, lock: str = LOCK) -> Scored:
    if isinstance(reading, Reason):
        return Unscored(reading)
    known = known_quantities().get(name)
    return Score(reading, known.unit if known else "", lock)


def honest(draw: int, *, seed_noise: float = 0.0) -> Measure:
    """A pin as it is: every item has its own level, which two pins share, and each clip a little noise of its own."""

    def measure(number: int, seed: int) -> Mapping[str, Reading]:
        level = np.random.default_rng((7, number))
        noise = np.random.default_rng((draw, number, seed))
        mos, words, felt = 3.2 + 0.3 * level.normal(), 0.1 + 0.05 * level.random(), 0.7 + 0.1 * level.normal()
        spread = 0.05 + seed_noise
        return {
            "mos/dnsmos_ovrl": mos + spread * noise.normal(),
            "asr/wer": words + 0.1 * spread * noise.normal(),
            "emotion/correct": float(level.random() < 0.85),
            "emotion/target_probability": felt + 0.2 * spread * noise.normal(),
            "signal/clipping_ratio": 0.0,
            "prosody/f0_median_hz": 180 + 5 * noise.normal(),
            "cost/rtf": 0.05 + 0.002 * noise.random(),
        }

    return measure


def spoiled(measure: Measure, spoil: Callable[[int, dict[str, Reading]], Mapping[str, Reading] | None]) -> Measure:
    """``measure`` with something done to the readings of an item."""

    def changed(number: int, seed: int) -> Mapping[str, Reading] | None:
        readings = measure(number, seed)
        return None if readings is None else spoil(number, dict(readings))

    return changed


def shifted(**by: float) -> Callable[[int, dict[str, Reading]], dict[str, Reading]]:
    """Every clip's reading moved; ``mos__dnsmos_ovrl`` stands for ``mos/dnsmos_ovrl``."""

    def spoil(number: int, readings: dict[str, Reading]) -> dict[str, Reading]:
        for name, amount in by.items():
            reading = readings[name.replace("__", "/")]
            assert isinstance(reading, float)
            readings[name.replace("__", "/")] = reading + amount
        return readings

    return spoil
