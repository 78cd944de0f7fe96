"""From what classifiers call an emotion to the seven, and what is right, wrong or not to be told."""

from __future__ import annotations

import pytest

from services.scorer.metrics.emotion.classes import EmotionScores, canonical
from shared import metrics
from shared.controls import CANONICAL_EMOTIONS
from shared.scores import Reason, Unscored
from tests.scorer.metrics.funasr_pins import LABELS, SCORES
from tests.scorer.metrics.tiny_emotion import EIGHT, FOUR

EMOTION2VEC = EmotionScores(LABELS, SCORES)

NAMES = {
    "neutral": ("neutral", "中立/neutral", "NEUTRAL", "neu", "中性", "calm"),
    "happy": ("happy", "开心/happy", "HAPPY", "hap", "高兴", "happiness", "joy"),
    "angry": ("angry", "生气/angry", "ANGRY", "ang", "愤怒", "anger"),
    "sad": ("sad", "难过/sad", "SAD", "悲伤", "sadness"),
    "fear": ("fear", "恐惧/fearful", "FEARFUL", "恐惧", "afraid", "scared"),
    "disgust": ("disgust", "厌恶/disgusted", "DISGUSTED", "厌恶", "hate"),
    "surprise": ("surprise", "吃惊/surprised", "SURPRISED", "惊讶", "吃惊"),
}
"""By emotion: ours, that of emotion2vec+, of SenseVoice, of SUPERB's classifiers, in Chinese, and other words."""


@pytest.mark.parametrize(("emotion", "label"), [(emotion, label) for emotion in NAMES for label in NAMES[emotion]])
def test_a_label_stands_for_its_emotion(emotion: str, label: str) -> None:
    assert canonical(label) == emotion


@pytest.mark.parametrize("label", ["其他/other", "other", "<unk>", "unknown", "EMO_UNKNOWN", "LABEL_0", "arousal", ""])
def test_a_label_that_is_none_of_the_seven_stands_for_none(label: str) -> None:
    assert canonical(label) is None


def test_every_name_of_the_family_has_a_reading() -> None:
    assert set(EMOTION2VEC.readings("happy")) == set(metrics.EMOTION.names)


def test_the_most_probable_class_is_right_where_it_is_the_target_and_wrong_elsewhere() -> None:
    correct = {emotion: EMOTION2VEC.readings(emotion)["emotion/correct"] for emotion in CANONICAL_EMOTIONS}
    assert correct == {emotion: float(emotion == "happy") for emotion in CANONICAL_EMOTIONS}


def test_what_is_none_of_the_seven_keeps_its_share() -> None:
    readings = EMOTION2VEC.readings("angry")
    assert readings["emotion/p_other"] == pytest.approx(0.30)  # other and <unk>
    assert readings["emotion/target_probability"] == readings["emotion/p_angry"] == 0.05
    masses = [readings[name] for name in metrics.EMOTION.names if "/p_" in name]
    assert sum(mass for mass in masses if isinstance(mass, float)) == pytest.approx(1)


@pytest.mark.parametrize("likeliest", ["other", "<unk>"])
def test_other_and_unknown_are_wrong_whatever_was_asked_for(likeliest: str) -> None:
    heard = EmotionScores((likeliest, "happy"), (0.6, 0.4))
    assert heard.readings("happy")["emotion/correct"] == 0.0
    assert heard.readings("happy")["emotion/target_probability"] == 0.4


def test_two_classes_of_one_emotion_count_together() -> None:
    heard = EmotionScores(("neutral", "calm", "sad"), (0.3, 0.3, 0.4))
    assert heard.readings("neutral")["emotion/target_probability"] == pytest.approx(0.6)
    assert heard.readings("neutral")["emotion/correct"] == 1.0
    assert heard.readings("sad")["emotion/correct"] == 0.0


def test_classes_that_are_no_emotion_do_not_win_together() -> None:
    heard = EmotionScores(("other", "<unk>", "happy", "sad"), (0.3, 0.3, 0.35, 0.05))
    assert heard.readings("happy")["emotion/correct"] == 1.0
    assert heard.readings("happy")["emotion/p_other"] == pytest.approx(0.6)


@pytest.mark.parametrize(
    "probabilities", [(0.5, float("nan")), (0.5, 0.3), (1.0,), ()], ids=["no number", "below 1", "too few", "none"]
)
def test_what_are_no_probabilities_is_no_score(probabilities: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="2 labels with"):
        EmotionScores(("sad", "happy"), probabilities)


def test_either_class_of_an_emotion_is_right() -> None:
    assert EmotionScores(EIGHT, (0.1, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1)).readings("neutral")["emotion/correct"] == 1.0


def test_of_equally_probable_classes_the_first_is_taken() -> None:
    heard = EmotionScores(("sad", "happy"), (0.5, 0.5))
    assert heard.readings("sad")["emotion/correct"] == 1.0
    assert heard.readings("happy")["emotion/correct"] == 0.0


def test_an_emotion_that_the_classifier_has_not_learned_is_not_wrong_but_unscored() -> None:
    readings = EmotionScores(FOUR, (0.1, 0.2, 0.3, 0.4)).readings("fear")
    unscored = {name: reading for name, reading in readings.items() if isinstance(reading, Unscored)}
    assert set(unscored) == {
        *("emotion/correct", "emotion/target_probability"),
        *("emotion/p_fear", "emotion/p_disgust", "emotion/p_surprise"),
    }
    assert {why.reason for why in unscored.values()} == {Reason.CLASS_NOT_COVERED}
    assert readings["emotion/p_other"] == 0.0


@pytest.mark.parametrize("target", [None, "indextts2:calm", "joy"])
def test_without_a_canonical_target_nothing_is_judged_and_what_was_heard_is_told(target: str | None) -> None:
    readings = EMOTION2VEC.readings(target)
    why = readings["emotion/correct"]
    assert isinstance(why, Unscored)
    assert (why.reason, why) == (Reason.CLASS_NOT_COVERED, readings["emotion/target_probability"])
    assert "no canonical emotion was requested" in why.detail
    assert readings["emotion/p_happy"] == 0.4


def test_rounding_never_makes_more_than_a_certainty() -> None:
    parts = (0.7, 0.1, 0.1, 0.1)  # add up to 0.9999999999999999 or to a little above 1, as they come
    readings = EmotionScores(("hap", "joy", "happy", "happiness"), (*parts[:3], 0.1000000001)).readings("happy")
    assert readings["emotion/p_happy"] == 1.0
