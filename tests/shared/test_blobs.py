"""Bytes by their hash: stored once, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.blobs import local_folders, open_blobs
from shared.blobs.folder import FolderBlobs
from shared.errors import SettingsError, StorageUnavailable
from shared.ports import FoundBlob
from tests.small_disk import fill


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path / "blobs")


def test_gives_back_what_was_put_under_its_sha256(blobs: FolderBlobs) -> None:
    sha256 = blobs.put(b"speech")
    assert sha256 == hashlib.sha256(b"speech").hexdigest()
    assert blobs.get(sha256) == b"speech"
    assert blobs.size(sha256) == 6


def test_the_same_bytes_lie_there_once(blobs: FolderBlobs, tmp_path: Path) -> None:
    blobs.put(b"speech")
    blobs.put(b"speech")
    assert len([path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]) == 1


def test_reads_a_stretch_in_chunks(blobs: FolderBlobs) -> None:
    content = bytes(range(256)) * 4096
    sha256 = blobs.put(content)
    assert b"".join(blobs.read(sha256, 1000, 700_000)) == content[1000:701_000]


def test_what_was_deleted_is_gone_and_deleting_again_is_harmless(blobs: FolderBlobs) -> None:
    sha256 = blobs.put(b"speech")
    blobs.delete(sha256)
    blobs.delete(sha256)
    with pytest.raises(KeyError):
        blobs.get(sha256)


def test_a_blob_is_found_if_there_is_one_also_in_a_store_inside(blobs: FolderBlobs, tmp_path: Path) -> None:
    (tmp_path / "blobs" / ".hidden").touch()
    assert blobs.any_blob() is None
    sha256 = FolderBlobs(tmp_path / "blobs" / "recordings").put(b"speech")
    assert blobs.any_blob() == FoundBlob(str(tmp_path / "blobs"), f"recordings/{sha256[:2]}/{sha256}")


def test_a_store_that_is_only_looked_at_makes_no_folder(tmp_path: Path) -> None:
    where = tmp_path / "not" / "there"
    assert open_blobs(where, create=False).any_blob() is None
    assert local_folders(where) == (where,)
    assert not where.parent.exists()


def test_free_bytes_are_those_of_its_disk(small_disk: Path) -> None:
    blobs = FolderBlobs(small_disk)
    fill(small_disk)
    assert blobs.free_bytes() == shutil.disk_usage(small_disk).free < 4096


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "0" * 63, "A" * 64])
def test_a_name_that_is_no_hash_leads_nowhere(blobs: FolderBlobs, name: str) -> None:
    with pytest.raises(KeyError):
        blobs.get(name)
    with pytest.raises(KeyError):
        next(blobs.read(name, 0, 1))


def test_on_a_full_disk_nothing_is_kept_by_halves_and_with_room_again_it_is(small_disk: Path) -> None:
    blobs = FolderBlobs(small_disk)
    kept = blobs.put(b"speech")
    filler = fill(small_disk)
    with pytest.raises(StorageUnavailable, match="No space left") as refused:
        blobs.put(b"x" * 100_000)
    assert refused.value.size == 100_000
    assert blobs.trouble() == "disk_full"
    assert (blobs.get(kept), blobs.put(b"speech")) == (b"speech", kept)
    filler.unlink()
    assert blobs.trouble() is None
    assert len([path for path in small_disk.rglob("*") if path.is_file()]) == 1
    assert blobs.size(blobs.put(b"x" * 100_000)) == 100_000


def test_a_folder_that_is_gone_says_nothing_of_what_was_in_it(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "blobs")
    kept = blobs.put(b"speech")
    (tmp_path / "blobs").rename(tmp_path / "unmounted")
    asked: list[Callable[[], object]] = [
        lambda: blobs.get(kept),
        lambda: blobs.size(kept),
        lambda: next(blobs.read(kept, 0, 1)),
        lambda: blobs.put(b"more"),
        blobs.trouble,
        lambda: blobs.rehearse(10),
        blobs.free_bytes,
    ]
    for ask in asked:
        with pytest.raises(StorageUnavailable):
            ask()
    (tmp_path / "unmounted").rename(tmp_path / "blobs")
    assert blobs.get(kept) == b"speech"


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "blobs")
    for path in sorted((tmp_path / "blobs").rglob("*"), reverse=True):
        path.rmdir()
    (tmp_path / "blobs").rmdir()
    (tmp_path / "blobs").write_text("no folder")
    with pytest.raises(StorageUnavailable):
        blobs.put(b"speech")


def test_a_folder_that_cannot_be_made_is_a_setting_to_change(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SettingsError, match=f"cannot write to {tmp_path}/file/blobs.*: Not a directory"):
        open_blobs(tmp_path / "file" / "blobs")
    assert open_blobs(tmp_path / "file" / "blobs", create=False).why_not_writable()


def test_what_a_process_that_was_killed_left_half_written_is_removed(tmp_path: Path) -> None:
    FolderBlobs(tmp_path)
    for name, age_s in (("old", 7200), ("new", 60)):
        (tmp_path / ".incoming" / name).write_bytes(b"half")
        os.utime(tmp_path / ".incoming" / name, (time.time() - age_s,) * 2)
    FolderBlobs(tmp_path)
    assert os.listdir(tmp_path / ".incoming") == ["new"]
