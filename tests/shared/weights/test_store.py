"""The store: a file gets in by its right hash alone, is there once, and goes only when nobody has a use for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from shared.weights.errors import InUse
from shared.weights.lock import EMPTY_SHA256, PinLock
from shared.weights.store import WeightStore, WrongBytes
from shared.weights.verification import verify
from tests.model_stores import bring, described
from tests.shared.weights.voices import VOICE, lock_of, pulled

V21 = {**VOICE, "model.bin": b"the older one" * 1000}


def files_of(store: WeightStore) -> set[str]:
    """Hashes of all that is in."""
    return {path.name for path in (store.root / "blobs").rglob("*") if path.is_file()}


def test_a_file_is_in_by_its_hash_and_can_no_longer_be_written(store: WeightStore) -> None:
    file = bring(store, "model.bin", b"weights")
    assert store.blob(file.sha256).read_bytes() == b"weights"
    assert store.blob(file.sha256).stat().st_mode & 0o222 == 0
    assert store.has(file)
    assert not store.partial(file.sha256).exists()


@pytest.mark.parametrize(("content", "said"), [(b"wrongly", "has sha256"), (b"", "is empty")])
def test_wrong_bytes_go_into_quarantine_with_both_hashes(
    store: WeightStore, tmp_path: Path, content: bytes, said: str
) -> None:
    file, brought = described("sub/model.bin", b"weights"), tmp_path / "brought"
    brought.write_bytes(content)
    with pytest.raises(WrongBytes, match=said) as refused:
        store.adopt(brought, file, source_name="a mirror")
    assert not store.has(file)
    assert not brought.exists()
    (note,) = (store.root / "quarantine").glob("*.json")
    told = json.loads(note.read_text())
    assert (told["locked_sha256"], told["found_sha256"]) == (file.sha256, refused.value.found)
    assert (told["from"], told["path"]) == ("a mirror", "sub/model.bin")
    assert note.with_suffix("").read_bytes() == content
    assert (refused.value.found == EMPTY_SHA256) == (content == b"")


def test_a_file_that_is_meant_to_be_empty_gets_in(store: WeightStore) -> None:
    lock = pulled(store, {**VOICE, "__init__.py": b""})
    assert verify(store, lock, whole=True).files == len(VOICE) + 1


def test_a_link_that_is_brought_is_not_followed(store: WeightStore, tmp_path: Path) -> None:
    content = tmp_path / "elsewhere"
    content.write_bytes(b"weights")
    (tmp_path / "brought").symlink_to(content)
    with pytest.raises(OSError, match="symbolic links"):
        store.adopt(tmp_path / "brought", described("model.bin", b"weights"), source_name="a mirror")


def test_the_snapshot_has_every_file_and_nothing_else(store: WeightStore) -> None:
    folder = store.snapshot(pulled(store))
    assert {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()} == VOICE


def test_the_same_bytes_under_two_names_are_there_once(store: WeightStore) -> None:
    lock = pulled(store, {"a.bin": b"same", "b/c.bin": b"same"})
    assert len(files_of(store)) == 1
    assert verify(store, lock, whole=True).files == 2


def test_a_snapshot_that_is_right_is_not_made_anew(store: WeightStore) -> None:
    lock = pulled(store)
    before = store.snapshot(lock).stat().st_ino
    store.link(lock)
    assert store.snapshot(lock).stat().st_ino == before


def test_a_snapshot_that_is_wrong_is_made_anew_and_leaves_nothing_beside_it(store: WeightStore) -> None:
    lock = pulled(store)
    folder = store.snapshot(lock)
    (folder / "extra.py").write_text("import os")
    (folder.parent / f".{folder.name}.123.456").mkdir()
    store.link(lock)
    verify(store, lock)
    assert list(folder.parent.iterdir()) == [folder]


def test_the_whole_store_may_be_moved(store: WeightStore, tmp_path: Path) -> None:
    lock = pulled(store)
    store.root.rename(tmp_path / "moved")
    moved = WeightStore(tmp_path / "moved")
    assert (verify(moved, lock).folder / "config.json").read_bytes() == VOICE["config.json"]


def test_remove_takes_only_what_no_other_pin_has(store: WeightStore) -> None:
    old, new = pulled(store, V21, "voice-v21"), pulled(store, VOICE, "voice-v23")
    freed = store.remove(old, [new])
    assert freed == len(V21["model.bin"])
    assert files_of(store) == {file.sha256 for file in new.files}
    verify(store, new, whole=True)
    assert store.remove(new, []) == new.size
    assert files_of(store) == set()
    assert not list((store.root / "checked").iterdir())


def test_remove_leaves_what_a_pin_of_another_catalog_links_to(store: WeightStore) -> None:
    """Two deployments may share one store; neither knows the other's locks."""
    mine, theirs = pulled(store, V21, "voice-v21"), pulled(store, VOICE, "voice-v23")
    store.remove(mine, [])
    verify(store, theirs, whole=True)


def test_remove_takes_what_the_pin_was_locked_to_before_as_well(store: WeightStore) -> None:
    pulled(store, V21)
    now = pulled(store, VOICE)
    store.remove(now, [])
    assert files_of(store) == set()
    assert not list((store.root / "snapshots").iterdir())


def test_removing_what_was_never_pulled_frees_nothing(store: WeightStore) -> None:
    assert store.remove(lock_of(), []) == 0


@pytest.fixture
def served(store: WeightStore) -> Iterator[tuple[PinLock, Event]]:
    """A pin that another process uses, until told to stop."""
    lock, context = pulled(store), get_context("spawn")
    began, end = context.Event(), context.Event()
    worker = context.Process(target=serve, args=(store, lock, began, end))
    worker.start()
    assert began.wait(30)
    yield lock, end
    worker.kill()
    worker.join()


def serve(store: WeightStore, lock: PinLock, began: Event, end: Event) -> None:
    with store.using(lock):
        began.set()
        end.wait(60)


def test_remove_is_refused_while_a_worker_serves_the_pin(store: WeightStore, served: tuple[PinLock, Event]) -> None:
    lock, _ = served
    with pytest.raises(InUse, match="voice-v1"):
        store.remove(lock, [])
    verify(store, lock, whole=True)


def test_an_earlier_lock_that_a_worker_still_serves_outlives_the_pin(
    store: WeightStore, served: tuple[PinLock, Event]
) -> None:
    earlier, _ = served
    now = pulled(store, V21)
    assert store.remove(now, []) == len(V21["model.bin"])
    verify(store, earlier, whole=True)
