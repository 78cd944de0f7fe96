"""A door is tried now and then, whatever it says."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from shared.errors import StoreUnavailable
from shared.lookout import looking_out


def test_looks_again_after_a_store_that_was_away() -> None:
    found = threading.Event()
    answers = iter([StoreUnavailable("restarting")])

    def door() -> None:
        if (error := next(answers, None)) is not None:
            raise error
        found.set()

    with looking_out([door], every_s=0.01):
        assert found.wait(5)


def test_waits_for_what_is_being_done() -> None:
    began, done = threading.Event(), threading.Event()

    def door() -> None:
        began.set()
        threading.Event().wait(0.1)
        done.set()

    with looking_out([door], every_s=0.01):
        assert began.wait(5)
    assert done.is_set()


def test_a_process_that_looks_out_can_be_seen_to_from_outside(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    with looking_out([], every_s=0.01, alive=alive):
        deadline = time.monotonic() + 5
        while not alive.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert alive.exists()
    assert not alive.exists()
