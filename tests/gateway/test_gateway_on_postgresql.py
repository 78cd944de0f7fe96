"""The gateway as a process on PostgreSQL, beside somebody who holds a lock and does not let go."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from services.gateway.keys import new_key
from shared.store.sql import Database, SqlJobStore, SqlKeyStore, migrate
from tests.gateway.place import RICH, SENTENCE, refused
from tests.gateway.test_gateway_process import free_port, serving
from tests.postgresql import databases

STUCK_S = 20.0
"""Whoever takes so long waits for the lock; it is ten times and more what any answer takes."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A database of this module's own, migrated, that knows a pin."""
    with databases() as make:
        made = make()
        database = Database(made)
        migrate(database)
        SqlJobStore(database).publish("worker", [RICH], time.time())
        database.close()
        yield made


@pytest.fixture(scope="module")
def users(url: str) -> dict[str, dict[str, str]]:
    """Headers by name."""
    database, headers = Database(url), {}
    for name in ("alice", "bob"):
        key, text = new_key(name, time.time(), None)
        SqlKeyStore(database).add(key)
        headers[name] = {"Authorization": f"Bearer {text}"}
    database.close()
    return headers


@pytest.fixture(scope="module")
def http(url: str, users: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGTRUE_")}
    folder: Path = tmp_path_factory.mktemp("gateway")
    own = {"DATA": str(folder), "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0", "DATABASE_URL": url}
    with serving({**kept, **{f"RINGTRUE_{name}": value for name, value in own.items()}}) as (client, _):
        yield client


def scope(user: str, key: str) -> str:
    return hashlib.sha256("\n".join((user, "POST", "/v1/jobs", key)).encode()).hexdigest()


def test_an_open_transaction_on_one_key_blocks_that_key_alone(
    http: httpx.Client, url: str, users: dict[str, dict[str, str]]
) -> None:
    alice, bob = users["alice"], users["bob"]
    with psycopg.connect(url) as stopped:
        stopped.execute(
            "INSERT INTO requests (scope, fingerprint, status, body, created_at) VALUES (%s, 'f', 202, '', 0)",
            (scope("alice", "stuck"),),
        )
        started = time.monotonic()
        for number in range(5):
            answer = http.post("/v1/jobs", json=SENTENCE, headers={**alice, "Idempotency-Key": "stuck"})
            refused(answer, "idempotency_in_progress")
            assert answer.headers["retry-after"]
            for headers in (alice, bob, {**alice, "Idempotency-Key": f"other-{number}"}):
                assert http.post("/v1/jobs", json=SENTENCE, headers=headers).status_code == 202
        assert time.monotonic() - started < STUCK_S
        stopped.rollback()
    until = time.monotonic() + STUCK_S
    while (again := http.post("/v1/jobs", json=SENTENCE, headers={**alice, "Idempotency-Key": "stuck"})).is_error:
        refused(again, "idempotency_in_progress")
        assert time.monotonic() < until
        time.sleep(0.5)


def test_a_lock_on_one_job_keeps_who_wants_to_cancel_it_waiting_and_nobody_else(
    http: httpx.Client, url: str, users: dict[str, dict[str, str]]
) -> None:
    alice, bob = users["alice"], users["bob"]
    job = http.post("/v1/jobs", json=SENTENCE, headers=alice).json()
    with psycopg.connect(url) as stopped:
        stopped.execute("SELECT 1 FROM jobs WHERE id = %s FOR UPDATE", (job["id"],))
        started = time.monotonic()
        refused(http.post(job["links"]["cancel"], headers=alice), "store_unavailable")
        for headers in (alice, bob):
            assert http.post("/v1/jobs", json=SENTENCE, headers=headers).status_code == 202
            assert http.get("/v1/jobs", headers=headers).status_code == 200
        assert http.get(job["links"]["self"], headers=alice).json()["status"] == "queued"
        assert time.monotonic() - started < STUCK_S
        stopped.rollback()
    assert http.post(job["links"]["cancel"], headers=alice).json()["status"] == "canceled"


def test_a_locked_table_is_told_within_seconds_and_healthz_answers(
    http: httpx.Client, url: str, users: dict[str, dict[str, str]]
) -> None:
    alice = users["alice"]
    job = http.post("/v1/jobs", json=SENTENCE, headers=alice).json()
    with psycopg.connect(url) as stopped:
        stopped.execute("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        refused(http.post("/v1/jobs", json=SENTENCE, headers=alice), "store_unavailable")
        refused(http.get("/v1/jobs", headers=alice), "store_unavailable")
        refused(http.get(job["links"]["self"], headers=alice), "store_unavailable")
        assert http.get("/healthz").status_code == 200
        assert time.monotonic() - started < STUCK_S
        stopped.rollback()
    assert http.get(job["links"]["self"], headers=alice).status_code == 200
