"""What a command does besides its result must not lose the result: files, summaries, tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.fake_studies import HEADLINE, StudyGateway
from tests.client.test_command import SAY, Run, run
from tests.client.test_gate_command import GATE, Receiver, receiver

__all__ = ["receiver", "run"]  # the fixtures
PLACES = ("nowhere/summary", "folder", "file/summary", "full")


@pytest.fixture
def gateway() -> Iterator[StudyGateway]:
    fake = StudyGateway()
    fake.verdict = "fail"
    fake.start()
    yield fake
    fake.stop()


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """A folder in which nothing of `PLACES` can be written to."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "full").symlink_to("/dev/full")
    return tmp_path


@pytest.mark.parametrize("place", PLACES)
def test_a_step_summary_that_cannot_be_written_is_a_warning_after_the_verdict(
    run: Run, places: Path, receiver: Receiver, place: str
) -> None:
    ran = run(*GATE, "--json", "--webhook", receiver.url, GITHUB_STEP_SUMMARY=str(places / place))
    assert (ran.returncode, json.loads(ran.stdout)["verdict"], len(receiver.came)) == (1, "fail", 1)
    *_, verdict, warning = ran.stderr.decode().splitlines()
    assert verdict == f"fail: {HEADLINE}"
    assert warning.startswith(f"GITHUB_STEP_SUMMARY: the summary was not written: {places / place}: ")


def test_nor_is_a_step_summary_that_cannot_be_fetched(run: Run, gateway: StudyGateway, tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    gateway.missing = {"summary.md"}
    ran = run(*GATE, GITHUB_STEP_SUMMARY=str(summary))
    assert (ran.returncode, summary.exists()) == (1, False)
    assert "GITHUB_STEP_SUMMARY: the summary was not written: " in ran.stderr.decode()


@pytest.mark.parametrize("option", ["--junit", "--markdown", "--report"])
def test_a_file_that_was_asked_for_and_cannot_be_written_comes_after_all_else(
    run: Run, places: Path, receiver: Receiver, option: str
) -> None:
    others = {"--junit": "junit.xml", "--markdown": "summary.md", "--report": "report.html"}
    files = [part for each, name in others.items() if each != option for part in (each, str(places / name))]
    ran = run(*GATE, "--json", "--webhook", receiver.url, option, str(places / "full"), *files)
    assert (ran.returncode, json.loads(ran.stdout)["verdict"], len(receiver.came)) == (73, "fail", 1)
    assert f"{places / 'full'}: No space left on device" in ran.stderr.decode().splitlines()[-1]
    assert all((places / name).exists() for each, name in others.items() if each != option)


def test_a_comparison_is_shown_although_its_report_cannot_be_written(run: Run, places: Path) -> None:
    ran = run("compare", *GATE[1:], "-o", str(places / "full"))
    assert ran.returncode == 73
    assert "mos/nisqa" in ran.stdout.decode()


@pytest.mark.parametrize("json_too", [True, False])
def test_a_job_is_shown_although_its_audio_cannot_be_written(run: Run, places: Path, json_too: bool) -> None:
    ran = run(*SAY, "-o", str(places / "full"), *(["--json"] if json_too else []))
    assert ran.returncode == 73
    assert (json.loads(ran.stdout)["id"] if json_too else ran.stdout.decode().strip()) == "job_0001"
    assert "to fetch the audio again, run `ringtrue job job_0001 -o FILE`" in ran.stderr.decode()
    shown = run("job", "job_0001", "-o", str(places / "full"))
    assert (shown.returncode, shown.stdout.decode().split()[:2]) == (73, ["job_0001", "succeeded"])
