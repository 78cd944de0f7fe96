"""What is done again and again goes on whatever goes wrong, and the same trouble is told once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import pytest

from services.worker.periodic import Periodic
from shared.errors import RingtrueError


def levels(caplog: pytest.LogCaptureFixture, troubles: Sequence[Exception | None]) -> list[str]:
    """Of what is logged while the rounds meet these troubles, one after the other."""
    waiting, over = list(troubles), threading.Event()

    def work() -> None:
        if not waiting:
            over.set()
            return
        if (trouble := waiting.pop(0)) is not None:
            raise trouble

    with caplog.at_level(logging.INFO), Periodic("looking", 0.01, work):
        assert over.wait(20)
    return [record.levelname for record in caplog.records]


def test_a_trouble_that_stays_is_told_once_and_its_end_too(caplog: pytest.LogCaptureFixture) -> None:
    assert levels(caplog, [OSError("full")] * 3 + [None]) == ["ERROR", "INFO"]


def test_another_trouble_is_told(caplog: pytest.LogCaptureFixture) -> None:
    troubles = [OSError("full"), RingtrueError("away"), RingtrueError("away"), ZeroDivisionError("?"), None, None]
    assert levels(caplog, troubles) == ["ERROR", "ERROR", "ERROR", "INFO"]
