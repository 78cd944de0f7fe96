"""Bytes by their hash: stored once, whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from shared.blobs import FolderBlobs


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


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "0" * 63, "A" * 64])
def test_a_name_that_is_no_hash_leads_nowhere(blobs: FolderBlobs, name: str) -> None:
    with pytest.raises(KeyError):
        blobs.get(name)
    with pytest.raises(KeyError):
        next(blobs.read(name, 0, 1))
