"""`Ringtrue.evaluations`, `.comparisons` and `.gates` for programs that wait for each answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ringtrue import Evaluation, NotFound, Ringtrue, StudyTimedOut
from ringtrue.console.exits import ExitCode, exit_code_of
from tests.client.fake_studies import FILES, RULES, StudyGateway


@pytest.fixture
def ringtrue() -> Iterator[Ringtrue]:
    fake = StudyGateway()
    fake.start()
    with Ringtrue(fake.url) as client:
        yield client
    fake.stop()


def test_from_a_suite_to_a_verdict(ringtrue: Ringtrue) -> None:
    sides = [ringtrue.evaluations.create(pin=pin, suite="golden", seeds=2) for pin in ("espeak-v1", "espeak-v2")]
    comparison = ringtrue.comparisons.create(*sides)
    gate = ringtrue.gates.wait(ringtrue.gates.create(comparison))
    assert (gate.verdict, gate.comparison) == ("pass", comparison.id)
    assert ringtrue.gates.file(gate, "summary.md") == FILES["summary.md"]
    assert ringtrue.comparisons.report(comparison) == FILES["report.html"]
    assert ringtrue.gates.default_rules() == RULES


def test_lists_are_looked_at_as_they_come(ringtrue: Ringtrue) -> None:
    made = ringtrue.evaluations.create(pin="espeak-v2", suite="golden", seeds=1)
    assert [one.id for one in ringtrue.evaluations.all()] == [made.id]
    assert ringtrue.evaluations.get(made.id).succeeded


def test_a_wait_shows_what_it_sees(ringtrue: Ringtrue) -> None:
    seen: list[Evaluation] = []
    slow = ringtrue.evaluations.create(pin="slow", suite="golden", seeds=1)
    with pytest.raises(StudyTimedOut) as timed_out:
        ringtrue.evaluations.wait(slow.id, timeout=0.2, watcher=seen.append)
    assert seen[-1] == timed_out.value.study
    assert exit_code_of(timed_out.value) is ExitCode.TIMED_OUT


def test_what_is_not_there_is_not_found(ringtrue: Ringtrue) -> None:
    with pytest.raises(NotFound):
        ringtrue.gates.get("gate_1")
