"""Lock: what the catalog wants becomes commits and hashes, through the hubs' own clients against a hub on loopback."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from services.pins.locking.lock import KeptComponent, Locked, Locker, Unlocked, changes, lock_pins
from services.pins.locking.lock_book import LockBook
from services.pins.sources.base import SourceAccess
from shared.weights.catalog_file import Entry, Wanted
from shared.weights.lock import PinLock, Source
from shared.weights.store import WeightStore
from tests.pins.conftest import IMPATIENT
from tests.pins.hub import Fault, Hub

SMALL = b'{"rate": 24000}'
MODEL = bytes(range(256)) * 40
LARGE = b"\7" * (10 << 20) + b"large"
FILES = {"config.json": SMALL, "model.bin": MODEL, "notes/readme.txt": b"hello"}

Outcomes = list[Locked | KeptComponent | Unlocked]
Lock = Callable[..., Outcomes]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def source(hub: str = "huggingface", revision: str = "main", repo: str = "team/voice") -> Source:
    return Source(hub=hub, repo=repo, revision=revision)


def entry(*components: Wanted, name: str = "voice", **members: object) -> Entry:
    parts = components or (Wanted("model", (source(),)),)
    return Entry(name=name, engine="transformers", components=parts, **members)  # type: ignore[arg-type]


@pytest.fixture
def book(tmp_path: Path) -> LockBook:
    return LockBook(tmp_path / "team" / "catalog.lock")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def lock(book: LockBook, store: WeightStore, access: SourceAccess, said: list[str]) -> Lock:
    def lock(*entries: Entry, update: bool = False, through: SourceAccess = access) -> Outcomes:
        return list(lock_pins(book, entries, Locker(store, through, said.append), update=update))

    return lock


@pytest.fixture(autouse=True)
def commit(hub: Hub) -> str:
    return hub.repo("team/voice").commit(FILES)


def test_a_branch_becomes_a_commit_and_every_file_its_hash(lock: Lock, book: LockBook, commit: str) -> None:
    lock(entry(licence="MIT", version="v21", options={"rate": 1}))
    locked = book.read()["voice"]
    (component,) = locked.components
    assert (locked.engine, locked.licence, locked.version, locked.options) == (
        "transformers",
        "MIT",
        "v21",
        {"rate": 1},
    )
    assert component.sources == (source(revision=commit),)
    assert {file.path: (file.size, file.sha256) for file in component.files} == {
        path: (len(content), sha256(content)) for path, content in FILES.items()
    }


def test_what_was_fetched_to_be_hashed_is_in_the_store(lock: Lock, store: WeightStore) -> None:
    (locked,) = lock(entry())
    assert isinstance(locked, Locked)
    assert all(store.has(file) for file in locked.lock.files)
    assert list((store.root / "partial").iterdir()) == []


@pytest.mark.parametrize("kind", ["huggingface", "modelscope"])
def test_a_large_file_whose_hash_is_listed_is_not_fetched(kind: str, lock: Lock, hub: Hub) -> None:
    hub.repo("team/voice").commit({**FILES, "large.bin": LARGE})
    (locked,) = lock(entry(Wanted("model", (source(kind),))))
    assert isinstance(locked, Locked)
    assert [file.sha256 for file in locked.lock.files if file.path == "large.bin"] == [sha256(LARGE)]
    assert hub.sent("large.bin") == 0


def test_patterns_folder_and_new_names_lay_out_the_snapshot(lock: Lock) -> None:
    wanted = Wanted("codec", (source(),), files=("*.bin", "notes/*"), folder="cache", rename={"model.bin": "codec.bin"})
    (locked,) = lock(entry(wanted))
    assert isinstance(locked, Locked)
    assert [(file.path, file.source_path) for file in locked.lock.files] == [
        ("cache/codec.bin", "model.bin"),
        ("cache/notes/readme.txt", "notes/readme.txt"),
    ]


def test_a_pattern_that_takes_nothing_is_refused(lock: Lock, book: LockBook) -> None:
    (outcome,) = lock(entry(Wanted("model", (source(),), files=("*.bin", "*.safetensors"))))
    assert isinstance(outcome, Unlocked)
    assert "*.safetensors" in outcome.why
    assert book.read() == {}


def test_two_components_that_want_the_same_place_are_refused(lock: Lock) -> None:
    (outcome,) = lock(entry(Wanted("model", (source(),)), Wanted("other", (source(),))))
    assert isinstance(outcome, Unlocked)
    assert "twice" in outcome.why


def test_every_hub_is_locked_to_its_own_commit(lock: Lock, hub: Hub) -> None:
    elsewhere = hub.repo("mirror/voice").commit(FILES)
    wanted = Wanted("model", (source(), source("modelscope", "master", "mirror/voice")))
    (locked,) = lock(entry(wanted))
    assert isinstance(locked, Locked)
    assert [src.revision for src in locked.lock.components[0].sources][1] == elsewhere


def test_a_further_hub_with_another_file_is_said_and_left_out(lock: Lock, hub: Hub, said: list[str]) -> None:
    hub.repo("mirror/voice").commit({**FILES, "model.bin": MODEL[::-1]})
    (locked,) = lock(entry(Wanted("model", (source(), source("modelscope", "master", "mirror/voice")))))
    assert isinstance(locked, Locked)
    assert [src.hub for src in locked.lock.components[0].sources] == ["huggingface"]
    assert any("has a different model.bin" in line for line in said)


def test_where_the_first_hub_does_not_answer_the_second_is_locked(lock: Lock, hub: Hub, said: list[str]) -> None:
    at = hub.repo("mirror/voice").commit(FILES)
    (locked,) = lock(entry(Wanted("model", (source(repo="no/such"), source("modelscope", "master", "mirror/voice")))))
    assert isinstance(locked, Locked)
    assert locked.lock.components[0].sources == (source("modelscope", at, "mirror/voice"),)
    assert any("no/such" in line for line in said)


def test_a_mirror_that_lags_is_passed_over_for_the_next_endpoint(
    lock: Lock, hub: Hub, start_hub: Callable[..., Hub], access: SourceAccess, commit: str
) -> None:
    empty = start_hub()
    through = SourceAccess(huggingface=(empty.url, hub.url), patience=IMPATIENT)
    (locked,) = lock(entry(), through=through)
    assert isinstance(locked, Locked)
    assert locked.lock.components[0].sources == (source(revision=commit),)


def test_a_branch_that_cannot_be_resolved_is_refused_and_other_pins_are_locked(lock: Lock, book: LockBook) -> None:
    good, bad = entry(), entry(Wanted("model", (source(revision="no-such-branch"),)), name="lost")
    outcomes = lock(bad, good)
    assert [type(outcome) for outcome in outcomes] == [Unlocked, Locked]
    assert set(book.read()) == {"voice"}


@pytest.mark.parametrize("fault", [Fault.WRONG, Fault.EMPTY, Fault.SHORT, Fault.TRUNCATED, Fault.STALLED, Fault.BROKEN])
def test_a_small_file_that_comes_wrong_is_never_locked(fault: Fault, lock: Lock, hub: Hub, book: LockBook) -> None:
    hub.fail("config.json", fault)
    (outcome,) = lock(entry())
    assert isinstance(outcome, Unlocked)
    assert "config.json" in outcome.why
    assert book.read() == {}


def test_a_url_and_a_folder_are_locked_by_their_bytes(lock: Lock, hub: Hub, tmp_path: Path, store: WeightStore) -> None:
    share = tmp_path / "share"
    share.mkdir()
    (share / "vocoder.bin").write_bytes(LARGE)
    url, folder = Source(url=hub.plain("team/voice")), Source(folder=str(share))
    (locked,) = lock(entry(Wanted("model", (url,), files=("model.bin",)), Wanted("vocoder", (folder,))))
    assert isinstance(locked, Locked)
    assert [file.sha256 for file in locked.lock.files] == [sha256(MODEL), sha256(LARGE)]
    assert [component.sources for component in locked.lock.components] == [(url,), (folder,)]
    assert all(store.has(file) for file in locked.lock.files)


def test_a_locked_pin_stays_though_its_branch_moves(lock: Lock, hub: Hub, book: LockBook) -> None:
    lock(entry())
    before = book.path.read_bytes()
    hub.repo("team/voice").commit({**FILES, "config.json": b"{}"})
    (outcome,) = lock(entry())
    assert isinstance(outcome, KeptComponent)
    assert book.path.read_bytes() == before


def test_a_locked_pin_that_the_catalog_describes_anew_says_so(lock: Lock) -> None:
    lock(entry())
    (outcome,) = lock(entry(Wanted("model", (source(),), files=("*.bin",)), licence="MIT"))
    assert isinstance(outcome, KeptComponent)
    assert any("licence" in line for line in outcome.disagreements)
    assert any("config.json is locked" in line for line in outcome.disagreements)


def test_an_update_moves_on_and_says_what_changed(lock: Lock, hub: Hub, book: LockBook) -> None:
    lock(entry())
    newer = hub.repo("team/voice").commit({"config.json": b"{}", "model.bin": MODEL, "new.bin": b"new"})
    (outcome,) = lock(entry(), update=True)
    assert isinstance(outcome, Locked)
    assert outcome.before is not None
    assert changes(outcome.before, outcome.lock) == [
        f"model: huggingface team/voice@{newer}",
        "1 file changed: config.json",
        "1 file added: new.bin",
        "1 file removed: notes/readme.txt",
    ]
    assert book.read()["voice"] == outcome.lock


def test_an_update_of_what_has_not_moved_is_the_same_lock(lock: Lock) -> None:
    lock(entry())
    (outcome,) = lock(entry(), update=True)
    assert isinstance(outcome, Locked)
    assert outcome.before == outcome.lock


def test_an_update_that_fails_leaves_the_lock_that_was(lock: Lock, hub: Hub, book: LockBook) -> None:
    lock(entry())
    before = book.read()
    hub.fail_api(503)
    (outcome,) = lock(entry(), update=True)
    assert isinstance(outcome, Unlocked)
    assert book.read() == before


def test_runs_at_the_same_time_do_not_lose_each_others_locks(lock: Lock, book: LockBook) -> None:
    names = [f"voice-{number}" for number in range(6)]
    runs = [threading.Thread(target=lock, args=(entry(name=name),)) for name in names]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert sorted(book.read()) == names


def test_a_lock_file_is_read_back_as_it_was_meant(lock: Lock, book: LockBook) -> None:
    (locked,) = lock(entry())
    assert isinstance(locked, Locked)
    assert PinLock.from_json(locked.lock.to_json()) == book.read()["voice"] == locked.lock


def test_what_a_killed_run_has_left_is_removed_by_the_next(lock: Lock, store: WeightStore) -> None:
    left = store.root / "partial" / "locking-dead"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"half")
    lock(entry())
    assert not left.exists()
