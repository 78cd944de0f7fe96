"""The family `pronunciation` alone, for a host that loads nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from shared.metrics import PRONUNCIATION
from shared.scores import MetricInfo


def families() -> Mapping[str, MetricInfo]:
    return {PRONUNCIATION.family: PRONUNCIATION}
