"""The facts of the family ``loudness_range``. The gateway imports them, so they import nothing of the metric's code."""

from __future__ import annotations

from shared.scores import Direction, MetricInfo, Quantity

LOUDNESS_RANGE = MetricInfo(
    family="loudness_range",
    title="Loudness range: how far apart loud and quiet parts are",
    quantities=(Quantity("loudness/range_db", "dB", Direction.HIGHER, 0, 96.4),),
    licence="Apache-2.0",
    source="After EBU Tech 3342, with short frames and without weighting",
    code="ringtrue_loudness_range.metric:LoudnessRange",
)
