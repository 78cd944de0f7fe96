"""Databases with very many finished jobs of one user: what lists and claims are measured in.

Owns their rows. Most jobs are as usual; a handful at the very beginning is as no other is, so that what looks for those
cannot find a page of them among the newest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from shared.ids import Ids
from shared.store.sql import Database
from shared.store.sql.tables.pairs import pairs_of
from shared.store.sql.tables.rows import copied

USER = "ann"
FEW = 5
"""Jobs at the beginning that are as no other."""
BEGAN = 1_700_000_000.0
EVERY_S = 10.0
PIN, OTHER_PIN, RARE_PIN = "espeak-v2", "espeak-v1", "espeak-v0"

_AT_ONCE = 5000
_SCORES = {name: {"value": 3.25, "unit": "MOS", "scorer_lock": "0" * 64} for name in ("mos/a", "mos/b", "asr/wer")}
_ALL_ALIKE: dict[str, Any] = {
    "engine": "espeak",
    "lock_sha256": "a" * 64,
    "asked": json.dumps({"text": "The train leaves in ten minutes.", "pin": PIN}),
    "input": json.dumps({"text": "The train leaves in ten minutes.", "language": "en"}),
    "controls": "{}",
    "priority": 0,
    "timeout_s": 300.0,
    "estimated_s": 2.5,
    "attempt": 1,
    "timings": json.dumps({"queue_s": 0.02, "speak_s": 0.31}),
    "scores": json.dumps(_SCORES),
}
_COLUMNS = (
    *_ALL_ALIKE, "id", "user", "pin", "metadata", "created_at", "expires_at", "started_at", "completed_at", "status",
    "scoring_status", "tracking_status",
)  # fmt: skip
_PAIR = ("user", "pair", "created_at", "id")


def created_at(number: int) -> float:
    """When the job of this number, 0 for the oldest, was accepted."""
    return BEGAN + number * EVERY_S


def metadata_of(number: int) -> dict[str, str]:
    """What its user noted on it: a number that no other has, and a word that all have."""
    return {"batch": str(number), "team": "voice"}


def add_finished(database: Database, count: int) -> None:
    """``count`` finished jobs of `USER`, of which the planner knows."""
    ids = Ids("job_")
    numbered = ((number, ids.next()) for number in range(count))
    for some in batched_all(numbered):
        with database.write() as connection:
            _insert(database, connection, "jobs", _COLUMNS, (_row(*one) for one in some))
            _insert(database, connection, "metadata_pairs", _PAIR, (pair for one in some for pair in _pairs(*one)))
    tend(database)


def _insert(
    database: Database, connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Iterable[object]]
) -> None:
    names = ", ".join(map(_quoted, columns))
    if database.is_sqlite:
        places = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({places})", [tuple(row) for row in rows])
    else:
        database.copy(connection, f"COPY {table} ({names}) FROM STDIN", map(copied, rows))


def batched_all(of: Iterator[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """``of`` in lists that fit into one transaction."""
    while some := list(islice(of, _AT_ONCE)):
        yield some


def tend(database: Database) -> None:
    """What autovacuum does in time, at once. SQLite's planner keeps to the schema."""
    if database.is_sqlite:
        return
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def _quoted(name: str) -> str:
    return f'"{name}"'


def _row(number: int, id_: str) -> Iterator[object]:
    at = created_at(number)
    pin, status, scoring, tracking = _how_it_went(number)
    own = (id_, USER, pin, json.dumps(metadata_of(number)), at, at + 3600, at + 1, at + 2, status, scoring, tracking)
    return iter((*_ALL_ALIKE.values(), *own))


def _how_it_went(number: int) -> tuple[str, str, str, str]:
    """Pin, status, scoring and tracking."""
    if number < FEW:
        return RARE_PIN, ("expired", "expired", "canceled", "canceled", "succeeded")[number], "failed", "failed"
    pin = OTHER_PIN if number % 3 == 0 else PIN
    return (pin, "failed", "skipped", "done") if number % 10 == 9 else (pin, "succeeded", "done", "done")


def _pairs(number: int, id_: str) -> Iterator[tuple[str, int, float, str]]:
    return ((USER, pair, created_at(number), id_) for pair in pairs_of(metadata_of(number)))
