"""Several rules: all must pass, and what fails by chance among many does not fail the gate."""

from __future__ import annotations

import pytest

from services.scorer.statistics.gates import corrected, overall
from services.scorer.statistics.rules import Demand, Doubt, Outcome, Rule, Verdict
from shared.scores import Direction

RULE = Rule(Direction.HIGHER, Demand.NOT_WORSE, 0.1)


def verdict(outcome: Outcome, p_fail: float | None = None) -> Verdict:
    return Verdict(outcome, p_fail=p_fail)


GOOD, BAD, OPEN = verdict(Outcome.PASS, 0.9), verdict(Outcome.FAIL, 0.0001), verdict(Outcome.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([GOOD, GOOD], Outcome.PASS),
        ([GOOD, OPEN], Outcome.INCONCLUSIVE),
        ([GOOD, OPEN, BAD], Outcome.FAIL),
        ([], Outcome.INCONCLUSIVE),
    ],
)
def test_all_must_pass_and_one_may_fail_it(verdicts: list[Verdict], expected: Outcome) -> None:
    assert overall(verdicts) is expected


def test_a_fail_that_stands_alone_stands() -> None:
    assert corrected([RULE], [verdict(Outcome.FAIL, 0.02)])[0].outcome is Outcome.FAIL


def test_a_fail_that_does_not_stand_among_many_is_inconclusive() -> None:
    *others, last = corrected([RULE] * 5, [GOOD] * 4 + [verdict(Outcome.FAIL, 0.02)])
    assert (last.outcome, last.doubt) == (Outcome.INCONCLUSIVE, Doubt.NOT_AFTER_CORRECTION)
    assert others == [GOOD] * 4


def test_rules_that_could_not_be_tested_do_not_count() -> None:
    assert corrected([RULE] * 3, [OPEN, OPEN, verdict(Outcome.FAIL, 0.02)])[2].outcome is Outcome.FAIL
