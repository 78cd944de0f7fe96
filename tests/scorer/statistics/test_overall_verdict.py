"""Several rules: all must pass, and what fails by chance among many does not fail the gate."""

from __future__ import annotations

import pytest

from services.scorer.analysis.statistics.gates import corrected, overall
from services.scorer.analysis.statistics.rules import Demand, Doubt, Rule, RuleOutcome, Verdict
from shared.scores import Direction

RULE = Rule(Direction.HIGHER, Demand.NOT_WORSE, 0.1)


def verdict(outcome: RuleOutcome, p_fail: float | None = None) -> Verdict:
    return Verdict(outcome, p_fail=p_fail)


GOOD, BAD, OPEN = verdict(RuleOutcome.PASS, 0.9), verdict(RuleOutcome.FAIL, 0.0001), verdict(RuleOutcome.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([GOOD, GOOD], RuleOutcome.PASS),
        ([GOOD, OPEN], RuleOutcome.INCONCLUSIVE),
        ([GOOD, OPEN, BAD], RuleOutcome.FAIL),
        ([], RuleOutcome.INCONCLUSIVE),
    ],
)
def test_all_must_pass_and_one_may_fail_it(verdicts: list[Verdict], expected: RuleOutcome) -> None:
    assert overall(verdicts) is expected


def test_a_fail_that_stands_alone_stands() -> None:
    assert corrected([RULE], [verdict(RuleOutcome.FAIL, 0.02)])[0].outcome is RuleOutcome.FAIL


def test_a_fail_that_does_not_stand_among_many_is_inconclusive() -> None:
    *others, last = corrected([RULE] * 5, [GOOD] * 4 + [verdict(RuleOutcome.FAIL, 0.02)])
    assert (last.outcome, last.doubt) == (RuleOutcome.INCONCLUSIVE, Doubt.NOT_AFTER_CORRECTION)
    assert others == [GOOD] * 4


def test_rules_that_could_not_be_tested_do_not_count() -> None:
    assert corrected([RULE] * 3, [OPEN, OPEN, verdict(RuleOutcome.FAIL, 0.02)])[2].outcome is RuleOutcome.FAIL
