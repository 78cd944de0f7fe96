"""Workers, gateways and sweepers at once: no job is taken twice, none is forgotten, nobody waits in a circle."""

from __future__ import annotations

import multiprocessing
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from shared.jobs import Status
from shared.ports import FacetName, JobFilter, JobStore, Submission
from shared.store.sql import Database, SqlJobStore
from tests.shared.store.building import (
    LEASE_S,
    MANIFEST,
    NOW,
    OTHER_MANIFEST,
    OTHER_PIN,
    PIN,
    add,
    claim,
    idempotency,
    job,
    new_job,
    result,
    sweep,
)

_USERS = ("ann", "bob", "cyd")


def _fill(store: JobStore, number: int) -> set[str]:
    ids = [f"job_{n:04}" for n in range(number)]
    add(store, *(new_job(id, user=_USERS[n % 3], pin=(PIN, OTHER_PIN)[n % 2]) for n, id in enumerate(ids)))
    return set(ids)


def _speak_all(store: JobStore, limit: int) -> list[str]:
    """Claim, begin and finish until nothing is left; what was claimed."""
    spoken = []
    while claimed := claim(store, at_most=limit):
        for taken in claimed:
            assert store.begin(taken.id, taken.attempt)
            assert store.finish(taken.id, taken.attempt, result(), NOW)
            spoken.append(taken.id)
    return spoken


def _speak_all_in_a_process(url: str) -> list[str]:
    database = Database(url)
    try:
        return _speak_all(SqlJobStore(database), 1)
    finally:
        database.close()


def test_threads_share_the_jobs_out(sql_store: SqlJobStore) -> None:
    ids = _fill(sql_store, 120)
    with ThreadPoolExecutor(4) as threads:
        shares = list(threads.map(lambda _: _speak_all(sql_store, 3), range(4)))
    spoken = [id for share in shares for id in share]
    assert (len(spoken), set(spoken)) == (len(ids), ids)


def test_processes_share_the_jobs_out(sql_store: SqlJobStore, database: Database) -> None:
    ids = _fill(sql_store, 120)
    url = database.engine.url.render_as_string(hide_password=False)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as processes:
        shares = list(processes.map(_speak_all_in_a_process, [url, url]))
    spoken = [id for share in shares for id in share]
    assert (len(spoken), set(spoken)) == (len(ids), ids)


def test_scorers_share_the_facets_out(sql_store: SqlJobStore) -> None:
    ids = _fill(sql_store, 60)
    _speak_all(sql_store, 8)

    def scored() -> list[str]:
        share = []
        while claimed := sql_store.claim_facet(FacetName.SCORING, "scorer", LEASE_S, NOW, limit=2):
            share += [job.id for job in claimed if sql_store.finish_scoring(job.id, 1, {}, "lock", 0.1)]
        return share

    with ThreadPoolExecutor(4) as threads:
        shares = [future.result() for future in [threads.submit(scored) for _ in range(4)]]
    found = [id for share in shares for id in share]
    assert (len(found), set(found)) == (len(ids), ids)


def test_of_requests_sent_at_once_exactly_one_is_first(sql_store: SqlJobStore) -> None:
    """Batches name their scopes in different orders, as two gateways would."""
    together = threading.Barrier(4)

    def send(sender: int) -> list[bool]:
        scopes = list(range(60))
        random.Random(sender).shuffle(scopes)
        together.wait()
        added = sql_store.add([Submission([new_job(f"job_{s}_{sender}")], idempotency(f"scope {s}")) for s in scopes])
        return [first for _, first in sorted(zip(scopes, added, strict=True))]

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(send, range(4)))
    assert [sum(first) for first in zip(*answers, strict=True)] == [1] * 60
    assert len(sql_store.find(JobFilter("ann", limit=100)).jobs) == 60


def test_a_job_canceled_while_it_changes_hands_is_canceled(sql_store: SqlJobStore) -> None:
    for number in range(20):
        id = f"job_{number:02}"
        add(sql_store, new_job(id))
        (taken,) = claim(sql_store)
        with ThreadPoolExecutor(2) as threads:
            threads.submit(sql_store.hand_back, id, taken.attempt)
            threads.submit(sql_store.cancel, id, NOW)
        sweep(sql_store, NOW)
        now = job(sql_store, id)
        assert now.status is Status.CANCELED or now.cancel_requested
        sweep(sql_store, NOW + LEASE_S)
        assert job(sql_store, id).status is Status.CANCELED


@pytest.fixture
def at_once() -> Iterator[Callable[[Callable[[random.Random], object]], Future[None]]]:
    """Does a thing over and over on a thread of its own until the test ends."""
    over = threading.Event()

    def repeat(step: Callable[[random.Random], object], seed: int) -> None:
        chance = random.Random(seed)
        while not over.is_set():
            step(chance)

    with ThreadPoolExecutor(8) as threads:
        started: list[Future[None]] = []

        def begin(step: Callable[[random.Random], object]) -> Future[None]:
            started.append(threads.submit(repeat, step, len(started)))
            return started[-1]

        yield begin
        over.set()
    for future in started:
        future.result()


def test_everybody_at_once_ends_with_every_job_done(
    sql_store: SqlJobStore, at_once: Callable[[Callable[[random.Random], object]], object]
) -> None:
    ids = _fill(sql_store, 90)

    def work(chance: random.Random) -> None:
        for taken in claim(sql_store, at_most=chance.randint(1, 4)):
            match chance.choice(("speak", "speak", "hand back", "lose")):
                case "speak":
                    sql_store.begin(taken.id, taken.attempt)
                    sql_store.finish(taken.id, taken.attempt, result(), NOW)
                case "hand back":
                    sql_store.hand_back(taken.id, taken.attempt)
                case "lose":
                    sql_store.beat(taken.id, taken.attempt, -1.0, NOW)

    for _ in range(3):
        at_once(work)
    at_once(lambda chance: sweep(sql_store, NOW))
    at_once(lambda chance: sql_store.cancel(chance.choice(sorted(ids)), NOW))
    at_once(lambda chance: sql_store.publish("worker", [OTHER_MANIFEST, MANIFEST], NOW))
    done = threading.Event()
    for _ in range(600):
        if all(found.finished for found in sql_store.get(ids).values()):
            break
        done.wait(0.05)
    ends = {found.status for found in sql_store.get(ids).values()}
    assert ends <= {Status.SUCCEEDED, Status.CANCELED, Status.FAILED}
