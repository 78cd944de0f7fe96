"""Files of a model that are more than weights: an archive to unpack, a configuration or a checkpoint that runs code."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path, PurePath

import pytest

from services.worker.engine_host import never_mind
from services.worker.engines.base import EngineError, Snapshot
from services.worker.engines.sambert.workplace import MOST_BYTES, Workplace
from shared.errors import FailureCode
from tests.worker.engines.conftest import LOAD_S
from tests.worker.engines.own_python import load_failure
from tests.worker.engines.sambert_pins import Hosts, files, installed, snapshot, zipped


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """Where the folders lie that are written into."""
    folder = tmp_path / "room"
    folder.mkdir()
    return folder


@pytest.fixture
def hosts(tmp_path: Path, room: Path) -> Hosts:
    return Hosts(installed(tmp_path / "packages"), room)


# --- what would run


def pickled(content: object) -> bytes:
    """A checkpoint."""
    import torch

    written = io.BytesIO()
    torch.save({"model": content}, written)
    return written.getvalue()


def test_a_checkpoint_with_more_than_weights_is_loaded_only_if_the_catalog_says_so(
    tmp_path: Path, hosts: Hosts
) -> None:
    content = files("zhiyan_emo") | {"voices/zhiyan_emo/am/ckpt/checkpoint_980001.pth": pickled(PurePath("surprise"))}
    code, message = load_failure(hosts.start(snapshot(tmp_path, "sambert", content)))
    assert code is FailureCode.ENGINE_ERROR
    assert message.startswith("a checkpoint contains more than weights")
    trusted = hosts.start(snapshot(tmp_path, "trusted", content, trust_remote_code=True))
    trusted.load(never_mind, LOAD_S)
    trusted.close()


def test_a_configuration_with_code_in_it_is_not_read(tmp_path: Path, hosts: Hosts) -> None:
    made = tmp_path / "made"
    trap = f"Model: !!python/object/apply:os.mkdir ['{made}']\n".encode()
    given = snapshot(tmp_path, "sambert", files("zhiyan_emo") | {"voices/zhiyan_emo/am/config.yaml": trap})
    code, message = load_failure(hosts.start(given))
    assert code is FailureCode.ENGINE_ERROR
    assert message.startswith("zhiyan_emo/am/config.yaml is not plain YAML")
    assert not made.exists()


# --- what would be unpacked elsewhere


def with_resource(folder: Path, archive: bytes) -> Snapshot:
    return snapshot(folder, "sambert", files("zhiyan_emo") | {"resource.zip": archive})


@pytest.mark.parametrize(
    ("entry", "content"),
    [
        ("voices/voices.json", b"{}"),
        ("./configuration.json", b"{}"),
        ("resource/../../away", b""),
        ("resource\\..\\..\\away", b""),
        ("/etc/passwd", b""),
    ],
)
def test_a_resource_that_would_not_stay_in_its_place_is_not_unpacked(
    tmp_path: Path, room: Path, entry: str, content: bytes
) -> None:
    with pytest.raises(EngineError, match=r"^resource\.zip would be unpacked over other files: "):
        Workplace(with_resource(tmp_path, zipped({entry: content})).folder, room)
    assert list(room.iterdir()) == []


def test_a_resource_that_would_fill_the_disk_is_not_unpacked(tmp_path: Path, room: Path) -> None:
    archive = bytearray(zipped({"resource/one": b"", "resource/two": b""}))
    at = -1
    while (at := archive.find(b"PK\x01\x02", at + 1)) >= 0:
        archive[at + 24 : at + 28] = (MOST_BYTES - 1).to_bytes(4, "little")  # how large it says that it is
    with pytest.raises(EngineError, match=r"^resource\.zip has more than 20000 files or 4 GiB$"):
        Workplace(with_resource(tmp_path, bytes(archive)).folder, room)


def test_a_resource_that_is_no_archive_says_so(tmp_path: Path, room: Path) -> None:
    with pytest.raises(EngineError, match=r"^resource\.zip is not a zip file"):
        Workplace(with_resource(tmp_path, b"no archive").folder, room)


def test_a_resource_that_was_unpacked_before_is_not_written_into(tmp_path: Path, room: Path) -> None:
    """In the snapshot; the package would write through the links."""
    given = snapshot(tmp_path, "sambert", files("zhiyan_emo") | {"resource/front_end.txt": b"theirs"})
    laid_out = {str(path.relative_to(given.folder)) for path in given.folder.rglob("*") if path.is_file()}
    folder = Workplace(given.folder, room).folder
    linked = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink()}
    assert linked == laid_out - {"resource/front_end.txt"}


# --- the folder to write into


def test_the_package_writes_into_a_folder_of_the_hosts_own(tmp_path: Path, hosts: Hosts) -> None:
    given = snapshot(tmp_path, "sambert", files("zhiyan_emo"))
    host = hosts.start(given)
    host.load(never_mind, LOAD_S)
    folder = Path(os.readlink(f"/proc/{host.pid}/cwd")).parent
    assert [path.read_bytes() for path in folder.glob("own/*/resource/front_end.txt")] == [b"phones"]
    host.close()
    assert not folder.exists()
    assert not (given.folder / "resource").exists()


def test_a_folder_lasts_as_long_as_its_process_and_goes_with_the_next(tmp_path: Path, room: Path) -> None:
    given = snapshot(tmp_path, "sambert", files("zhiyan_emo"))
    code = """
import sys
from pathlib import Path
from services.worker.engines.sambert.workplace import Workplace
print(Workplace(Path(sys.argv[1]), Path(sys.argv[2])).folder, flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", code, str(given.folder), str(room)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        ours = Workplace(given.folder, room).folder
        assert theirs.is_dir()
        other.kill()
    Workplace(given.folder, room)
    assert not theirs.exists()
    assert (ours / "resource.zip").is_file()
