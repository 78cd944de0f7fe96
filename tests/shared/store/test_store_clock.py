"""The database's clock, carried on between readings: whatever a machine's own clock says, however slow an answer."""

from __future__ import annotations

import threading
import time

import pytest

from shared.errors import StoreUnavailable
from shared.store.sql import Database, DatabaseClock
from shared.store.sql.connection.clock import STEADY_S, elapsed_s

_EPOCH = 2_000_000_000.0


class Server:
    """A database whose clock is as far ahead of this machine's count of seconds as it is told."""

    def __init__(self) -> None:
        self.ahead = _EPOCH
        self.takes_s = 0.0
        self.asked = 0
        self.away = False

    def now(self) -> float:
        self.asked += 1
        if self.away:
            raise StoreUnavailable("away")
        said = elapsed_s() + self.ahead
        time.sleep(self.takes_s)
        return said


def test_it_is_the_databases_time(database: Database) -> None:
    clock = DatabaseClock(database)
    before = database.now()
    assert before - 1 < clock() < database.now() + 1


def test_sqlites_clock_is_the_machines(sqlite_database: Database) -> None:
    assert abs(sqlite_database.now() - time.time()) < 60


def test_asking_the_time_asks_the_database_seldom() -> None:
    server = Server()
    clock = DatabaseClock(server)
    asked = [clock() for _ in range(10_000)]
    assert server.asked == 1
    assert asked == sorted(asked)


def test_it_goes_on_while_the_database_is_away() -> None:
    server = Server()
    clock = DatabaseClock(server)
    server.away = True
    with pytest.raises(StoreUnavailable):
        clock.read()
    assert clock() == pytest.approx(elapsed_s() + _EPOCH, abs=1)


@pytest.mark.parametrize("set_by_s", [3600.0, -20.0, 172_800.0, -3600.0])
def test_it_follows_a_clock_that_was_set_and_says_so(set_by_s: float) -> None:
    server = Server()
    clock = DatabaseClock(server)
    assert clock.settled()
    server.ahead += set_by_s
    clock.read()
    assert clock() == pytest.approx(elapsed_s() + _EPOCH + set_by_s, abs=1)
    assert not clock.settled()


def test_small_differences_do_not_move_it() -> None:
    server = Server()
    clock = DatabaseClock(server)
    ahead = clock() - elapsed_s()
    server.ahead += STEADY_S / 4
    clock.read()
    assert clock() - elapsed_s() == pytest.approx(ahead, abs=1e-3)
    assert clock.settled()


def test_a_slow_answer_changes_nothing_that_it_does_not_contradict() -> None:
    """So a process that was stopped between asking and hearing does not take an old time for the present one."""
    server = Server()
    clock = DatabaseClock(server)
    server.takes_s = 0.3
    clock.read()
    assert clock() == pytest.approx(elapsed_s() + _EPOCH, abs=0.1)


def test_it_reads_again_by_itself_and_nobody_waits_for_that() -> None:
    server = Server()
    clock = DatabaseClock(server, read_every_s=0.0)
    server.takes_s, server.ahead = 0.2, _EPOCH + 3600
    began = elapsed_s()
    clock()
    assert server.asked <= 2
    waiting = threading.Event()
    while clock() < began + _EPOCH + 3000:  # the test's own time limit ends it
        waiting.wait(0.05)
