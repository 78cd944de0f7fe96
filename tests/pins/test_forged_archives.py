"""An archive from a stranger: whatever has in it what its manifest does not say, or less, is refused whole."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.pins.archives.archive import MANIFEST, ArchiveRefused, member_of
from tests.pins.machine import V21, Machine, exported, taken_in
from tests.shared.weights.voices import VOICE, lock_of

MODEL = next(file for file in lock_of().files if file.path == "model.bin")


@pytest.fixture
def there(tmp_path: Path) -> Machine:
    """Has nothing yet."""
    return Machine(tmp_path / "there")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two versions of a voice, from another machine."""
    here = Machine(tmp_path / "here")
    here.has(V21, "voice-v21")
    here.has(VOICE, "voice-v23")
    return exported(here, tmp_path / "voices.tar")


Member = tuple[tarfile.TarInfo, bytes]


def plain(name: str, content: bytes) -> Member:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, content


def special(name: str, kind: bytes, linkname: str = "") -> Member:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, linkname
    return member, b""


def rebuilt(file: Path, change: Callable[[list[Member]], object]) -> None:
    """The archive with other members."""
    with tarfile.open(file, "r:") as tar:
        members = [(member, tar.extractfile(member).read()) for member in tar.getmembers()]  # type: ignore[union-attr]
    change(members)
    with tarfile.open(file, "w:", format=tarfile.GNU_FORMAT) as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))


def manifest_with(change: Callable[[dict[str, Any]], object]) -> Callable[[list[Member]], object]:
    def changed(members: list[Member]) -> None:
        data = json.loads(members[0][1])
        change(data)
        members[0] = plain(MANIFEST, json.dumps(data).encode())

    return changed


BLOB = member_of(MODEL)
FORGED: dict[str, Callable[[list[Member]], object]] = {
    "a path upwards": lambda m: m.append(plain("../../evil", b"x")),
    "an absolute path": lambda m: m.append(plain("/tmp/evil", b"x")),
    "a file that nobody names": lambda m: m.append(plain("blobs/sha256/00/" + "0" * 64, b"x")),
    "a folder": lambda m: m.append(special("blobs", tarfile.DIRTYPE)),
    "a link": lambda m: m.append(special("blobs/link", tarfile.SYMTYPE, "/etc/passwd")),
    "a link in the place of a file": lambda m: m.__setitem__(
        -1, special(m[-1][0].name, tarfile.SYMTYPE, "/etc/passwd")
    ),
    "a hard link in the place of a file": lambda m: m.__setitem__(-1, special(m[-1][0].name, tarfile.LNKTYPE, BLOB)),
    "a device in the place of a file": lambda m: m.__setitem__(-1, special(m[-1][0].name, tarfile.CHRTYPE)),
    "a pipe in the place of a file": lambda m: m.__setitem__(-1, special(m[-1][0].name, tarfile.FIFOTYPE)),
    "a file twice": lambda m: m.append(m[-1]),
    "the manifest twice": lambda m: m.append(m[0]),
    "a file too few": lambda m: m.pop(),
    "a file of another size": lambda m: m.__setitem__(-1, plain(m[-1][0].name, b"short")),
    "no manifest": lambda m: m.pop(0),
    "the manifest not at the head": lambda m: m.append(m.pop(0)),
    "a manifest that is no JSON": lambda m: m.__setitem__(0, plain(MANIFEST, b"{")),
    "a manifest that is nested without end": lambda m: m.__setitem__(0, plain(MANIFEST, b"[" * 100_000)),
    "a manifest that is a list": lambda m: m.__setitem__(0, plain(MANIFEST, b"[]")),
    "a manifest that is a link": lambda m: m.__setitem__(0, special(MANIFEST, tarfile.SYMTYPE, "/etc/passwd")),
    "another schema": manifest_with(lambda data: data.update(schema=2)),
    "no lock": manifest_with(lambda data: data.update(locks={})),
    "a lock under another's name": manifest_with(lambda data: data["locks"].update(x=data["locks"].pop("voice-v21"))),
    "a lock whose hash is wrong": manifest_with(lambda data: data["locks"]["voice-v21"].update(engine="x")),
    "a path of a lock that leads away": manifest_with(
        lambda data: data["locks"]["voice-v21"]["components"][0]["files"][0].update(path="../x")
    ),
    "a catalog that cannot be read": manifest_with(lambda data: data.update(catalog="schema = 1\nx")),
    "a catalog of other pins": manifest_with(
        lambda data: data.update(catalog=str(data["catalog"]).replace("voice-v21", "voice-v99"))
    ),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_file_that_has_in_it_what_it_should_not_is_refused(
    there: Machine, file: Path, tmp_path: Path, what: str
) -> None:
    rebuilt(file, FORGED[what])
    with pytest.raises(ArchiveRefused):
        taken_in(there, file)
    assert there.everything() == {}
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == ["here", "voices.tar"]


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"\x1f\x8b\x08\x00", b"\0" * 10_240])
def test_a_file_that_is_no_archive_is_said_in_one_line(there: Machine, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "voices.tar"
    file.write_bytes(content)
    with pytest.raises(ArchiveRefused):
        taken_in(there, file)
