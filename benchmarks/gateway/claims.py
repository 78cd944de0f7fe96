"""What a claim costs where a thousand users wait: whatever the planner knows, and however many users were ever there.

The databases are PostgreSQL's, made and dropped here. One was analysed while its queue was empty, and its connection
has prepared its statements then; one was analysed as it is; and in one ten thousand users were there before.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from benchmarks.harness.deployments import throw_away_database
from benchmarks.harness.many_jobs import tend
from benchmarks.harness.progress import say
from shared.catalog import Manifest
from shared.jobs import NewJob, SpeechInput
from shared.ports import Submission
from shared.store.sql import Database, SqlJobStore, migrate
from shared.store.sql.tables.schema import usage

USERS = 1001
JOBS = 10_010
EVER = 10_000
CLAIMS = 40
_NOW = 1_700_000_000.0
_PIN = Manifest("espeak-v2", "espeak", "1", "a" * 64, 22_050, ("en",), "en", (), {}, ())


class _State(NamedTuple):
    analysed_empty: bool
    ever: int = 0


_STATES = {
    "known": _State(analysed_empty=False),
    "unknown": _State(analysed_empty=True),
    "ever": _State(analysed_empty=False, ever=EVER),
}


def measure() -> dict[str, float | None]:
    """The best claim of each state in ms, asked in turns; ``None`` without a PostgreSQL."""
    best = dict.fromkeys(_STATES, float("inf"))
    with ExitStack() as made:
        stores = {}
        for name, state in _STATES.items():
            url = made.enter_context(throw_away_database())
            if url is None:
                say("claims: no PostgreSQL is reachable")
                return {f"{name}_ms": None for name in _STATES}
            stores[name] = made.enter_context(_filled(url, state))
        for _ in range(CLAIMS):
            for name, store in stores.items():
                began = time.perf_counter()
                assert _claim(store), "jobs are left"
                best[name] = min(best[name], time.perf_counter() - began)
    return {f"{name}_ms": seconds * 1e3 for name, seconds in best.items()}


def _claim(store: SqlJobStore) -> bool:
    return bool(store.claim("worker", [_PIN.pin], [], 60.0, _NOW))


@contextmanager
def _filled(url: str, state: _State) -> Iterator[SqlJobStore]:
    database = Database(url, pool_size=1)
    migrate(database)
    store = SqlJobStore(database)
    store.publish("worker", [_PIN], _NOW)
    if state.analysed_empty:
        tend(database)
        for _ in range(10):  # a driver prepares, and a server keeps a plan, after a few times
            _claim(store)
    if state.ever:
        with database.write() as connection:
            rows = [{"user": f"was here {number}", "window": -1, "audio_s": 0.0} for number in range(state.ever)]
            connection.execute(usage.insert(), rows)
    for first in range(0, JOBS, USERS):
        store.add([Submission([_job(number) for number in range(first, first + USERS)])])
    if not state.analysed_empty:
        tend(database)
    try:
        yield store
    finally:
        database.close()


def _job(number: int) -> NewJob:
    spoken = SpeechInput("The train leaves in ten minutes.", "en")
    return NewJob(
        id=f"job_{number:026}",
        user=f"user {number % USERS}",
        pin=_PIN.pin,
        engine=_PIN.engine,
        lock_sha256=_PIN.lock_sha256,
        asked={"text": spoken.text},
        input=spoken,
        controls={},
        metadata={},
        priority=0,
        created_at=_NOW,
        expires_at=_NOW + 3600,
        timeout_s=60.0,
        estimated_s=2.0,
    )
