"""Files inside packages, through the real pip and the real npm, from an index on loopback."""

from __future__ import annotations

import dataclasses
import random
import shutil
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.pins.sources.base import Gone, ModelSource, SourceAccess, SourceFailed
from services.pins.sources.table import open_source
from shared.weights.hashing import never_mind
from shared.weights.lock import LockedFile, Source
from tests.model_stores import described
from tests.pins.package_index import PackageIndex, tarball, wheel

MODEL = random.Random("model").randbytes(300_000)
FILES = {"data/model.bin": MODEL, "data/config.json": b"{}", "notes.txt": b"hello"}
LOCKED = described("model.bin", MODEL)
SPECS = {"pypi": "some-voice==1.0.0", "npm": "some-voice@1.0.0"}

REGISTRIES = [
    "pypi",
    pytest.param("npm", marks=pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not on the PATH")),
]
each_registry = pytest.mark.parametrize("registry", REGISTRIES)


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    with PackageIndex() as living:
        living.add("pypi", "some-voice", "1.0.0", wheel(FILES))
        living.add("npm", "some-voice", "1.0.0", tarball({f"package/{path}": FILES[path] for path in FILES}))
        yield living


@pytest.fixture
def access(index: PackageIndex, tmp_path: Path) -> SourceAccess:
    return index.access(tmp_path)


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "partial"


def of(registry: str, access: SourceAccess, spec: str | None = None, path: str | None = "data") -> ModelSource:
    return open_source(Source(**{registry: spec or SPECS[registry]}, path=path), access)


def kept(access: SourceAccess) -> list[Path]:
    """The archives on this machine, unfinished ones too."""
    assert access.archives is not None
    return sorted(path for path in access.archives.rglob("*") if path.is_file())


@each_registry
def test_the_files_below_a_path_are_listed(registry: str, access: SourceAccess) -> None:
    listed = {file.path: file.size for file in of(registry, access).listed()}
    assert listed == {"config.json": 2, "model.bin": len(MODEL)}


@each_registry
def test_without_a_path_all_files_are_listed(registry: str, access: SourceAccess) -> None:
    assert set(FILES) <= {file.path for file in of(registry, access, path=None).listed()}


@each_registry
def test_a_path_that_no_file_lies_below_is_gone(registry: str, access: SourceAccess) -> None:
    with pytest.raises(Gone, match="there is no file"):
        of(registry, access, path="dat").listed()


@each_registry
def test_the_progress_moves_with_the_archive_and_ends_at_the_files_size(
    registry: str, access: SourceAccess, into: Path
) -> None:
    told: list[int] = []
    of(registry, access).fetch(LOCKED, into, told.append)
    sums = [sum(told[: place + 1]) for place in range(len(told))]
    assert (into.read_bytes() == MODEL, sums[-1], max(sums)) == (True, len(MODEL), len(MODEL))
    assert len(told) > 1


@each_registry
def test_a_file_goes_on_after_the_bytes_that_are_there(registry: str, access: SourceAccess, into: Path) -> None:
    into.write_bytes(MODEL[:1000])
    told: list[int] = []
    of(registry, access).fetch(LOCKED, into, told.append)
    assert (into.read_bytes() == MODEL, sum(told)) == (True, len(MODEL) - 1000)


@each_registry
def test_the_name_says_the_hash_of_the_archive_once_it_is_known(registry: str, access: SourceAccess) -> None:
    source = of(registry, access)
    before = source.name
    source.listed()
    assert before == f"{registry} {SPECS[registry]} in data"
    assert source.name.startswith(f"{registry} {SPECS[registry]} (sha")


@each_registry
def test_an_archive_that_is_cut_off_is_continued_by_the_next_process(
    registry: str, index: PackageIndex, access: SourceAccess, into: Path
) -> None:
    index.cut_after = 100_000
    told: list[int] = []
    with pytest.raises(SourceFailed, match="cut off"):
        of(registry, access).fetch(LOCKED, into, told.append)
    assert sum(told) == 0
    assert [path.stat().st_size for path in kept(access)] == [100_000]
    index.cut_after = None
    of(registry, access).fetch(LOCKED, into, never_mind)
    assert (into.read_bytes() == MODEL, index.sent[-1].start) == (True, 100_000)


@each_registry
def test_an_archive_with_another_hash_is_thrown_away(
    registry: str, index: PackageIndex, access: SourceAccess, into: Path
) -> None:
    index.wrong = True
    with pytest.raises(SourceFailed, match="does not have the sha"):
        of(registry, access).fetch(LOCKED, into, never_mind)
    assert (into.exists(), kept(access)) == (False, [])


@each_registry
def test_what_was_left_of_an_archive_is_not_to_blame_for_long(
    registry: str, index: PackageIndex, access: SourceAccess, into: Path
) -> None:
    index.cut_after = 100_000
    with pytest.raises(SourceFailed):
        of(registry, access).fetch(LOCKED, into, never_mind)
    (partial,) = kept(access)
    partial.write_bytes(bytes(100_000))
    index.cut_after = None
    of(registry, access).fetch(LOCKED, into, never_mind)
    assert (into.read_bytes() == MODEL, index.sent[-1].start) == (True, 0)


@each_registry
def test_an_archive_that_changed_on_the_disk_is_fetched_again(registry: str, access: SourceAccess, into: Path) -> None:
    of(registry, access).listed()
    (archive,) = kept(access)
    archive.write_bytes(b"no archive")
    of(registry, access).fetch(LOCKED, into, never_mind)
    assert into.read_bytes() == MODEL


@each_registry
def test_a_version_that_is_not_there_is_gone_in_the_tools_words(registry: str, access: SourceAccess) -> None:
    spec = SPECS[registry].replace("1.0.0", "2.0.0")
    with pytest.raises(Gone, match=r"pip: ERROR: No matching|npm: No match found"):
        of(registry, access, spec).listed()


@each_registry
def test_a_package_that_is_not_there_is_said(registry: str, access: SourceAccess) -> None:
    with pytest.raises(SourceFailed, match=r"No matching distribution|Not Found"):
        of(registry, access, SPECS[registry].replace("some-voice", "no-such-voice")).listed()


def test_a_package_without_a_wheel_is_not_built(index: PackageIndex, access: SourceAccess) -> None:
    index.add("pypi", "a-source", "1.0.0", tarball({"a-source-1.0.0/setup.py": b"raise SystemExit"}), sdist=True)
    with pytest.raises(SourceFailed, match="would run its code"):
        of("pypi", access, "a-source==1.0.0").listed()


@pytest.mark.parametrize(
    ("registry", "archive"),
    [
        (
            "pypi",
            wheel(
                {"../x": b"", "/etc/y": b"", "a/../z": b"", "a\\b": b"", "a + b": b"", "ok": b""},
                "link",
                version="6.6.6",
            ),
        ),
        pytest.param(
            "npm",
            tarball(
                {"package/../x": b"1", "/package/y": b"2", "../../z": b"3", "package/a + b": b"4", "package/ok": b"5"},
                "package/link",
            ),
            marks=REGISTRIES[1].marks,  # type: ignore[attr-defined]
        ),
    ],
)
def test_members_with_unsafe_names_and_links_are_not_there(
    registry: str, archive: bytes, index: PackageIndex, access: SourceAccess
) -> None:
    index.add(registry, "some-voice", "6.6.6", archive)
    source = of(registry, access, SPECS[registry].replace("1.0.0", "6.6.6"), path=None)
    assert [file.path for file in source.listed() if "dist-info" not in file.path] == ["ok"]


@each_registry
@pytest.mark.parametrize("size", [len(MODEL) - 1, len(MODEL) + 1])
def test_a_member_of_another_size_than_the_locked_one_is_not_written(
    registry: str, size: int, access: SourceAccess, into: Path
) -> None:
    told: list[int] = []
    with pytest.raises(SourceFailed, match=f"but the lock says {size}"):
        of(registry, access).fetch(dataclasses.replace(LOCKED, size=size), into, told.append)
    assert (into.exists(), sum(told)) == (False, 0)


def test_a_member_that_is_larger_than_its_archive_says_ends_there(
    index: PackageIndex, access: SourceAccess, into: Path
) -> None:
    bomb = wheel({"bomb.bin": bytes(1 << 20)}, version="6.6.6").replace(
        struct.pack("<L", 1 << 20), struct.pack("<L", 5)
    )
    index.add("pypi", "some-voice", "6.6.6", bomb)
    with pytest.raises(SourceFailed, match="cannot be read"):
        of("pypi", access, "some-voice==6.6.6", None).fetch(described("bomb.bin", bytes(5)), into, never_mind)
    assert into.stat().st_size <= 5


def test_bytes_that_are_no_archive_are_said(index: PackageIndex, access: SourceAccess) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not on the PATH")
    for version, archive in (("6.6.6", b"no archive"), ("7.7.7", tarball({"package/a": MODEL})[:-4000])):
        index.add("npm", "some-voice", version, archive)
        with pytest.raises(SourceFailed, match="its archive cannot be read"):
            of("npm", access, f"some-voice@{version}").listed()


@each_registry
@pytest.mark.parametrize("sources", [1, 2])
def test_an_archive_is_fetched_once_for_several_threads(
    registry: str, sources: int, index: PackageIndex, access: SourceAccess, tmp_path: Path
) -> None:
    opened = [of(registry, access) for _ in range(sources)]
    wanted = [LOCKED, described("config.json", b"{}"), LOCKED]

    def fetch(place: int) -> None:
        opened[place % sources].fetch(wanted[place], tmp_path / str(place), never_mind)

    _together(lambda place: lambda: fetch(place), len(wanted))
    assert [(tmp_path / str(place)).stat().st_size for place in range(3)] == [len(MODEL), 2, len(MODEL)]
    assert len(index.sent) == 1
    assert len(index.pages) == sources


def _together(work: Callable[[int], Callable[[], None]], count: int) -> None:
    threads = [threading.Thread(target=work(place)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_an_index_that_is_down_is_told_with_what_pip_met(index: PackageIndex, tmp_path: Path) -> None:
    access = index.access(tmp_path, PIP_INDEX_URL="http://127.0.0.1:9/simple/", PIP_RETRIES="1")
    with pytest.raises(SourceFailed, match="Connection refused") as failed:
        of("pypi", access).listed()
    assert not isinstance(failed.value, Gone)


def test_a_folder_of_wheels_needs_no_index(index: PackageIndex, tmp_path: Path, into: Path) -> None:
    folder = tmp_path / "wheels of ours"
    folder.mkdir()
    (folder / "some_voice-1.0.0-py3-none-any.whl").write_bytes(wheel(FILES))
    access = index.access(tmp_path, PIP_NO_INDEX="1", PIP_FIND_LINKS=folder.as_uri())
    of("pypi", access).fetch(LOCKED, into, never_mind)
    assert (into.read_bytes() == MODEL, index.pages, index.sent) == (True, [], [])


@each_registry
def test_a_tool_that_does_not_answer_in_time_is_named(registry: str, access: SourceAccess) -> None:
    hurried = dataclasses.replace(access, patience=dataclasses.replace(access.patience, locate_s=0.001))
    with pytest.raises(SourceFailed, match=r"(pip|npm) has not said within 0.001 s"):
        of(registry, hurried).listed()


def test_a_machine_without_npm_is_told_so(access: SourceAccess) -> None:
    with pytest.raises(SourceFailed, match="npm is not installed"):
        of("npm", dataclasses.replace(access, environ={"PATH": ""})).listed()


def test_a_scoped_package_of_npm_has_an_archive_too(index: PackageIndex, access: SourceAccess) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not on the PATH")
    index.add("npm", "@team/voice", "1.0.0", tarball({"package/data/a": b"a"}))
    assert [file.path for file in of("npm", access, "@team/voice@1.0.0").listed()] == ["a"]


def test_the_first_of_two_packages_with_the_same_path_counts(
    index: PackageIndex, access: SourceAccess, into: Path
) -> None:
    index.add("pypi", "other-voice", "1.0.0", wheel({"data/config.json": b"[1]", "data/more": b""}, name="other-voice"))
    source = of("pypi", access, "other-voice==1.0.0 some-voice==1.0.0")
    assert {file.path: file.size for file in source.listed()} == {"config.json": 3, "model.bin": len(MODEL), "more": 0}
    source.fetch(LockedFile("c", 3, "0" * 64, "config.json"), into, never_mind)
    assert into.read_bytes() == b"[1]"
