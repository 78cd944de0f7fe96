"""A stage for planted truths: a suite is spoken by the tests' stochastic engine and measured by the real metrics.

Owns how an `Evaluated` comes about without a deployment, and a classifier of emotions that is fitted to the engine's
own prosody: it hears what was said, so that a swapped emotion is heard as one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from services.scorer.analysis.comparison.evaluated import Evaluated, SpokenClip
from services.scorer.metrics.emotion.classes import EmotionScores
from services.scorer.scoring.metric_host import MetricHost
from services.worker.engine_host import EngineHost, never_mind
from services.worker.engines.base import SpeakRequest
from shared import metrics
from shared.audio import Audio
from shared.controls import Emotion
from shared.scores import Reason, Score, Scored, Unscored
from shared.suites.suite import Item, Suite

HEARD_BY = "fitted to prosody"
_FEATURES = ("prosody/f0_median_hz", "prosody/f0_range_st", "prosody/energy_db", "prosody/rate_per_s")
LOAD_S = SPEAK_S = 60.0

PinOf = Callable[[Item], str]


@dataclass
class Stage:
    """Hosts of ``wobble`` pins, and one that measures. For one thread."""

    suite: Suite
    wobble_path: Path
    metrics: MetricHost

    def __post_init__(self) -> None:
        self._hosts: dict[str, EngineHost] = {}

    def speak(self, pin: str, item: Item, seed: int) -> Audio:
        """One item by one pin."""
        felt = Emotion(name=item.emotion, strength=1.0 if item.strength is None else item.strength)
        request = SpeakRequest(item.text, item.language, emotion=felt if item.emotion else None, seed=seed)
        host = self._host(pin)
        return host.speak(request, sample_rate=None, deadline_s=SPEAK_S, tick=never_mind)

    def evaluated(
        self, name: str, pin_of: PinOf, families: Sequence[str], *, seeds: Sequence[int] = (0,), ear: Ear | None = None
    ) -> Evaluated:
        """The suite as ``pin_of`` says by which pin each item is spoken, measured by ``families``."""
        clips = [self._clip(item, seed, pin_of(item), families, ear) for item in self.suite.items for seed in seeds]
        return Evaluated(
            id=f"eval-{name}",
            pin=name,
            engine="wobble",
            lock_sha256=name,
            suite=self.suite,
            seeds=tuple(seeds),
            score=tuple(families),
            params={},
            preprocessing="none",
            clips=tuple(clips),
        )

    def prosody(self, item: Item, seed: int) -> list[float]:
        """What the ear listens to, of the sound pin."""
        features = _features(self._measured(self.speak("wobble", item, seed), item, ["prosody"]))
        assert features is not None
        return features

    def close(self) -> None:
        for host in self._hosts.values():
            host.close()
        self.metrics.close()

    def _clip(self, item: Item, seed: int, pin: str, families: Sequence[str], ear: Ear | None) -> SpokenClip:
        audio = self.speak(pin, item, seed)
        scores = self._measured(audio, item, families)
        if ear is not None and item.emotion is not None:
            scores |= ear.scores(_features(scores), item.emotion)
        return SpokenClip(item.id, seed, f"{pin}-{item.id}-{seed}", False, scores, audio.sha256, audio.sample_rate)

    def _measured(self, audio: Audio, item: Item, families: Sequence[str]) -> dict[str, Scored]:
        known = {"text": item.text, "language": item.language, "emotion": item.emotion}
        return self.metrics.measure_all(audio, **known, families=tuple(families))[0]

    def _host(self, pin: str) -> EngineHost:
        if pin not in self._hosts:
            host = EngineHost(pin, env={**os.environ, "PYTHONPATH": str(self.wobble_path)})
            host.load(never_mind, LOAD_S)
            self._hosts[pin] = host
        return self._hosts[pin]


@dataclass(frozen=True)
class Ear:
    """Tells emotions apart by pitch, range, energy and rate."""

    fitted: Pipeline

    @classmethod
    def of(cls, stage: Stage, seeds: Sequence[int]) -> Ear:
        """Fitted to what the sound pin says with ``seeds``, none of which may be judged later."""
        felt = [item for item in stage.suite.items if item.emotion]
        features = [stage.prosody(item, seed) for item in felt for seed in seeds]
        emotions = [item.emotion for item in felt for _ in seeds]
        return cls(make_pipeline(StandardScaler(), LinearDiscriminantAnalysis()).fit(features, emotions))

    def scores(self, features: Sequence[float] | None, target: str) -> dict[str, Scored]:
        """The quantities of the family ``emotion``; ``features``: None where nothing was heard."""
        if features is None:
            return dict.fromkeys(metrics.EMOTION.names, Unscored(Reason.NO_SPEECH))
        heard = EmotionScores(list(self.fitted.classes_), self.fitted.predict_proba([features])[0].tolist())
        readings = heard.readings(target)
        return {name: one if isinstance(one, Unscored) else Score(one, "1", HEARD_BY) for name, one in readings.items()}


def only_first(evaluated: Evaluated, items: int) -> Evaluated:
    """The same evaluation of a suite that has no more than these items."""
    suite = replace(evaluated.suite, items=evaluated.suite.items[:items])
    kept = {item.id for item in suite.items}
    return replace(evaluated, suite=suite, clips=tuple(clip for clip in evaluated.clips if clip.item in kept))


def _features(scores: Mapping[str, Scored]) -> list[float] | None:
    """Nothing where nothing was heard."""
    found = [scores[name] for name in _FEATURES]
    if not all(isinstance(one, Score) for one in found):
        return None
    median, *others = (one.value for one in found if isinstance(one, Score))
    return [float(np.log(median)), *others]
