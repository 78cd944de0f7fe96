"""Places to work in: one thread each, and no announcement is forgotten."""

from __future__ import annotations

import threading

import pytest

from shared.scheduling.slots import Slots


def test_a_call_that_finds_no_place_returns_at_once_and_is_made_up_for() -> None:
    slots = Slots(["only"])
    began, go_on = threading.Event(), threading.Event()
    looks: list[str] = []

    def look(place: str) -> None:
        looks.append(place)
        began.set()
        go_on.wait(10)

    worker = threading.Thread(target=slots.work, args=(look,))
    worker.start()
    began.wait(10)
    slots.work(look)  # no place is free: remembered
    assert looks == ["only"]
    go_on.set()
    worker.join(10)
    assert looks == ["only", "only"]


def test_places_are_used_side_by_side() -> None:
    slots = Slots(["left", "right"])
    both = threading.Barrier(2, timeout=10)
    threads = [threading.Thread(target=slots.work, args=(lambda _: both.wait(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not both.broken


def test_a_place_is_free_again_after_a_failure() -> None:
    slots = Slots(["only"])

    def fail(_: str) -> None:
        raise RuntimeError("planted")

    with pytest.raises(RuntimeError, match="planted"):
        slots.work(fail)
    looks: list[str] = []
    slots.work(looks.append)
    assert looks == ["only"]
