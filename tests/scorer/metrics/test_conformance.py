"""Our metrics hold what every metric must hold."""

from __future__ import annotations

import pytest

from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import Panel
from shared.metrics import METRICS
from tests.scorer.metrics.conformance import MetricConformance


@pytest.mark.parametrize("family", METRICS)
class TestOurs(MetricConformance):
    """With the weights and the panel that all tests of this folder share."""

    @pytest.fixture(scope="class")
    @classmethod
    def metric_instruments(cls, instruments: Instruments) -> Instruments:
        return instruments

    @pytest.fixture(scope="class")
    @classmethod
    def metric_panel(cls, panel: Panel) -> Panel:
        return panel
