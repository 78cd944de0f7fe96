"""Where a long clip is cut before Whisper hears it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from services.scorer.metrics.whisper.parts import MARGIN_S, Stretch, parts


def test_what_fits_is_one_part_without_the_silence_around_it() -> None:
    assert parts([(1.0, 4.0), (5.0, 29.0)], 30) == [(1.0 - MARGIN_S, 29.0 + MARGIN_S)]


def test_without_speech_there_is_no_part() -> None:
    assert parts([], 30) == []


def test_a_clip_that_begins_with_speech_begins_at_its_start() -> None:
    assert parts([(0.05, 2.0)], 30)[0][0] == 0


def test_the_cut_is_in_the_longest_pause_of_the_second_half() -> None:
    stretches = [(0.0, 5.0), (8.0, 17.0), (18.0, 24.0), (24.5, 28.0), (28.2, 40.0)]
    assert [round(end, 3) for _, end in parts(stretches, 30)] == [17.0 + MARGIN_S, 40.0 + MARGIN_S]


def test_where_the_second_half_has_no_pause_the_cut_is_in_the_first() -> None:
    assert parts([(0.0, 5.0), (5.5, 30.0)], 30) == [(0.0, 5.2), (5.3, 30.2)]


def test_of_a_short_pause_each_part_has_half() -> None:
    (_, end), (start, _) = parts([(0.0, 20.0), (20.1, 35.0)], 30)
    assert end == start == pytest.approx(20.05)


def test_speech_without_a_pause_is_cut_into_equal_lengths() -> None:
    assert [end - start for start, end in parts([(0.0, 89.8)], 30)] == pytest.approx([30.0] * 3)


@pytest.mark.parametrize("seed", range(20))
def test_all_speech_is_in_parts_that_fit_and_follow_each_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    edges = np.cumsum(rng.exponential(rng.choice([0.2, 2.0, 8.0], 120)))
    stretches: list[Stretch] = [(float(start), float(end)) for start, end in edges.reshape(-1, 2)]
    found = parts(stretches, 30)
    assert all(0 < end - start <= 30 + 1e-6 for start, end in found)
    assert all(before[1] <= after[0] + 1e-9 for before, after in pairwise(found))
    heard = sum(max(0, min(end, to) - max(start, at)) for start, end in stretches for at, to in found)
    assert heard == pytest.approx(sum(end - start for start, end in stretches))
