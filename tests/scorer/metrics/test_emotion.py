"""A pinned classifier of emotions: real code, tiny weights, and FunASR's by a fake of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.scorer.metrics.base import MeasuredClip
from services.scorer.metrics.emotion.metric import EmotionMetric
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import Panel
from services.scorer.scoring.metric_host import MetricHost
from shared import metrics
from shared.audio import Audio
from shared.metrics import METRICS
from shared.scores import Reason, Score, Scored, Unscored
from tests.model_stores import ModelStores
from tests.scorer.metrics.clips import KNOWN
from tests.scorer.metrics.funasr_pins import LABELS, SCORES, funasr_files
from tests.scorer.metrics.tiny_emotion import EIGHT, FOUR, classifier_files

KNOWN_CLIP = KNOWN["en_plain"]
SEVEN = [label for label in EIGHT if label != "calm"]
"""A class for each emotion."""
MASSES = [name for name in metrics.EMOTION.names if "/p_" in name]


def clip(audio: Audio = KNOWN_CLIP.audio, emotion: str | None = "happy") -> MeasuredClip:
    return MeasuredClip.of(audio, language="en", emotion=emotion)


def shelved(folder: Path, files: Mapping[str, bytes], python: Path | None = None) -> Instruments:
    """Instruments with one pin of engine emotion."""
    model_stores = ModelStores(folder / "model stores")
    model_stores.put("judge", files, engine="emotion")
    more = {} if python is None else {"funasr_python": python}
    return Instruments(model_stores.store.root, lock_file=model_stores.lock_file, **more)


def measured(instruments: Instruments, given: MeasuredClip) -> dict[str, Scored]:
    return Panel(METRICS, instruments).measure("emotion", given)


def values(scores: Mapping[str, Scored]) -> dict[str, float]:
    return {name: scored.value for name, scored in scores.items() if isinstance(scored, Score)}


def refusal(instruments: Instruments) -> Unscored:
    (why,) = set(measured(instruments, clip()).values())
    assert isinstance(why, Unscored)
    return why


class TestCheckpoint:
    """A classifier that transformers reads."""

    @pytest.mark.parametrize("kind", ["Wav2Vec2", "Hubert", "WavLM"])
    def test_its_probabilities_are_told_and_its_best_class_is_judged(self, kind: str, tmp_path: Path) -> None:
        instruments = shelved(tmp_path, classifier_files(tmp_path / "made", SEVEN, kind))
        heard = values(measured(instruments, clip(emotion=None)))
        assert sum(heard[name] for name in MASSES) == pytest.approx(1)
        best = max(MASSES, key=lambda name: heard[name]).removeprefix("emotion/p_")
        panel = Panel(METRICS, instruments)
        judged = {name: values(panel.measure("emotion", clip(emotion=name))) for name in ("fear", "angry", best)}
        assert {name: scores["emotion/correct"] for name, scores in judged.items()} == {
            name: float(name == best) for name in judged
        }
        assert judged["fear"]["emotion/target_probability"] == heard["emotion/p_fear"]

    def test_they_are_those_of_the_library_itself(self, tmp_path: Path) -> None:
        from transformers import pipeline

        made = classifier_files(tmp_path / "made", FOUR)
        judge = pipeline("audio-classification", model=str(tmp_path / "made"), device="cpu")
        given = clip()
        told = judge({"raw": np.array(given.at_16k), "sampling_rate": 16_000}, top_k=None)
        expected = {f"emotion/p_{name}": 0.0 for name in ("other",)} | {
            f"emotion/p_{ours}": next(one["score"] for one in told if one["label"] == theirs)
            for ours, theirs in zip(("neutral", "happy", "angry", "sad"), FOUR, strict=True)
        }
        heard = values(measured(shelved(tmp_path, made), given))
        assert {name: heard[name] for name in expected} == pytest.approx(expected, abs=1e-5)

    def test_a_long_clip_is_the_mean_of_its_parts(self, tmp_path: Path) -> None:
        instruments = shelved(tmp_path, classifier_files(tmp_path / "made", EIGHT))
        metric = EmotionMetric(instruments)
        metric.load()
        sound = np.tile(clip().at_16k, 10)[: 20 * 16_000]
        whole, *halves = (MeasuredClip(part, 16_000) for part in (sound, *np.array_split(sound, 2)))
        told, first, second = (metric.measure(one) for one in (whole, *halves))
        assert first["emotion/p_sad"] != second["emotion/p_sad"]
        for name in MASSES:
            ends = [reading for reading in (first[name], second[name]) if isinstance(reading, float)]
            assert not ends or told[name] == pytest.approx(np.mean(ends))

    def test_a_clip_that_would_take_for_ever_is_not_heard(self, tmp_path: Path) -> None:
        metric = EmotionMetric(shelved(tmp_path, classifier_files(tmp_path / "made", EIGHT)))
        metric.load()
        readings = metric.measure(MeasuredClip(np.zeros(301 * 16_000, np.float32), 16_000))
        assert {why.reason for why in readings.values() if isinstance(why, Unscored)} == {Reason.TOO_LONG}

    @pytest.mark.parametrize(
        ("made", "detail"),
        [
            ({"sampling_rate": 8_000}, "expects 8000 Hz"),
            ({"problem_type": "regression"}, "the head of judge does not choose between classes"),
            ({"labels": ("LABEL_0", "LABEL_1")}, "no class of judge is an emotion"),
        ],
    )
    def test_what_is_no_classifier_of_emotions_at_16_khz_is_refused(
        self, made: dict[str, Any], detail: str, tmp_path: Path
    ) -> None:
        files = classifier_files(tmp_path / "made", **{"labels": EIGHT, **made})
        why = refusal(shelved(tmp_path, files))
        assert why.reason is Reason.MODEL_NOT_PULLED
        assert detail in why.detail

    def test_another_kind_of_model_is_refused(self, tmp_path: Path) -> None:
        files = dict(classifier_files(tmp_path / "made", EIGHT))
        files["config.json"] = files["config.json"].replace(b"Wav2Vec2ForSequenceClassification", b"Wav2Vec2ForCTC")
        assert "the config.json of judge names Wav2Vec2ForCTC" in refusal(shelved(tmp_path, files)).detail

    def test_weights_that_are_missing_are_not_made_up(self, tmp_path: Path) -> None:
        files = dict(classifier_files(tmp_path / "made", EIGHT))
        files["config.json"] = files["config.json"].replace(b'"num_hidden_layers": 2', b'"num_hidden_layers": 3')
        assert "weights are not in judge" in refusal(shelved(tmp_path, files)).detail

    def test_the_target_reaches_it_through_a_metric_host(self, tmp_path: Path) -> None:
        instruments = shelved(tmp_path, classifier_files(tmp_path / "made", FOUR))
        model_stores = ModelStores(tmp_path / "model stores")
        with MetricHost(models=instruments.models, lock_file=model_stores.lock_file) as host:
            asked: dict[str | None, dict[str, Scored]] = {}
            for emotion in ("angry", "fear", None):
                asked[emotion], _ = host.measure_all(KNOWN_CLIP.audio, emotion=emotion, families=["emotion"])
        assert isinstance(asked["angry"]["emotion/correct"], Score)
        fear, none = asked["fear"]["emotion/correct"], asked[None]["emotion/correct"]
        assert isinstance(fear, Unscored)
        assert isinstance(none, Unscored)
        assert "no class for fear" in fear.detail
        assert "no canonical emotion" in none.detail


class TestEmotion2vec:
    """emotion2vec+, by the fake FunASR."""

    def test_its_nine_classes_are_told_as_they_are(self, tmp_path: Path, python: Path) -> None:
        heard = values(measured(shelved(tmp_path, funasr_files("Emotion2vec", scores=SCORES), python), clip()))
        assert heard["emotion/correct"] == 1.0
        assert heard["emotion/target_probability"] == heard["emotion/p_happy"] == SCORES[LABELS.index("开心/happy")]
        assert heard["emotion/p_other"] == pytest.approx(0.3)

    def test_unknown_is_wrong(self, tmp_path: Path, python: Path) -> None:
        scores = (*(0.05,) * 8, 0.6)
        heard = values(measured(shelved(tmp_path, funasr_files("Emotion2vec", scores=scores), python), clip()))
        assert (heard["emotion/correct"], heard["emotion/p_other"]) == (0.0, pytest.approx(0.65))

    @pytest.mark.parametrize("scores", [(), (0.5, 0.5), (0.2,) * 9], ids=["none", "too few", "no probabilities"])
    def test_an_answer_that_is_none_is_no_score(self, scores: tuple[float, ...], tmp_path: Path, python: Path) -> None:
        why = refusal(shelved(tmp_path, funasr_files("Emotion2vec", scores=scores), python))
        assert why.reason is Reason.SCORER_ERROR
        assert "9 labels with" in why.detail

    def test_its_lock_names_its_files_and_the_packages_that_run_it(self, tmp_path: Path, python: Path) -> None:
        lock = EmotionMetric(shelved(tmp_path, funasr_files("Emotion2vec", scores=SCORES), python)).lock()
        assert set(lock["weights"]) == {"config.yaml", "configuration.json", "model.pt", "tokens.txt"}
        assert set(lock["funasr"]) == {"funasr", "torch", "torchaudio", "numpy"}
        assert lock["funasr"]["funasr"] == "1.0"
