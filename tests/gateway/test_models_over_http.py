"""A node hands the files of its locked models to others: those, and no other byte of its disk."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.gateway.models.model_files import ModelFiles
from shared.weights.lock import write_locks
from shared.weights.store import WeightStore
from tests.gateway.place import Place, opened, refused
from tests.model_stores import bring
from tests.shared.weights.voices import VOICE, lock_of, pulled

pytestmark = pytest.mark.anyio
LOCK = lock_of({**VOICE, "long.bin": bytes(range(256)) * 12_000, "never-pulled.bin": b"only the lock knows it"})
CONTENTS = {**VOICE, "long.bin": bytes(range(256)) * 12_000}
BY_PATH = {file.path: file for file in LOCK.files}
MODEL = BY_PATH["model.bin"]


@pytest.fixture
def store(tmp_path: Path) -> WeightStore:
    """Has all of the lock but one file."""
    store = WeightStore(tmp_path / "models")
    pulled(store, CONTENTS)
    write_locks(tmp_path / "catalog.lock", {LOCK.name: LOCK})
    return store


@pytest.fixture
async def place(tmp_path: Path, store: WeightStore) -> AsyncIterator[Place]:
    async with opened(tmp_path, files=ModelFiles(store, tmp_path / "catalog.lock")) as place:
        yield place


def url(path: str) -> str:
    return f"/v1/models/files/{BY_PATH[path].sha256}"


@pytest.mark.parametrize("path", CONTENTS)
async def test_every_file_of_a_locked_pin_that_is_there_is_served(place: Place, path: str) -> None:
    answer = await place.http.get(url(path))
    assert (answer.status_code, answer.content) == (200, CONTENTS[path])
    assert answer.headers["etag"] == f'"{BY_PATH[path].sha256}"'
    assert answer.headers["content-length"] == str(len(CONTENTS[path]))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(("asked", "first", "end"), [("bytes=0-0", 0, 1), ("bytes=100-", 100, 50_000)])
async def test_a_download_that_was_cut_off_goes_on_with_a_range(place: Place, asked: str, first: int, end: int) -> None:
    answer = await place.http.get(url("model.bin"), headers={"Range": asked, "If-Range": f'"{MODEL.sha256}"'})
    assert (answer.status_code, answer.content) == (206, CONTENTS["model.bin"][first:end])
    assert answer.headers["content-range"] == f"bytes {first}-{end - 1}/50000"


async def test_a_range_of_another_file_gets_the_whole_one(place: Place) -> None:
    answer = await place.http.get(url("model.bin"), headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (answer.status_code, answer.content) == (200, CONTENTS["model.bin"])


async def test_a_range_after_the_end_is_refused(place: Place) -> None:
    answer = await place.http.get(url("model.bin"), headers={"Range": "bytes=50000-"})
    refused(answer, "range_not_satisfiable")
    assert answer.headers["content-range"] == "bytes */50000"


async def test_what_the_other_node_has_is_not_sent_again(place: Place) -> None:
    answer = await place.http.get(url("model.bin"), headers={"If-None-Match": f'"{MODEL.sha256}"'})
    assert (answer.status_code, answer.content) == (304, b"")


async def test_a_file_that_was_never_pulled_is_not_there(place: Place) -> None:
    refused(await place.http.get(url("never-pulled.bin")), "not_found")


async def test_a_file_that_was_touched_is_not_handed_on(place: Place, store: WeightStore) -> None:
    os.utime(store.blob(MODEL.sha256))
    refused(await place.http.get(url("model.bin")), "not_found")


async def test_a_file_that_no_lock_names_is_not_there(place: Place, store: WeightStore) -> None:
    other = bring(store, "private.bin", b"not locked")
    refused(await place.http.get(f"/v1/models/files/{other.sha256}"), "not_found")


@pytest.mark.parametrize("name", ["..%2f..%2fcatalog.lock", "x", "%2fetc%2fpasswd", MODEL.sha256.upper(), "0" * 64])
async def test_nothing_else_of_the_disk_can_be_asked_for(place: Place, name: str) -> None:
    refused(await place.http.get(f"/v1/models/files/{name}"), "not_found")


async def test_the_locks_are_those_that_the_file_names_now(place: Place, tmp_path: Path) -> None:
    assert (await place.http.get(url("model.bin"))).status_code == 200
    write_locks(tmp_path / "catalog.lock", {})
    refused(await place.http.get(url("model.bin")), "not_found")


async def test_a_lock_that_cannot_be_read_hands_out_nothing(place: Place, tmp_path: Path) -> None:
    (tmp_path / "catalog.lock").write_text("{")
    refused(await place.http.get(url("model.bin")), "not_found")


async def test_where_keys_are_asked_for_files_need_one_too(tmp_path: Path, store: WeightStore) -> None:
    files = ModelFiles(store, tmp_path / "catalog.lock")
    async with opened(tmp_path, files=files, open_to_local=False) as place:
        refused(await place.http.get(url("model.bin")), "key_missing")
        answer = await place.http.get(url("model.bin"), headers=place.user("node-2"))
        assert answer.content == CONTENTS["model.bin"]


async def test_a_gateway_without_a_store_of_models_has_none_to_give(tmp_path: Path) -> None:
    async with opened(tmp_path) as place:
        refused(await place.http.get(url("model.bin")), "not_found")


@pytest.mark.parametrize("path", CONTENTS)
async def test_head_says_of_a_file_what_get_does(place: Place, path: str) -> None:
    got, asked = await place.http.get(url(path)), await place.http.head(url(path), headers={"Range": "bytes=1-2"})
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["content-length"] == str(len(CONTENTS[path]))
    names = ("etag", "repr-digest", "content-type", "accept-ranges", "cache-control")
    assert [asked.headers[name] for name in names] == [got.headers[name] for name in names]
