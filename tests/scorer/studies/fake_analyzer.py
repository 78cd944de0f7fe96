"""A judge that computes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from services.scorer.analysis.comparison.floors import MeasuredFloor
from services.scorer.studies.analyzer import Computed, GivenUp, Sides
from tests.scorer.studies.desk import MOS

RULES = {"schema": 1, "rule": [{"metric": MOS, "not_worse_by": 0.1}]}


class FakeAnalyzer:
    """Writes down what it is asked, and raises what it is told to for a while."""

    def __init__(self, *troubles: Exception, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.compared: list[Sides] = []
        self.floors: list[Mapping[str, MeasuredFloor]] = []
        self.decided: list[Mapping[str, Any]] = []
        self.given_up = False
        self._troubles = list(troubles)
        self.meanwhile = meanwhile

    def compare(
        self,
        comparison_id: str,
        sides: Sides,
        floors: Mapping[str, MeasuredFloor],
        allow: Collection[str],
        given_up: Callable[[], bool],
    ) -> Computed:
        self.compared.append(sides)
        self.floors.append(floors)
        self._work(given_up)
        told = {side: {"evaluation": one.id} for side, one in vars(sides).items()}
        page = f"<p>{comparison_id}: {sides.candidate.id} against {sides.baseline.id}</p>".encode()
        files = {"report.html": page, "plots/forest.svg": b"<svg/>"}
        return Computed({"comparison": {"id": comparison_id, **told, "allow": list(allow)}}, files)

    def decide(
        self,
        gate_id: str,
        comparison: Mapping[str, Any],
        sides: Sides,
        rules: Mapping[str, Any],
        given_up: Callable[[], bool],
    ) -> Computed:
        self.decided.append(rules)
        self._work(given_up)
        said = f"{gate_id} on {comparison['id']}: pass".encode()
        return Computed({"gate": {"id": gate_id, "verdict": "pass"}}, {"summary.md": said})

    def close(self) -> None:
        """Nothing was started."""

    def _work(self, given_up: Callable[[], bool]) -> None:
        self.meanwhile()
        if self._troubles:
            raise self._troubles.pop(0)
        if given_up():
            raise GivenUp("nobody waits")
