"""Folders as sources, and what `--from` and the environment mean."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from services.pins.sources.base import Gone, SourceAccess
from services.pins.sources.table import from_argument, open_source, open_sources, read_access
from shared.weights.errors import CatalogInvalid
from shared.weights.hashing import never_mind
from shared.weights.lock import Component, LockedFile, Source
from shared.weights.store import WeightStore
from tests.pins.hub import Hub

BIG = bytes(range(256)) * 400
MODEL = LockedFile("model.bin", len(BIG), hashlib.sha256(BIG).hexdigest(), "weights/model.bin")


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "partial"


def test_a_folder_delivers_by_the_sources_names_or_the_snapshots(tmp_path: Path, into: Path) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    (folder / "model.bin").write_bytes(BIG)
    into.write_bytes(BIG[:1000])
    told: list[int] = []
    open_source(Source(folder=str(folder)), SourceAccess()).fetch(MODEL, into, told.append)
    assert (into.read_bytes() == BIG, sum(told)) == (True, len(BIG) - 1000)


def test_a_folder_may_be_another_store(tmp_path: Path, into: Path) -> None:
    other = WeightStore(tmp_path / "other")
    blob = other.blob(MODEL.sha256)
    blob.parent.mkdir(parents=True)
    blob.write_bytes(BIG)
    open_source(Source(folder=str(other.root)), SourceAccess()).fetch(MODEL, into, never_mind)
    assert into.read_bytes() == BIG


def test_a_folder_without_the_file_is_said(tmp_path: Path, into: Path) -> None:
    with pytest.raises(Gone):
        open_source(Source(folder=str(tmp_path)), SourceAccess()).fetch(MODEL, into, never_mind)


def test_another_node_delivers_by_hash_to_who_has_a_key(start_hub: Callable[..., Hub], into: Path) -> None:
    node = start_hub(token="rt_key")
    node.repo("team/voice").commit({MODEL.at_source: BIG})
    into.write_bytes(BIG[:1000])
    (source,) = from_argument(f"node={node.url}", COMPONENT, SourceAccess(ringtrue_key="rt_key"))
    source.fetch(MODEL, into, never_mind)
    assert into.read_bytes() == BIG


COMPONENT = Component("model", (Source(hub="huggingface", repo="team/voice", revision="1" * 40),), ())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("https://mirror.example", "huggingface team/voice@111111111111 at https://mirror.example"),
        ("huggingface=http://mirror.example/hub", "huggingface team/voice@111111111111 at http://mirror.example/hub"),
        ("https://files.example/voices", "url https://files.example/voices"),
        ("node=http://colleague:8000", "node http://colleague:8000"),
        ("/mnt/share", "folder /mnt/share"),
        ("folder=share", "folder share"),
    ],
)
def test_what_from_means(text: str, name: str) -> None:
    assert [source.name for source in from_argument(text, COMPONENT, SourceAccess())] == [name]


def test_a_hub_that_the_component_is_not_on_has_nothing_of_it() -> None:
    assert from_argument("modelscope=https://www.modelscope.cn", COMPONENT, SourceAccess()) == []


@pytest.mark.parametrize("text", ["", "node=", "node=colleague"])
def test_a_from_that_names_no_place_is_refused(text: str) -> None:
    with pytest.raises(CatalogInvalid, match="--from"):
        from_argument(text, COMPONENT, SourceAccess())


def test_a_list_of_endpoints_is_tried_in_order() -> None:
    access = read_access({"HF_ENDPOINT": "https://hf-mirror.com, huggingface.co/", "HF_TOKEN": "t"})
    names = [source.name for source in open_sources(COMPONENT.sources[0], access)]
    assert [name.rpartition(" at ")[2] for name in names] == ["https://hf-mirror.com", "https://huggingface.co"]
