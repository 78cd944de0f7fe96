"""Pairs of two evaluations: seeds within items, what is left out, and why."""

from __future__ import annotations

import pytest

from services.scorer.analysis.statistics.pairing import pair, whether_scored
from shared.scores import Direction, Reason, Score, Unscored
from tests.scorer.statistics.samples import scored


def test_seeds_are_averaged_within_their_item() -> None:
    pairs = pair(scored([[1, 2, 3], [4, 4, 4]]), scored([[2, 2, 5], [4, 5, 6]]))
    assert pairs.items == ("item-00", "item-01")
    assert pairs.baseline.tolist() == [2, 4]
    assert pairs.candidate.tolist() == [3, 5]
    assert pairs.seeds == 3


def test_a_seed_that_one_side_lacks_is_left_out_on_both() -> None:
    pairs = pair(scored([[1, 9], [2, 2]]), scored([[1, None], [2, 2]]))
    assert pairs.baseline.tolist() == [1, 2]
    assert (pairs.scored, pairs.wanted, pairs.seeds) == (3, 4, 1.5)


def test_reasons_are_counted_by_side() -> None:
    before = scored([[1, None], [None, 2]])
    after = {**scored([[1, 1], [None, 2]]), ("item-09", 0): Unscored(Reason.TOO_SHORT)}
    pairs = pair(before, after)
    assert pairs.baseline_unscored == {"no_speech": 2, "missing": 1}
    assert pairs.candidate_unscored == {"no_speech": 1, "too_short": 1}
    assert pairs.unscored_share == pytest.approx(3 / 5)


def test_an_item_without_a_pair_is_no_item() -> None:
    assert pair(scored([[1], [None]]), scored([[1], [2]])).items == ("item-00",)


def test_of_nothing_there_are_no_pairs_and_all_is_unscored() -> None:
    nothing = pair({}, {})
    assert (nothing.items, nothing.unscored_share, nothing.seeds) == ((), 1.0, 1.0)


def test_a_gain_is_turned_by_the_direction() -> None:
    pairs = pair(scored([[1], [2]]), scored([[3], [1]]))
    assert pairs.gains(Direction.HIGHER).tolist() == [2, -1]
    assert pairs.gains(Direction.LOWER).tolist() == [-2, 1]


def test_what_only_describes_has_no_gain() -> None:
    with pytest.raises(ValueError, match="describes"):
        pair(scored([[1]]), scored([[1]])).gains(Direction.NEUTRAL)


def test_being_scored_is_an_outcome_of_its_own() -> None:
    found = whether_scored(scored([[3.5, None]]))
    assert [s.value for s in found.values() if isinstance(s, Score)] == [1.0, 0.0]
