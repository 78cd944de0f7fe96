"""Clips that are apart by a known amount, and certificates of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from services.worker.certify.certificate import Certificate, CertificateEntry
from services.worker.certify.tiers import Print
from shared.audio import Audio

RATE = 22_050
Samples = npt.NDArray[np.int64]


def vowels(seconds: float = 1.5, pitch_hz: float = 120.0, seed: int = 0) -> Samples:
    """A voice of sorts: harmonics whose envelope moves, at a third of full scale."""
    at = np.arange(round(seconds * RATE)) / RATE
    source = np.random.default_rng(seed)
    wave = np.zeros(len(at))
    for number in range(1, 40):
        wave += np.sin(2 * np.pi * (number * pitch_hz * at + source.uniform())) / number
    envelope = 0.6 + 0.4 * np.sin(2 * np.pi * source.uniform(2, 4) * at)
    return np.rint(wave * envelope / np.abs(wave).max() * 10_000).astype(np.int64)


def audio(samples: Samples) -> Audio:
    return Audio(samples.astype("<i2").tobytes(), RATE)


def clip(samples: Samples) -> Print:
    """With its samples."""
    return Print.of(audio(samples))


def unheard(of: Print) -> Print:
    """As a certificate without audio has it."""
    return replace(of, pcm=None)


def certificate(*clips: Print, where: str = "here", **changes: Any) -> Certificate:
    """Of a pin whose items are ``clips``."""
    entries = tuple(
        CertificateEntry(f"item-{at}", {"text": f"Text {at}.", "seed": 0}, {"text": f"Text {at}."}, one, {"rtf": 0.5})
        for at, one in enumerate(clips)
    )
    manifest = {"pin": "voice-v1", "lock_sha256": "0" * 64, "engine": "voice", "languages": ["en"], "controls": {}}
    made = Certificate("2025-01-31T12:00:00Z", where, manifest, {"os": "Linux"}, {"name": "ours"}, 0, entries, {}, {})
    return replace(made, **changes)
