"""Two families, one of which is measured only where its weights are. They are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from shared.scores import MetricInfo
from tests.scorer.metrics import broken_families


def families() -> Mapping[str, MetricInfo]:
    known = broken_families.families()
    return {"well": known["well"], "lacksweights": replace(known["lacksweights"], where_pulled=True)}
