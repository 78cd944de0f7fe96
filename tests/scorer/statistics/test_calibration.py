"""Verdicts are wrong as rarely as promised: a small part of docs/statistics.md, which can fail.

The seed is fixed, so that chance decides once. Two methods that are widely used and break the promise show that the
tests would notice.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmarks.evidence.calibration import coverage, rates
from benchmarks.evidence.outcomes import OUTCOMES, Outcome
from services.scorer.analysis.statistics.proportions import mcnemar_p
from tests.scorer.statistics.samples import signs

COMPARISONS = 1000


@pytest.mark.parametrize(("items", "seeds"), [(10, 1), (10, 5), (35, 3)])
@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.name)
def test_verdicts_are_wrong_no_more_often_than_promised(outcome: Outcome, items: int, seeds: int) -> None:
    found = rates(outcome, items, seeds, COMPARISONS)
    assert found.false_fail <= 0.05
    assert found.false_pass <= 0.05
    assert found.covered >= 0.93


def test_the_percentile_bootstrap_would_not_keep_that_promise() -> None:
    covered, _ = coverage("percentile", OUTCOMES[0], 10, COMPARISONS)
    assert covered < 0.93


def test_mcnemar_over_pooled_seeds_would_not_either() -> None:
    random = np.random.default_rng(0)
    share = stats.norm.cdf(random.normal(0.84, 1.5, (2, 400, 35, 1)))
    spoken = random.random((2, 400, 35, 5)) < share
    pooled = (spoken[1].astype(int) - spoken[0]).reshape(400, -1)
    p = [mcnemar_p(signs(int((row > 0).sum()), int((row < 0).sum()), len(row))) for row in pooled]
    assert np.mean(np.array(p) < 0.05) > 0.1
