"""Two evaluations as they come out of a session of work: most of a candidate is better, some of it is lost.

Scores are drawn from fixed seeds; clips are short glides of a buzzing tone, so that there is a pitch to draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from services.scorer.analysis.comparison.compute import compare
from services.scorer.analysis.comparison.evaluated import Evaluated, SpokenClip
from services.scorer.analysis.comparison.floors import measured_floors
from services.scorer.analysis.comparison.gating import decide
from services.scorer.analysis.comparison.result import ComparisonResult, GateResult
from shared.audio import Audio
from shared.controls import CANONICAL_EMOTIONS
from shared.gating.toml_notation import default_rules
from shared.scores import Reason, Score, Scored, Unscored
from shared.suites.reading import golden_suite
from shared.suites.suite import Item, Suite

RATE = 22_050
LOCKS = {"mos": "3f" * 32, "emotion": "a7" * 32, "asr": "5c" * 32, "signal": "09" * 32, "prosody": "d1" * 32}
ENVIRONMENT = {"os": "Linux", "architecture": "x86_64", "gpu": None, "precision": "float32", "python": "3.11.9"}


@dataclass
class Sounds:
    """Clips by the hash of their PCM, made when they are first asked for; counts what it is asked."""

    pitches: dict[str, tuple[float, float]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, sha256: str, rate: int) -> Audio | None:
        self.asked.append(sha256)
        if sha256 not in self.pitches:
            return None
        hz, seconds = self.pitches[sha256]
        return glide(hz, seconds, rate)


def glide(hz: float, seconds: float, rate: int = RATE) -> Audio:
    """A buzz around ``hz`` that rises, falls and stops for a while, as a sentence does."""
    time = np.arange(round(seconds * rate)) / rate
    pitch = hz * 2 ** (0.25 * np.sin(2 * np.pi * time / seconds) - 0.2 * time / seconds)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    buzz = sum(np.sin(k * phase) / k for k in range(1, 12))
    level = np.where(np.abs(time / seconds - 0.55) < 0.05, 0, np.sin(np.pi * time / seconds) ** 0.3)
    return Audio((buzz * level * 5_000).astype("<i2").tobytes(), rate)


@dataclass(frozen=True)
class Sample:
    """All that a report is made of."""

    comparison: ComparisonResult
    baseline: Evaluated
    candidate: Evaluated
    sounds: Sounds
    gate: GateResult


def sample(suite: Suite | None = None, seeds: int = 2, pins: tuple[str, str] = ("pin-v21", "pin-v23")) -> Sample:
    """``suite``: the Chinese golden suite unless another is given."""
    suite = suite or golden_suite("golden-zh-emotion")
    sounds = Sounds()
    baseline = evaluation("eval_baseline", pins[0], suite, seeds, sounds, gain=0.0)
    candidate = evaluation("eval_candidate", pins[1], suite, seeds, sounds, gain=0.3)
    comparison = compare("cmp_sample", baseline, candidate, measured_floors(baseline))
    gate = decide("gate_sample", comparison, baseline, candidate, default_rules())
    return Sample(comparison, baseline, candidate, sounds, gate)


def evaluation(name: str, pin: str, suite: Suite, seeds: int, sounds: Sounds, gain: float) -> Evaluated:
    """``gain``: of the MOS; other metrics follow it. With one, the fifth item is silent and the twelfth fails."""
    lost = bool(gain)
    clips = [
        clip(name, number, item, seed, gain, sounds, lost)
        for number, item in enumerate(suite.items)
        for seed in range(seeds)
    ]
    return Evaluated(
        id=name,
        pin=pin,
        engine="espeak",
        lock_sha256=("4b" if gain else "e0") * 32,
        suite=suite,
        seeds=tuple(range(seeds)),
        score=True,
        params={"speed": 1.0},
        preprocessing="none",
        clips=tuple(clips),
        environments={"0123456789abcdef": ENVIRONMENT},
        licence="GPL-3.0-or-later" if gain else "CC-BY-NC-4.0",
        run_id="5d3c" * 8,
        run_url=f"http://127.0.0.1:5000/#/experiments/7/runs/{name}",
        controls={"emotion": "native" if gain else "post", "seed": "native"},
    )


def clip(name: str, number: int, item: Item, seed: int, gain: float, sounds: Sounds, lost: bool) -> SpokenClip:
    job = f"job_{name}_{number:02}_{seed}"
    if lost and number == 11:
        return SpokenClip(item.id, seed, job, False, {}, error="engine_crashed: the engine host ended with signal 11")
    draw = np.random.default_rng([number, seed, int(gain * 100)])
    sha256 = f"{number:02x}{seed:02x}{int(gain * 100):02x}".ljust(64, "0")
    seconds = 1.2 + len(item.text) * 0.06 + gain * 0.3
    sounds.pitches[sha256] = (140 + 12 * (number % 7) + 60 * gain, seconds)
    return SpokenClip(
        item.id,
        seed,
        job,
        cached=seed == 0,
        scores=scores(item, draw, number, gain, silent=lost and number == 4),
        pcm_sha256=sha256,
        sample_rate=RATE,
        duration_s=seconds,
        environment="0123456789abcdef",
    )


def scores(item: Item, draw: np.random.Generator, number: int, gain: float, silent: bool) -> Mapping[str, Scored]:
    ability = float(np.random.default_rng(number).normal(0, 0.3))
    mos = float(np.clip(3.5 + ability + gain + draw.normal(0, 0.12), 1, 5))
    measured = {
        "mos/nisqa_tts": (mos, "MOS", "mos"),
        "mos/dnsmos_ovrl": (mos - 0.6 + float(draw.normal(0, 0.1)) - 0.9 * gain, "MOS", "mos"),
        "asr/cer_whisper": (max(0.0, 0.06 + 0.3 * gain * (number % 5 == 0) + float(draw.normal(0, 0.02))), "1", "asr"),
        "signal/loudness_lufs": (-23 + float(draw.normal(0, 0.8)), "LUFS", "signal"),
        "signal/clipping_ratio": (0.0, "1", "signal"),
        "prosody/f0_median_hz": (140 + 12 * (number % 7) + 60 * gain + float(draw.normal(0, 3)), "Hz", "prosody"),
        "prosody/rate_per_s": (4.8 + float(draw.normal(0, 0.2)), "syllables/s", "prosody"),
        "cost/rtf": (0.08 + 0.05 * gain + float(draw.normal(0, 0.004)), "1", "signal"),
    }
    found: dict[str, Scored] = {name: Score(value, unit, LOCKS[lock]) for name, (value, unit, lock) in measured.items()}
    found |= feelings(item, draw, gain)
    if silent:
        found = dict.fromkeys(found, Unscored(Reason.NO_SPEECH))
    return found | {"asr/wer": Unscored(Reason.LANGUAGE_NOT_COVERED)}


def feelings(item: Item, draw: np.random.Generator, gain: float) -> Mapping[str, Scored]:
    """Of a classifier that does not know disgust."""
    classes = [name for name in (*CANONICAL_EMOTIONS, "other") if name != "disgust"]
    weights = draw.dirichlet([0.6] * len(classes))
    target = item.emotion if item.emotion in classes else None
    wanted = 0.35 + gain
    shares = {
        name: float(w * (1 - wanted)) + (wanted if name == target else 0)
        for name, w in zip(classes, weights, strict=True)
    }
    lock = LOCKS["emotion"]
    found: dict[str, Scored] = {f"emotion/p_{name}": Score(share, "1", lock) for name, share in shares.items()}
    found["emotion/p_disgust"] = Unscored(Reason.CLASS_NOT_COVERED)
    if target is None:
        return found | dict.fromkeys(
            ("emotion/correct", "emotion/target_probability"), Unscored(Reason.CLASS_NOT_COVERED)
        )
    heard = max(shares, key=lambda name: shares[name])
    found["emotion/correct"] = Score(float(heard == target), "1", lock)
    return found | {"emotion/target_probability": Score(shares[target], "1", lock)}


HOSTILE = '</script><img src=x onerror="window.pwned=1">{{7*7}}$x^2$'


def hostile() -> Sample:
    """A suite whose every word wants to be markup."""
    items = tuple(
        Item(f"{HOSTILE}-{n}", f"{HOSTILE} {n}", "en", emotion="happy" if n % 2 else HOSTILE, tags=(HOSTILE,))
        for n in range(11)
    )
    made = sample(Suite(HOSTILE, HOSTILE, HOSTILE, HOSTILE, items), seeds=1, pins=(HOSTILE, f"{HOSTILE}2"))
    clips = tuple(replace(clip, error=clip.error and HOSTILE, job_id=HOSTILE) for clip in made.candidate.clips)
    candidate = replace(made.candidate, clips=clips, licence=HOSTILE, environments={HOSTILE: {HOSTILE: HOSTILE}})
    return replace(made, candidate=candidate, comparison=replace(made.comparison, headline=HOSTILE))
