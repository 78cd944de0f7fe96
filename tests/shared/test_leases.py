"""A lease is renewed while its block runs, and says so when it is lost."""

from __future__ import annotations

import threading

from shared.errors import StoreUnavailable
from shared.scheduling.leases import kept


def test_is_renewed_until_the_block_ends() -> None:
    thrice = threading.Semaphore(0)

    def beat() -> bool:
        thrice.release()
        return True

    with kept(beat, 0.01) as lost:
        for _ in range(3):
            assert thrice.acquire(timeout=5)
    assert not lost.is_set()


def test_says_when_it_is_lost() -> None:
    with kept(lambda: False, 0.01) as lost:
        assert lost.wait(5)


def test_a_store_that_is_away_for_a_moment_does_not_lose_it() -> None:
    answers = iter([StoreUnavailable("restarting"), True])
    renewed = threading.Event()

    def beat() -> bool:
        answer = next(answers, True)
        if isinstance(answer, StoreUnavailable):
            raise answer
        renewed.set()
        return True

    with kept(beat, 0.01) as lost:
        assert renewed.wait(5)
    assert not lost.is_set()
