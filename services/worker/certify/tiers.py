"""How far apart two clips of one text are: by their samples if there are any, otherwise by hashes and fingerprints.

Owns the four tiers and the limits of the third, which were calibrated on planted pairs (benchmarks/evidence/log_mel.py,
docs/certificates.md). Knows no pin.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from services.worker.certify.fingerprint import HOP_S, Fingerprint, Levels, fingerprint
from shared.audio import BYTES_PER_SAMPLE, Audio


class Tier(IntEnum):
    """How equal two clips are. The number is the contract."""

    EQUAL = 0  # every sample
    TOLERABLE = 1  # as many samples, none off by more than `MOST_LSB`
    SAME_SOUND = 2  # within `MOST_DB` and `most_shift_s`
    DIFFERENT = 3


MOST_LSB = 2
MOST_DB = 2.5
"""The most log-mel distance of tier 2 (`distance_db`)."""
MOST_SHIFT, LEAST_SHIFT_S = 0.02, 0.06
"""Durations may differ by `MOST_SHIFT` of the longer one, and by `LEAST_SHIFT_S` seconds (a frame or two of a model) in
any case."""
RANGE_DB = 50.0
"""Levels this far below the loudest cell of the two clips are not audible beside it."""
STRETCH_S = 0.5
"""Seconds. The distance is that of the stretch with the largest difference, so that one wrong word is not averaged
away."""
LAG_S = 0.04
"""Seconds that a stretch may be earlier or later in one clip than in the other."""


@dataclass(frozen=True, slots=True)
class TierDifference:
    """The difference of one clip from another."""

    tier: Tier
    log_mel_db: float
    """See `distance_db`."""
    shift_s: float
    """Seconds of the second clip minus those of the first."""
    heard: bool = True
    """True if the samples of both were there. Without them, tier 1 cannot be told from tier 2, and the members below
    are unknown."""
    first_sample: int | None = None
    """Index of the first sample that differs. If one clip is the beginning of the other, its length."""
    max_lsb: int | None = None
    """The largest difference of two samples, over the common length."""
    snr_db: float | None = None
    """Power of the first clip over that of the difference, over the common length. None if nothing differs there."""

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None} | {"tier": int(self.tier)}


@dataclass(frozen=True, slots=True)
class Print:
    """A clip as a certificate knows it. ``pcm``: its samples, if they were kept."""

    pcm_sha256: str
    sample_rate: int
    """Hz."""
    samples: int
    sound: Fingerprint
    pcm: bytes | None = None

    @classmethod
    def of(cls, audio: Audio) -> Print:
        """Return the print of a clip, with its samples."""
        samples = len(audio.pcm) // BYTES_PER_SAMPLE
        return cls(audio.sha256, audio.sample_rate, samples, fingerprint(audio), audio.pcm)

    @property
    def duration_s(self) -> float:
        return self.samples / self.sample_rate


def difference(one: Print, other: Print) -> TierDifference:
    """Return the difference of ``other`` from ``one``."""
    shift_s = other.duration_s - one.duration_s
    heard = one.pcm is not None and other.pcm is not None
    if one.pcm_sha256 == other.pcm_sha256 and one.sample_rate == other.sample_rate:
        return TierDifference(Tier.EQUAL, 0.0, shift_s, heard)
    distance = round(distance_db(one.sound, other.sound), 2)
    near = distance <= MOST_DB and abs(shift_s) <= most_shift_s(one.duration_s, other.duration_s)
    tier = Tier.SAME_SOUND if near else Tier.DIFFERENT
    if one.pcm is None or other.pcm is None or one.sample_rate != other.sample_rate:
        return TierDifference(tier, distance, shift_s, heard)
    first, off, snr_db = _by_sample(one.pcm, other.pcm)
    if off <= MOST_LSB and one.samples == other.samples:
        tier = Tier.TOLERABLE
    return TierDifference(tier, distance, shift_s, True, first, off, snr_db)


def most_shift_s(*durations_s: float) -> float:
    """Return by how many seconds durations may differ in tier 2."""
    return max(LEAST_SHIFT_S, MOST_SHIFT * max(durations_s))


def distance_db(one: Fingerprint, other: Fingerprint) -> float:
    """Return the mean difference of level, in dB over bands and frames, of the half second in which it is greatest.

    Levels more than 50 dB below the loudest of both clips count as 50 dB below. Every half second is compared with the
    one of the other clip that fits best among those up to 40 ms earlier or later. The shorter clip is continued with
    silence.
    """
    floor = max(one.levels.max(), other.levels.max()) - RANGE_DB
    frames, most = max(len(one.cells), len(other.cells)), round(LAG_S / HOP_S)
    left, right = (_going_on(np.maximum(levels, floor), frames, floor) for levels in (one.levels, other.levels))
    width = min(frames, round(STRETCH_S / HOP_S))
    lagged = (_stretches(left, right, lag, width) for lag in range(-most, most + 1))
    return float(np.min([*lagged], axis=0).max())


def _going_on(levels: Levels, frames: int, silence: float) -> Levels:
    return np.pad(levels, ((0, frames - len(levels)), (0, 0)), constant_values=silence)


def _stretches(left: Levels, right: Levels, lag: int, width: int) -> npt.NDArray[np.float64]:
    """Return the mean difference of each stretch of ``width`` frames, by its first frame, with ``right`` shifted by
    ``lag`` frames. Infinite if fewer than half of the stretch has a counterpart. Both must be equally long."""
    frames = len(left)
    begin = max(0, -lag)
    end = max(begin, min(frames, frames - lag))
    apart, there = np.zeros(frames), np.zeros(frames)
    apart[begin:end] = np.abs(left[begin:end] - right[begin + lag : end + lag]).mean(axis=1)
    there[begin:end] = 1
    window = np.ones(width)
    counted = np.convolve(there, window, "valid")
    sums = np.convolve(apart, window, "valid")
    filled = np.full(len(sums), np.inf)
    np.divide(sums, counted, out=filled, where=2 * counted >= width)
    return filled


def _by_sample(one: bytes, other: bytes) -> tuple[int, int, float | None]:
    """Return the index of the first sample that differs, the largest difference in LSB, and the SNR in dB."""
    left, right = _samples(one), _samples(other)
    common = min(len(left), len(right))
    off = np.abs(right[:common] - left[:common])
    if not off.any():
        return common, 0, None
    noise, signal = float((off.astype(np.float64) ** 2).sum()), float((left[:common].astype(np.float64) ** 2).sum())
    snr_db = 10 * np.log10(signal / noise) if signal else -np.inf
    return int(np.argmax(off > 0)), int(off.max()), round(float(max(snr_db, -999.0)), 2)


def _samples(pcm: bytes) -> npt.NDArray[np.int32]:
    return np.frombuffer(pcm, "<i2").astype(np.int32)
