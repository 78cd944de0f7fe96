"""A store that is damaged, emptied or of a newer version is refused with what was found and what to do; one that gets
so while it is used says so and takes nothing more."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from shared.blobs import open_blobs
from shared.errors import SettingsError, StoreDamaged, StoreUnusable
from shared.ports import Blobs
from shared.store.sql import Database, SqlJobStore, open_database
from tests.shared.store.building import add, job, new_job

Spoil = Callable[[Path], None]


def _garbage_in_the_header(file: Path) -> None:
    file.write_bytes(b"what was this?\0\1" + file.read_bytes()[16:])


def _cut_to_half(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def _cut_within_a_page(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2 + 100)


def _damaged_pages(file: Path) -> None:
    """A run of pages in the middle, as a disk loses them."""
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.seek(size // 4096 // 4 * 4096)
        opened.write(random.Random(1).randbytes(size // 4096 // 2 * 4096))


def _one_damaged_page(file: Path) -> None:
    """A page of jobs, which nothing reads while the store is opened."""
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 4096 * 3 // 4 * 4096)
        opened.write(random.Random(3).randbytes(4096))


def _all_garbage(file: Path) -> None:
    file.write_bytes(random.Random(2).randbytes(file.stat().st_size))


def _all_after_the_first_page(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(4096)
        opened.write(b"\xaa" * (file.stat().st_size - 4096))


def _index_of_the_queue(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'jobs_queue'").fetchone()
    with file.open("r+b") as opened:
        opened.seek((page - 1) * 4096)
        opened.write(b"\xaa" * 4096)


SPOILT: dict[str, Spoil] = {
    "garbage in the header": _garbage_in_the_header,
    "cut to half": _cut_to_half,
    "cut within a page": _cut_within_a_page,
    "damaged pages": _damaged_pages,
    "one damaged page": _one_damaged_page,
    "all garbage": _all_garbage,
}


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    blobs = open_blobs(tmp_path / "blobs")
    blobs.put(b"\0\0")
    return blobs


@pytest.fixture
def file(tmp_path: Path, blobs: Blobs, migrated_file: Path) -> Path:
    """A store with jobs, closed as it is at a stop."""
    file = Path(shutil.copy(migrated_file, tmp_path / "ringtrue.db"))
    with closing(open_database(_url(file), blobs, accept_empty=True)) as database:
        add(SqlJobStore(database), *(new_job(f"job_{number:03}") for number in range(300)))
        with database.read() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


def _url(file: Path) -> str:
    return f"sqlite:///{file}"


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_a_damaged_file_is_refused(file: Path, blobs: Blobs, spoil: Spoil) -> None:
    spoil(file)
    for accept_empty in (False, True):
        with pytest.raises(StoreUnusable, match=r"damaged: .*Restore a backup"):
            open_database(_url(file), blobs, accept_empty=accept_empty)


@pytest.mark.parametrize("how", ["deleted", "empty"])
def test_an_empty_store_beside_audio_is_refused_unless_that_is_accepted(file: Path, blobs: Blobs, how: str) -> None:
    file.unlink()
    if how == "empty":
        file.touch()
    with pytest.raises(StoreUnusable, match=r"contains audio .*Restore a backup .*--accept-empty"):
        open_database(_url(file), blobs)
    open_database(_url(file), blobs, accept_empty=True).close()
    open_database(_url(file), blobs).close()  # from then on it is the store


def test_an_empty_store_beside_no_audio_is_a_first_start(tmp_path: Path) -> None:
    open_database(_url(tmp_path / "new.db"), open_blobs(tmp_path / "blobs")).close()


def test_an_empty_database_on_a_server_is_refused_likewise(
    make_postgresql_database: Callable[[], str], blobs: Blobs, tmp_path: Path
) -> None:
    url = make_postgresql_database()
    with pytest.raises(StoreUnusable, match="--accept-empty"):
        open_database(url, blobs)
    open_database(url, open_blobs(tmp_path / "none", create=False)).close()
    open_database(url, blobs).close()


@pytest.mark.parametrize("revision", ["0099", "abcdef"])
def test_a_store_of_a_newer_version_is_refused_by_that_name(file: Path, blobs: Blobs, revision: str) -> None:
    with closing(Database(_url(file))) as database, database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
    with pytest.raises(StoreUnusable, match=f"newer version of Ringtrue .*{revision}"):
        open_database(_url(file), blobs)


def test_what_is_no_url_is_told() -> None:
    with pytest.raises(SettingsError, match="postgresql://HOST"):
        open_database("nonsense", open_blobs(Path("/nowhere"), create=False))


@pytest.mark.parametrize("service", ["gateway --port 0", "worker", "scorer", "gateway.key_commands list"])
def test_every_process_that_opens_it_says_so_in_a_line_and_ends(file: Path, blobs: Blobs, service: str) -> None:
    _cut_to_half(file)
    name, *arguments = service.split()
    command = [sys.executable, "-m", f"services.{name}", *arguments]
    env = {
        **os.environ,
        "RINGTRUE_DATA": str(file.parent),
        "RINGTRUE_BLOBS": str(file.parent / "blobs"),
        "RINGTRUE_REDIS_URL": "redis://127.0.0.1:1/0",
    }
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == os.EX_CONFIG, done.stderr
    assert "is damaged" in done.stdout + done.stderr
    assert "Restore a backup" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("how", ["deleted", "replaced", "emptied"])
def test_a_file_that_is_taken_away_while_it_is_used_takes_nothing_more(file: Path, blobs: Blobs, how: str) -> None:
    """What is written to a deleted file is gone with the process."""
    with closing(open_database(_url(file), blobs)) as database:
        store = SqlJobStore(database)
        add(store, new_job("job_before"))
        if how == "emptied":
            os.truncate(file, 0)
        else:
            file.rename(file.with_suffix(".away"))
        if how == "replaced":
            file.write_bytes(file.with_suffix(".away").read_bytes())
        with pytest.raises(StoreDamaged, match="deleted, replaced or emptied"):
            add(store, new_job("job_after"))
        with pytest.raises(StoreDamaged):
            store.ping()
        if how == "deleted":
            assert not file.exists()


def test_a_page_that_is_found_damaged_while_it_is_used_is_remembered(file: Path, blobs: Blobs) -> None:
    with closing(open_database(_url(file), blobs)) as database:
        store = SqlJobStore(database)
        store.ping()
        _damaged_pages(file)
        with database.engine.connect() as connection:  # nobody has it in memory any more
            connection.exec_driver_sql("PRAGMA cache_size = 0")
        found = 0
        for number in range(300):
            try:
                job(store, f"job_{number:03}")
            except StoreDamaged:
                found += 1
        assert found
        assert database.damage


@pytest.mark.parametrize("spoil", [_all_after_the_first_page, _index_of_the_queue])
def test_a_write_to_a_damaged_page_ends_readiness(file: Path, spoil: Spoil) -> None:
    """Also where what readiness itself reads is whole."""
    spoil(file)
    with closing(Database(_url(file))) as database:
        store = SqlJobStore(database)
        with pytest.raises(StoreDamaged):
            add(store, new_job("job_new"))
        with pytest.raises(StoreDamaged):
            store.ping()
