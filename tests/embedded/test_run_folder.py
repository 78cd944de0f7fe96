"""The folder for sockets and temporary files: fit for a socket wherever the data lie, private, and gone afterwards."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest

from services.embedded.run_folder import remove_run_folders, run_folder
from tests.strangers import NOBODY, needs_a_second_user


def folder_of(tmp_path: Path, length: int) -> Path:
    """A data folder whose path has ``length`` bytes, where that is longer than the test's own."""
    missing = max(1, length - len(os.fsencode(tmp_path)) - 1)
    names = ["d" * min(200, missing - at) for at in range(0, missing, 201)]
    data = tmp_path.joinpath(*names)
    data.mkdir(parents=True, mode=0o700)
    return data


@pytest.mark.parametrize("length", [40, 46, 47, 48, 49, 80, 107, 108, 109, 150, 1000])
def test_a_socket_fits_however_long_the_path_of_the_data_is(tmp_path: Path, length: int) -> None:
    data = folder_of(tmp_path, length)
    with run_folder(data) as run:
        for path in (run / "mlflow.sock", run / "tmp" / "pymp-12345678" / "listener-12345678"):
            path.parent.mkdir(exist_ok=True)
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind(str(path))
        assert stat.S_IMODE(run.stat().st_mode) == 0o700
    assert not run.exists()


def test_what_a_killed_stack_left_goes_and_what_is_in_use_stays(tmp_path: Path) -> None:
    left = [room / "ringtrue-run-leftover" for room in (tmp_path / "run", Path(tempfile.gettempdir()))]
    with run_folder(tmp_path) as run:
        for folder in left:
            (folder / "tmp").mkdir(parents=True)
        remove_run_folders(tmp_path)
        assert run.exists()
        assert not any(folder.exists() for folder in left)


@needs_a_second_user
@pytest.mark.parametrize("which", ["the data folder", "the folder in it"])
def test_where_others_may_write_it_is_not_made(tmp_path: Path, which: str) -> None:
    data = tmp_path / "data"
    (data / "run").mkdir(parents=True)
    shared = data if which == "the data folder" else data / "run"
    os.chown(shared, -1, NOBODY)
    shared.chmod(0o770)
    with run_folder(data) as run:
        assert data not in run.parents
