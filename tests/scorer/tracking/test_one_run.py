"""Exactly one run per job, whatever two writers do to each other."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from services.scorer.tracking.one_run import OneRun, RunKey, ServerRun, SharedSearch
from services.scorer.tracking.run_record import run_record
from services.scorer.tracking.runs import Logged, RunRecord, TrackerRefused, TrackerUnavailable
from tests.scorer.tracking.tracked_jobs import finished_job

RECORD = run_record(finished_job())
EXPERIMENT = "7"


class FakeServer:
    """Runs in a dictionary, with the server's rules: nothing is written to a deleted run, nothing forbids two."""

    def __init__(self, names: Sequence[str] = ("a", "b", "c", "d")) -> None:
        self.runs: dict[str, ServerRun] = {}
        self.completed: list[str] = []
        self.recorded: str | None = None
        self._names = iter(names)
        self._lock = threading.RLock()

    def have(self, run_id: str, *, start_ms: int = RECORD.start_ms, finished: bool = False) -> ServerRun:
        self.runs[run_id] = ServerRun(run_id, EXPERIMENT, RECORD.subject, start_ms, finished, "mlflow-artifacts:/7")
        return self.runs[run_id]

    def there(self) -> list[str]:
        return [run.run_id for run in self.runs.values() if not run.deleted]

    def keep(self, run: ServerRun) -> Logged:
        """What the store does: the first run that is recorded counts."""
        with self._lock:
            self.recorded = self.recorded or run.run_id
            return Logged(self.recorded, "")

    def search(self, keys: Collection[RunKey]) -> Mapping[RunKey, Sequence[ServerRun]]:
        with self._lock:
            return {key: [r for r in self.runs.values() if r.subject == key[1] and not r.deleted] for key in keys}

    def create(self, experiment_id: str, record: RunRecord) -> ServerRun:
        with self._lock:
            return replace(self.have(next(self._names)), new=True)

    def complete(self, run: ServerRun, record: RunRecord, files: Mapping[str, bytes]) -> None:
        with self._lock:
            if self.runs[run.run_id].deleted:
                raise TrackerRefused("must be active")
            self.completed.append(run.run_id)
            self._change(run.run_id, finished=True)

    def read(self, run_id: str) -> ServerRun:
        return self.runs[run_id]

    def delete(self, run_id: str) -> None:
        self._change(run_id, deleted=True)

    def restore(self, run_id: str) -> None:
        self._change(run_id, deleted=False)

    def _change(self, run_id: str, **changes: Any) -> None:
        with self._lock:
            self.runs[run_id] = replace(self.runs[run_id], **changes)


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


def write(server: FakeServer, *, still_sole: Callable[[], bool] | None = None) -> str:
    return OneRun(server).write(EXPERIMENT, RECORD, {}, still_sole=still_sole).run_id


def test_a_job_without_a_run_gets_one(server: FakeServer) -> None:
    assert write(server) == "a"
    assert (server.there(), server.completed) == (["a"], ["a"])


def test_a_run_that_a_crash_left_unfinished_is_completed(server: FakeServer) -> None:
    server.have("left")
    assert write(server) == "left"
    assert (server.there(), server.completed) == (["left"], ["left"])


def test_the_only_writer_searches_for_nothing(server: FakeServer) -> None:
    def search(keys: Collection[RunKey]) -> Mapping[RunKey, Sequence[ServerRun]]:
        raise AssertionError(f"searched for {keys}")

    server.search = search  # type: ignore[method-assign]
    assert write(server, still_sole=lambda: True) == "a"
    assert (server.there(), server.completed) == (["a"], ["a"])


@pytest.mark.parametrize("finished", [True, False])
def test_a_run_is_found_also_by_one_who_is_no_longer_the_only_writer(server: FakeServer, finished: bool) -> None:
    server.have("A-run", finished=finished)
    assert write(server, still_sole=lambda: False) == "A-run"
    assert server.there() == ["A-run"]
    assert server.completed == ([] if finished else ["A-run"])


def test_whether_a_writer_is_the_only_one_is_asked_once_its_run_is_there(server: FakeServer) -> None:
    there_when_asked: list[list[str]] = []

    def still_sole() -> bool:
        there_when_asked.append(server.there())
        return True

    write(server, still_sole=still_sole)
    assert there_when_asked == [["a"]], "a writer that comes after the answer must find this run"


def test_a_finished_run_is_left_as_it_is(server: FakeServer) -> None:
    server.have("whole", finished=True)
    assert write(server) == "whole"
    assert server.completed == []


def test_of_two_runs_the_oldest_stays(server: FakeServer) -> None:
    server.have("a-younger", start_ms=RECORD.start_ms + 5)
    server.have("b-older")
    assert write(server) == "b-older"
    assert server.there() == ["b-older"]


def test_a_finished_run_stays_before_an_unfinished_one(server: FakeServer) -> None:
    server.have("a-left")
    server.have("b-whole", finished=True)
    assert write(server) == "b-whole"
    assert server.there() == ["b-whole"]


