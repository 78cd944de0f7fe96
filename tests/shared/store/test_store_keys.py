"""Keys stay known after they were revoked."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from sqlalchemy import Table, func, insert, select

from shared.jobs import NewJob
from shared.keys import Key, KeyStore
from shared.store.sql import Database, SqlJobStore, SqlKeyStore, SqlVoiceStore
from shared.store.sql.owners import ACCOUNTS, OWNERS
from shared.store.sql.tables.indexes import metadata_pairs
from shared.store.sql.tables.schema import keys, metadata, turns, usage
from shared.voices import Consent, Recording, Voice
from tests.shared.store.building import NOW, add, new_job
from tests.shared.store.study_building import evaluate

KEY = Key("k1", "ann", "d" * 64, NOW, expires_at=NOW + 60)
VOICE = Voice("voice_1", "local", None, Recording("ab" * 32, 24_000, 4.05), Consent("Ann", NOW, "I agree."), NOW)


def test_a_key_is_found_as_it_was_added(key_store: KeyStore) -> None:
    key_store.add(KEY)
    assert key_store.find("k1") == KEY
    assert key_store.find("k2") is None


def test_keys_are_listed_oldest_first(key_store: KeyStore) -> None:
    keys = [Key("k3", "ann", "d", NOW), Key("k1", "ann", "d", NOW + 1), Key("k2", "bob", "d", NOW + 1)]
    for key in reversed(keys):
        key_store.add(key)
    assert key_store.list() == keys


def test_a_revoked_key_stays_known(key_store: KeyStore) -> None:
    key_store.add(KEY)
    assert key_store.revoke("k1", NOW + 5)
    assert key_store.find("k1") == replace(KEY, revoked_at=NOW + 5)


def test_revoking_again_changes_nothing(key_store: KeyStore) -> None:
    key_store.add(KEY)
    key_store.revoke("k1", NOW + 5)
    assert key_store.revoke("k1", NOW + 9)
    assert key_store.find("k1") == replace(KEY, revoked_at=NOW + 5)


def test_a_key_that_does_not_exist_cannot_be_revoked(key_store: KeyStore) -> None:
    assert not key_store.revoke("k1", NOW)


def test_whether_a_key_was_ever_made_outlasts_its_revocation(key_store: KeyStore) -> None:
    assert not key_store.any()
    key_store.add(KEY)
    key_store.revoke("k1", NOW)
    assert key_store.any()


def test_the_first_key_is_told_from_others(key_store: KeyStore) -> None:
    assert key_store.add_first(KEY, "local") == {}
    assert key_store.add_first(replace(KEY, id="k2"), "local") is None
    assert key_store.list() == [KEY]


def test_of_many_first_keys_at_once_one_is_kept(database: Database) -> None:
    together = threading.Barrier(4)

    def add(number: int) -> bool:
        together.wait(20)
        return SqlKeyStore(database).add_first(replace(KEY, id=f"k{number}"), "local") is not None

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(add, range(4))) == [False, False, False, True]


def a_job(number: int, user: str) -> NewJob:
    return new_job(f"job_{number}", user=user)


def test_what_was_made_without_a_key_is_the_first_keys_users(sql_store: SqlJobStore, database: Database) -> None:
    add(sql_store, a_job(1, "local"), a_job(2, "local"), a_job(3, "ben"))
    evaluate(sql_store, user="local")
    SqlVoiceStore(database).add(VOICE)
    found = SqlKeyStore(database).add_first(KEY, "local")
    assert found == {"jobs": 2, "evaluations": 1, "voices": 1}
    assert {job.id: job.user for job in sql_store.get(["job_1", "job_2", "job_3"]).values()} == {
        "job_1": "ann",
        "job_2": "ann",
        "job_3": "ben",
    }
    assert rows_of("local", database) == 0
    assert SqlKeyStore(database).hand_over("local", "ann") == {}


def test_accounts_are_handed_over_into_those_of_the_heir(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(usage), [{"user": user, "window": 1, "audio_s": 5.0} for user in ("local", "ann")])
        row = {"work": "scoring", "window": 1, "taken": 2.0}
        connection.execute(insert(turns), [{**row, "user": user} for user in ("local", "ann")])
    SqlKeyStore(database).add_first(KEY, "local")
    assert (rows_of("local", database), rows_of("ann", database)) == (0, 2)


def test_every_table_with_an_owner_is_handed_over() -> None:
    named = {table.name for table in metadata.tables.values() if "user" in table.c}
    assert named == {owner.table.name for owner in OWNERS} | {table.name for table in ACCOUNTS} | {keys.name}


def rows_of(user: str, database: Database) -> int:
    tables: list[Table] = [metadata_pairs, usage, turns, *(owner.table for owner in OWNERS)]
    with database.read() as connection:
        counts = [select(func.count()).select_from(table).where(table.c.user == user) for table in tables]
        return sum(connection.execute(count).scalar_one() for count in counts)
