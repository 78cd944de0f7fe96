"""What the charts of a report show is what the scores say."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from services.scorer.analysis.comparison.result import Estimate, Floor, MetricRow
from services.scorer.metrics import prosody
from services.scorer.report import contours
from services.scorer.report.chart import ROLES
from services.scorer.report.confusion import CLASSES, confusion
from services.scorer.report.contours import ContourFrame, Overlay, PitchFinder
from services.scorer.report.document import Report
from services.scorer.report.forest import forest
from shared.audio import Audio, silence
from shared.scores import Score
from tests.scorer.report.sample import RATE, Sample, glide

WER = MetricRow(
    metric="asr/wer", unit="1", direction="lower", scope="overall", binary=False, n=35, seeds=1, scored=35, wanted=35,
    baseline_unscored={}, candidate_unscored={}, baseline_mean=0.1, candidate_mean=0.3,
    difference=Estimate(0.2, 0.1, 0.3),
)  # fmt: skip
BLUE = r"fill: #0b63a8; stroke: #0b63a8"


def dot(svg: str) -> float:
    """Where the estimate of a forest plot with one line lies, in px from its left."""
    places = re.findall(rf'<use [^>]*x="([\d.]+)"[^>]*style="{BLUE}"', svg)
    return float(places[0])


def test_a_rise_of_the_error_rate_lies_on_the_side_of_worse() -> None:
    worse, better = forest([WER], None), forest([replace(WER, difference=Estimate(-0.2, -0.3, -0.1))], None)
    assert worse is not None
    assert better is not None
    assert dot(worse.svg) < 180 < dot(better.svg)
    assert "+0.20 [+0.10, +0.30]" in worse.svg  # the number keeps the sign of the table


def test_the_ends_of_a_scale_have_the_signs_of_the_difference_that_lies_on_it() -> None:
    """An error rate that rose by 0.2 lies on the left, where the scale ends at a rise."""
    for direction, ends in (("lower", ["+0.34", "−0.34"]), ("higher", ["−0.34", "+0.34"])):
        drawn = forest([replace(WER, direction=direction)], None)
        assert drawn is not None
        assert re.findall(r">([+−]0\.34)<", drawn.svg) == ends


def test_the_scale_of_a_line_holds_its_noise_floor() -> None:
    floor = Floor(5.0, 5.0, False, 5, "eval", 1.0, 100, 35)
    wide = forest([replace(WER, floor=floor)], None)
    narrow = forest([WER], None)
    assert wide is not None
    assert narrow is not None
    assert abs(dot(wide.svg) - 180) < abs(dot(narrow.svg) - 180)


def test_a_comparison_without_a_difference_has_no_forest() -> None:
    assert forest([replace(WER, difference=None)], None) is None


def test_confusion_is_the_mean_over_items_of_the_mean_over_seeds(made: Sample) -> None:
    found = confusion(made.baseline)
    items = made.baseline.items
    happy: dict[str, list[float]] = {}
    for clip in made.baseline.clips:
        score = clip.scores["emotion/p_happy"]
        if items[clip.item].emotion == "happy" and isinstance(score, Score):
            happy.setdefault(clip.item, []).append(score.value)
    assert found.shares["happy"]["happy"] == pytest.approx(np.mean([np.mean(seeds) for seeds in happy.values()]))
    assert found.items["happy"] == 5


def test_a_class_that_the_classifier_lacks_is_no_zero(made: Sample) -> None:
    shares = confusion(made.baseline).shares
    assert "disgust" in shares
    assert all("disgust" not in heard for heard in shares.values())
    assert all(set(heard) == {*CLASSES} - {"disgust"} for heard in shares.values())


def test_pitch_is_found_as_the_metric_finds_it() -> None:
    assert (contours.LOWEST_HZ, contours.HIGHEST_HZ, contours.FRAME_MS) == (
        prosody.LOWEST_HZ,
        prosody.HIGHEST_HZ,
        prosody.FRAME_MS,
    )


def test_a_contour_follows_the_voice_and_leaves_out_the_pause() -> None:
    contour = PitchFinder().contour(glide(200, 2.0))
    times = np.arange(len(contour.hz)) * contour.step_s
    assert np.nanmedian(contour.hz) == pytest.approx(190, abs=15)
    assert np.isnan(contour.hz[(times > 1.05) & (times < 1.15)]).all()


@pytest.mark.parametrize("audio", [Audio(b"", RATE), Audio(silence(1.0, RATE), RATE), Audio(b"\0\0", RATE)])
def test_a_clip_without_voice_is_drawn_without_a_line(audio: Audio) -> None:
    contour = PitchFinder().contour(audio)
    drawn = Overlay("item", "0", contour, None).inline(ContourFrame.around([contour]))
    assert "no voice" in drawn
    assert 'd=""' in drawn


def test_inside_the_page_a_chart_has_the_colours_of_the_page(reported: Report) -> None:
    # but for the style sheet, where they are named
    body = reported.html.decode().partition("</style>")[2]
    assert [colour for colour in ROLES if colour in body] == []