def test_a_run_that_is_finished_while_it_is_being_deleted_comes_back() -> None:
    class QuickWriter(FakeServer):
        def delete(self, run_id: str) -> None:
            if run_id == "b" and not self.runs["b"].deleted:
                self._change("b", finished=True)
            super().delete(run_id)

    server = QuickWriter()
    server.have("a")
    server.have("b")
    assert write(server) == "b"
    assert server.there() == ["b"]


def test_a_recorded_run_stays_before_any_other(server: FakeServer) -> None:
    runs = [server.have("a", finished=True), server.have("b", finished=True)]
    OneRun(server).settle(runs, recorded="b")
    assert server.there() == ["b"]


def test_a_refusal_that_is_about_the_record_is_passed_on() -> None:
    class Strict(FakeServer):
        def complete(self, run: ServerRun, record: RunRecord, files: Mapping[str, bytes]) -> None:
            raise TrackerRefused("no such name")

    with pytest.raises(TrackerRefused, match="no such name"):
        write(Strict())


class Turns(FakeServer):
    """Lets two writers make one request each in a given order."""

    def __init__(self, schedule: Sequence[str], names: Sequence[str]) -> None:
        super().__init__(names)
        self._schedule = list(schedule)
        self._moved = threading.Condition()

    def view(self, writer: str) -> Writer:
        return Writer(self, writer)

    def turn(self, writer: str) -> None:
        with self._moved:
            while self._schedule and self._schedule[0] != writer:
                assert self._moved.wait(20), "the other writer never came"
            if self._schedule:
                self._schedule.pop(0)

    def done(self, writer: str) -> None:
        with self._moved:
            self._schedule = [] if writer in self._schedule else self._schedule
            self._moved.notify_all()

    def after(self) -> None:
        with self._moved:
            self._moved.notify_all()


class Writer:
    """The server as one writer sees it."""

    def __init__(self, server: Turns, name: str) -> None:
        self._server = server
        self._name = name

    def __getattr__(self, request: str) -> object:
        def answer(*given: object) -> object:
            self._server.turn(self._name)
            try:
                return getattr(self._server, request)(*given)
            finally:
                self._server.after()

        return answer

    def write(self) -> str:
        return self._all(lambda: OneRun(self).write(EXPERIMENT, RECORD, {}).run_id)  # type: ignore[arg-type]

    def begin(self) -> str:
        return self._all(lambda: OneRun(self).begin(EXPERIMENT, RECORD, self.keep).run_id)  # type: ignore[arg-type]

    def _all(self, requests: Callable[[], str]) -> str:
        try:
            return requests()
        finally:
            self._server.done(self._name)


SCHEDULES = ["".join(turns) for turns in itertools.product("AB", repeat=9)]


@pytest.mark.parametrize("names", [("a", "b", "c", "d"), ("d", "c", "b", "a")], ids=["rising", "falling"])
def test_two_writers_end_with_one_finished_run_in_whatever_order_their_requests_come(names: Sequence[str]) -> None:
    with ThreadPoolExecutor(2) as threads:
        for schedule in SCHEDULES:
            server = Turns(schedule, names)
            writers = [threads.submit(server.view(name).write) for name in "AB"]
            told = {writer.result(timeout=60) for writer in writers}
            assert told == set(server.there()), schedule
            assert len(told) == 1, schedule
            assert server.runs[told.pop()].finished, schedule


@pytest.mark.parametrize("names", [("a", "b", "c", "d"), ("d", "c", "b", "a")], ids=["rising", "falling"])
def test_two_who_begin_end_with_one_run_in_whatever_order_their_requests_come(names: Sequence[str]) -> None:
    with ThreadPoolExecutor(2) as threads:
        for schedule in map("".join, itertools.product("AB", repeat=8)):
            server = Turns(schedule, names)
            writers = [threads.submit(server.view(name).begin) for name in "AB"]
            told = {writer.result(timeout=60) for writer in writers}
            assert told == set(server.there()) == {server.recorded}, schedule


def test_questions_that_come_during_a_search_share_the_next_one() -> None:
    going, go = threading.Event(), threading.Event()
    rounds: list[set[RunKey]] = []

    def search(keys: Collection[RunKey]) -> Mapping[RunKey, Sequence[ServerRun]]:
        rounds.append(set(keys))
        going.set()
        assert go.wait(20)
        return {}

    shared = SharedSearch(search)
    with ThreadPoolExecutor(5) as threads:
        first = threads.submit(shared.find, ("7", "job_0"))
        assert going.wait(20)
        others = [threads.submit(shared.find, ("7", f"job_{n}")) for n in range(1, 5)]
        while shared.asking < 4:
            threading.Event().wait(0.01)
        go.set()
        assert [future.result(timeout=20) for future in (first, *others)] == [()] * 5
    assert rounds == [{("7", "job_0")}, {("7", f"job_{n}") for n in range(1, 5)}]


def test_a_search_that_fails_fails_for_everybody_who_shared_it_and_for_nobody_after() -> None:
    answers = iter([TrackerUnavailable("away"), None])

    def search(keys: Collection[RunKey]) -> Mapping[RunKey, Sequence[ServerRun]]:
        if error := next(answers):
            raise error
        return {}

    shared = SharedSearch(search)
    with pytest.raises(TrackerUnavailable):
        shared.find(("7", "job_0"))
    assert shared.find(("7", "job_0")) == ()
