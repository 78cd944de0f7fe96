"""The limits of tier 2 part what they were calibrated on: of every kind nearly all planted pairs are on their side."""

from __future__ import annotations

import pytest

from benchmarks.evidence.log_mel import Row, rows
from services.worker.certify.tiers import Tier

NEARLY_ALL = 0.95


@pytest.fixture(scope="module")
def planted() -> list[Row]:
    return list(rows())


def astray(kinds: list[Row]) -> dict[str, int]:
    return {row.what: row.right for row in kinds if row.right < NEARLY_ALL * len(row.tiers)}


def test_pairs_that_sound_the_same_are_found_so(planted: list[Row]) -> None:
    assert astray([row for row in planted if row.same]) == {}


def test_pairs_that_do_not_are_found_so(planted: list[Row]) -> None:
    assert astray([row for row in planted if not row.same and not row.beyond]) == {}


def test_no_pair_that_differs_is_taken_for_equal(planted: list[Row]) -> None:
    assert not [row.what for row in planted if not row.same and not row.beyond and Tier.EQUAL in row.tiers]
