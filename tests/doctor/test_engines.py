"""An engine family whose Python does not do, and one that is needed and not there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from services.doctor.checks.engines import engines
from services.doctor.children import ChildOutput, NoAnswer
from services.doctor.findings import Finding, FindingStatus
from tests.doctor.patient import examined, says_fail, says_warn

INSTALL = "ringtrue engines install sambert"


def found(state: str, pins: Mapping[str, str], *, own: bool = True) -> Finding:
    """The only finding where sambert is in ``state``, beside transformers, which is ready."""
    sambert = {"family": "sambert", "interpreter": "/x/python", "own": own, "state": state, "detail": "no chime"}
    lines = "".join(
        json.dumps(family) + "\n" for family in (sambert, sambert | {"family": "transformers", "state": "ready"})
    )
    (finding,) = engines(pins, lambda _argv, _timeout_s: ChildOutput(0, lines, ""))
    return finding


def test_a_python_that_is_gone(tmp_path: Path) -> None:
    diagnosis = examined(tmp_path, "engines", RINGTRUE_INTERPRETERS="espeak=/no/such/python")
    says_fail(
        diagnosis, "engines", "espeak cannot be served: /no/such/python cannot be started", "repair /no/such/python"
    )


def test_a_family_that_a_pin_needs() -> None:
    finding = found("not_installed", {"zhitian": "sambert", "mms": "transformers"})
    assert finding.status is FindingStatus.FAIL
    assert finding.says == "sambert is not installed, but zhitian needs it"
    assert finding.do == INSTALL


def test_a_family_that_no_pin_needs() -> None:
    assert found("not_installed", {"mms": "transformers"}).status is FindingStatus.OK


def test_an_engine_that_nothing_here_brings_is_named_with_what_may_be_meant() -> None:
    finding = found("not_installed", {"mine-v1": "transfromers", "whisper-small": "whisper"})
    assert finding.status is FindingStatus.FAIL
    assert finding.says == "mine-v1 needs the engine transfromers, which is not here; did you mean transformers?"


def test_a_python_for_an_engine_that_is_not_here_is_named(tmp_path: Path) -> None:
    diagnosis = examined(tmp_path, "engines", RINGTRUE_INTERPRETERS="espaek=/usr/bin/python3")
    unused = "RINGTRUE_INTERPRETERS names the engine espaek, which is not here; did you mean espeak?"
    says_warn(diagnosis, "engines", unused, "correct the name")


@pytest.mark.parametrize(
    ("own", "do"), [(True, f"repair /x/python, or run {INSTALL} --force"), (False, "see the check wheels")]
)
def test_a_family_that_does_not_start(own: bool, do: str) -> None:
    finding = found("broken", {}, own=own)
    assert (finding.status, finding.says, finding.do) == (FindingStatus.FAIL, "sambert cannot be served: no chime", do)


@pytest.mark.parametrize("told", [ChildOutput(78, "", "error: no setting"), ChildOutput(0, "not JSON", "")])
def test_a_list_that_cannot_be_had(told: ChildOutput) -> None:
    (finding,) = engines({}, lambda _argv, _timeout_s: told)
    assert finding.status is FindingStatus.WARN


def test_a_list_that_never_comes() -> None:
    def hangs(argv: Sequence[str], timeout_s: float) -> ChildOutput:
        raise NoAnswer(f"python did not end within {timeout_s:g} s")

    (finding,) = engines({}, hangs)
    assert (finding.status, "python did not end within 80 s" in finding.says) == (FindingStatus.WARN, True)
