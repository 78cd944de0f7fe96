"""A small file has its old content or its new one, on a disk that is full as well."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from shared.files.whole_file import write_whole
from tests.small_disk import fill


def test_it_replaces_what_was_there_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    write_whole(file, "old")
    write_whole(file, b"new", durable=True)
    assert file.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["state.json"]


@pytest.mark.parametrize("before", [None, b"old"])
def test_on_a_full_disk_everything_is_as_it_was(small_disk: Path, before: bytes | None) -> None:
    file = small_disk / "state.json"
    if before is not None:
        write_whole(file, before)
    fill(small_disk)
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, b"x" * 100_000)
    assert (file.read_bytes() if file.exists() else None) == before
    assert set(os.listdir(small_disk)) == {"filler"} | ({"state.json"} if before else set())


def test_whoever_reads_meanwhile_reads_one_of_them_whole(tmp_path: Path) -> None:
    file, contents = tmp_path / "state.json", [bytes([n]) * 200_000 for n in range(3)]
    write_whole(file, contents[0])
    writer = threading.Thread(target=lambda: [write_whole(file, contents[n % 3]) for n in range(200)])
    writer.start()
    while writer.is_alive():
        assert file.read_bytes() in contents
    writer.join()


def test_it_is_for_those_it_says(tmp_path: Path) -> None:
    write_whole(tmp_path / "secret", "x", mode=0o600)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
