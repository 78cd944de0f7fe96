"""One report for all tests of it, and a browser to look at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.scorer.report.document import Report, report
from tests.chromium import Chromium, started
from tests.scorer.report.sample import Sample, hostile, sample


@pytest.fixture(scope="session")
def made() -> Sample:
    return sample()


@pytest.fixture(scope="session")
def reported(made: Sample) -> Report:
    return report(made.comparison, made.baseline, made.candidate, made.sounds, made.gate)


@pytest.fixture(scope="session")
def page(reported: Report, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of the report as a file."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_bytes(reported.html)
    return path.as_uri()


@pytest.fixture(scope="session")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of a report in which every word wants to be markup."""
    made = hostile()
    path: Path = tmp_path_factory.mktemp("hostile") / "report.html"
    path.write_bytes(report(made.comparison, made.baseline, made.candidate, made.sounds, made.gate).html)
    return path.as_uri()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    yield from started(tmp_path_factory.mktemp("profile"))


@pytest.fixture
def chromium(browser: Chromium) -> Chromium:
    """As a desktop in a light room, whatever the test before looked at."""
    browser.look()
    return browser
