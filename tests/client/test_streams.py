"""Standard streams that are closed, full, or whose other end has gone: a line at most, and never a lost result."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.fake_gateway import FakeGateway, wav_of
from tests.client.fake_studies import StudyGateway
from tests.client.test_command import COMMAND, PIN, Ran, environment

SAY = f"say 'Good morning' --pin {PIN}"
ASKING = ("jobs", "jobs --json", "pins", "job job_0001", "voices list", "--version", "--help", "suites list", "engines",
          "models --help", "doctor --only disk", "certify --help", "evaluations")  # fmt: skip


@pytest.fixture
def studies() -> Iterator[StudyGateway]:
    fake = StudyGateway()
    fake.start()
    yield fake
    fake.stop()


def shell(url: str, line: str, data: Path) -> Ran:
    """What a shell makes of ``line``, where `ringtrue` is the command."""
    ringtrue = " ".join(COMMAND)
    env = environment(url, RINGTRUE_DATA=str(data))
    script = f'ringtrue() {{ {ringtrue} "$@"; }}; {line}'
    return subprocess.run(["bash", "-c", script], check=False, capture_output=True, env=env, timeout=120)


@pytest.mark.parametrize("command", ASKING)
def test_standard_output_that_takes_nothing_is_a_line_and_no_verdict(
    studies: StudyGateway, tmp_path: Path, command: str
) -> None:
    studies.has("Good morning")
    for where, why in ((">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")):
        ran = shell(studies.url, f"ringtrue {command} {where}", tmp_path)
        told = ran.stderr.decode().splitlines()
        assert ran.returncode == 73, told
        assert told[-1] == f"error: standard output: {why}"
        assert not any("Traceback" in line or "Exception ignored" in line for line in told)


@pytest.mark.parametrize("command", ASKING)
def test_a_reader_that_has_gone_needs_no_words(studies: StudyGateway, tmp_path: Path, command: str) -> None:
    studies.has("Good morning")
    ran = shell(studies.url, f"ringtrue {command} | true; exit ${{PIPESTATUS[0]}}", tmp_path)
    assert ran.returncode in (0, 141)  # the reader may not have gone yet
    assert "Traceback" not in ran.stderr.decode()
    assert "Exception ignored" not in ran.stderr.decode()


@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full"])
def test_messages_that_reach_nobody_are_no_fault(studies: StudyGateway, tmp_path: Path, where: str) -> None:
    assert shell(studies.url, f"ringtrue {SAY} {where}", tmp_path).stdout == b"job_0001\n"
    gone = shell(studies.url, f"ringtrue job job_404 {where}", tmp_path)
    assert (gone.returncode, gone.stdout) == (66, b"")


def test_all_streams_may_be_closed(gateway: FakeGateway, tmp_path: Path) -> None:
    ran = shell(gateway.url, f"ringtrue {SAY} -o {tmp_path}/a.wav <&- >&- 2>&-", tmp_path)
    assert (tmp_path / "a.wav").read_bytes() == wav_of("Good morning")[0]
    assert ran.returncode == 73


def test_standard_input_that_is_closed_is_told(gateway: FakeGateway, tmp_path: Path) -> None:
    ran = shell(gateway.url, f"ringtrue say - --pin {PIN} <&-", tmp_path)
    assert (ran.returncode, ran.stderr) == (66, b"standard input: Bad file descriptor\n")


@pytest.mark.parametrize("where", [">&-", ">/dev/full", "| true"])
def test_audio_that_nobody_takes_is_told_as_everything_else(gateway: FakeGateway, tmp_path: Path, where: str) -> None:
    ran = shell(gateway.url, f"ringtrue {SAY} -o - {where}; exit ${{PIPESTATUS[0]}}", tmp_path)
    assert ran.returncode in (73, 141, 0)
    assert "Traceback" not in ran.stderr.decode()


@pytest.mark.parametrize("where", [">&-", ">/dev/full", "| true"])
@pytest.mark.parametrize(("verdict", "code"), [("pass", 0), ("fail", 1), ("inconclusive", 2)])
def test_a_verdict_is_the_exit_code_whoever_reads_the_table(
    studies: StudyGateway, tmp_path: Path, where: str, verdict: str, code: int
) -> None:
    studies.verdict = verdict
    alarm = f"--on-fail 'tee {tmp_path}/rung'"
    line = f"ringtrue gate espeak-v1 espeak-v2 --suite golden --json {alarm} {where}; exit ${{PIPESTATUS[0]}}"
    assert shell(studies.url, line, tmp_path).returncode == code
    if verdict == "fail":
        assert json.loads((tmp_path / "rung").read_text())["verdict"] == "fail"
