"""A handler is tried now and then, whatever it says."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from shared.errors import StoreUnavailable
from shared.scheduling.polling import polling


def test_looks_again_after_a_store_that_was_away() -> None:
    found = threading.Event()
    answers = iter([StoreUnavailable("restarting")])

    def handler() -> None:
        if (error := next(answers, None)) is not None:
            raise error
        found.set()

    with polling([handler], every_s=0.01):
        assert found.wait(5)


def test_waits_for_what_is_being_done() -> None:
    began, done = threading.Event(), threading.Event()

    def handler() -> None:
        began.set()
        threading.Event().wait(0.1)
        done.set()

    with polling([handler], every_s=0.01):
        assert began.wait(5)
    assert done.is_set()


def test_a_process_that_looks_out_can_be_seen_to_from_outside(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    with polling([], every_s=0.01, alive=alive):
        deadline = time.monotonic() + 5
        while not alive.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert alive.exists()
    assert not alive.exists()


@pytest.mark.parametrize("error", [ValueError("a bug"), UnicodeError(), MemoryError(), RecursionError(), KeyError(1)])
def test_nothing_that_a_look_raises_ends_the_looking(error: Exception) -> None:
    looks = threading.Semaphore(0)

    def handler() -> None:
        looks.release()
        raise error

    with polling([handler], every_s=0.01):
        assert all(looks.acquire(timeout=5) for _ in range(5))
