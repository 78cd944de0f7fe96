"""A check that crashes or hangs costs its own line; the others and their order stay."""

from __future__ import annotations

import time
from collections.abc import Iterator

from services.doctor.findings import Check, Finding, FindingStatus, fail, ok, warn
from services.doctor.report import document, line
from services.doctor.round import make_round


def well() -> Iterator[Finding]:
    yield ok("well")


def crash() -> Iterator[Finding]:
    yield ok("so far")
    raise RuntimeError("over its own feet")


def hang() -> Iterator[Finding]:
    time.sleep(60)
    yield ok("at last")


def lack() -> Iterator[Finding]:
    import a_package_that_is_not_installed  # noqa: F401

    yield ok("unless it is")


def test_each_keeps_its_place_and_its_own_trouble() -> None:
    checks = [Check("hang", hang, 0.3), Check("crash", crash), Check("lack", lack), Check("well", well)]
    began = time.monotonic()
    found = {check.name: findings for check, findings in make_round(checks)}
    assert time.monotonic() - began < 10
    assert list(found) == ["hang", "crash", "lack", "well"]
    assert [[finding.status for finding in findings] for findings in found.values()] == [
        [FindingStatus.NOT_TRIED],
        [FindingStatus.FAIL],
        [FindingStatus.FAIL],
        [FindingStatus.OK],
    ]
    assert found["hang"][0].says == "no answer within 0.3 s"
    assert "RuntimeError: over its own feet" in found["crash"][0].says
    assert "without a_package_that_is_not_installed" in found["lack"][0].says


def test_a_line_is_one_line_and_ends_with_what_to_do() -> None:
    told = line(Check("redis", well), fail("it says\n  no", "start it"), colour=False)
    assert told == "fail  redis        it says no; start it"


def test_colours_are_for_terminals() -> None:
    assert line(Check("redis", well), ok("fine"), colour=True).startswith("\x1b[32mok  \x1b[0m  redis")


def test_the_worst_line_is_the_verdict() -> None:
    check = Check("redis", well)
    verdicts = [document([(check, found) for found in lines])["status"] for lines in ([], [ok("a")], [warn("b", "c")])]
    assert verdicts == ["ok", "ok", "warn"]
    assert document([(check, fail("d", "e")), (check, ok("a"))])["status"] == "fail"
