"""Which error rate judges the intelligibility of a comparison.

Owns the choice between recognisers. Their order is in shared/metrics.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.scorer.analysis.comparison.result import MetricRow
from shared.metrics import RECOGNISERS

ENOUGH = 0.9
"""A recogniser judges if it counts at least this share of the items that any of them counts."""


def intelligibility(rows: Sequence[MetricRow]) -> MetricRow | None:
    """Return the row of the error rate that judges, or None if no recogniser scored both sides.

    ``rows``: those of one scope, in any order. The first of `RECOGNISERS` judges that counts enough items: the word
    error rate of Whisper in English, its character error rate in Chinese or in a suite of both.
    """
    measured = {row.metric: row for row in rows if row.metric in RECOGNISERS and row.n > 0}
    most = max((row.n for row in measured.values()), default=0)
    return next(
        (measured[name] for name in RECOGNISERS if name in measured and measured[name].n >= ENOUGH * most), None
    )


def without_other_rates(rows: Sequence[MetricRow], judge: MetricRow | None) -> list[MetricRow]:
    """Return ``rows`` without the error rates of recognisers that do not judge."""
    return [row for row in rows if row is judge or row.metric not in RECOGNISERS]


def judged_by(row: MetricRow) -> str:
    """Return who judges: ``intelligibility judged by Whisper (asr/wer_whisper)``."""
    return f"intelligibility judged by {RECOGNISERS[row.metric]} ({row.metric})"
