"""Names of files that ask for another format than there is: refused before anything is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringtrue import FormatUnavailable
from tests.client.fake_gateway import FakeGateway, wav_of
from tests.client.fake_studies import StudyGateway
from tests.client.test_command import PIN, SAY, Run, run

__all__ = ["run"]  # the fixture
COMPARE = ("compare", "espeak-v1", "espeak-v2", "--suite", "golden")
GATE = ("gate", *COMPARE[1:])


@pytest.fixture
def gateway() -> Iterator[StudyGateway]:
    fake = StudyGateway()
    fake.start()
    yield fake
    fake.stop()


@pytest.mark.parametrize(
    "name", ["a.mp3", "a.MP3", "a.ogg", "a.flac", "a.opus", "a.m4a", "a.wav.mp3", "a.raw", "a.txt", "a.json"]
)
@pytest.mark.parametrize("command", [SAY, ("job", "job_0001")])
def test_no_wav_is_written_under_the_name_of_another_format(
    run: Run, gateway: StudyGateway, tmp_path: Path, command: tuple[str, ...], name: str
) -> None:
    ran = run(*command, "-o", str(tmp_path / name))
    assert (ran.returncode, ran.stdout, gateway.seen, [*tmp_path.iterdir()]) == (64, b"", [], [])
    assert "use a name that ends in .wav" in ran.stderr.decode()


@pytest.mark.parametrize("name", ["a.wav", "a.WAV", "a.wave", "a", "a.v2", "a.2026-11-29", ".hidden", "mp3"])
def test_other_names_are_the_users(run: Run, tmp_path: Path, name: str) -> None:
    assert run(*SAY, "-o", str(tmp_path / name)).returncode == 0
    assert (tmp_path / name).read_bytes() == wav_of("Good morning")[0]


def test_the_library_refuses_them_too(gateway: FakeGateway, connect: Callable[..., Any], tmp_path: Path) -> None:
    client = connect(gateway.url)
    clip = client.say("Good morning", pin=PIN)
    seen = len(gateway.seen)
    for save in (clip.save, lambda path: client.save(clip.job, path)):
        with pytest.raises(FormatUnavailable, match="not as mp3"):
            save(tmp_path / "a.mp3")
    assert (len(gateway.seen), [*tmp_path.iterdir()]) == (seen, [])


@pytest.mark.parametrize(
    ("command", "option", "name", "format"),
    [
        (COMPARE, "-o", "report.pdf", "HTML"),
        (COMPARE, "-o", "report.md", "HTML"),
        (GATE, "--report", "report.json", "HTML"),
        (GATE, "--junit", "junit.html", "JUnit XML"),
        (GATE, "--markdown", "summary.html", "Markdown"),
    ],
)
def test_nor_is_a_report(
    run: Run, gateway: StudyGateway, tmp_path: Path, command: tuple[str, ...], option: str, name: str, format: str
) -> None:
    ran = run(*command, option, str(tmp_path / name))
    assert (ran.returncode, gateway.seen) == (64, [])
    assert f"{name}: this file is written as {format}" in ran.stderr.decode()


@pytest.mark.parametrize("name", ["report.html", "report.htm", "report", "report.v2"])
def test_reports_may_be_called_what_they_are(run: Run, tmp_path: Path, name: str) -> None:
    assert run(*COMPARE, "-o", str(tmp_path / name)).returncode == 0
    assert (tmp_path / name).exists()
