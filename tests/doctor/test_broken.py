"""A set-up that is broken, of each kind: the right line, what to do, and exit code 1 where something does not run."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doctor.breakages import (
    PIN,
    a_distribution,
    a_program,
    before,
    catalog,
    locked,
    ringtrue_that_needs,
)
from tests.doctor.patient import ROOT, Diagnosis, environ_of, examined, says_fail, says_warn

ABI = "numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88 from PyObject"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


# settings and limits of the process


def test_a_misspelt_setting(data: Path) -> None:
    diagnosis = examined(data, "settings", RINGTRUE_REDIS_ULR="redis://127.0.0.1/0")
    says_warn(diagnosis, "settings", "did you mean RINGTRUE_REDIS_URL?", "docs/settings.md")


def test_a_setting_that_cannot_be_served_stops_what_depends_on_it(data: Path) -> None:
    diagnosis = examined(data, "blobs", "placeholders", RINGTRUE_BLOBS="ftp://bucket")
    says_fail(diagnosis, "settings", "RINGTRUE_BLOBS=ftp://bucket", "correct it")
    assert set(diagnosis.lines) == {"settings", "placeholders"}


def test_few_open_files(data: Path) -> None:
    command = 'ulimit -n 128; exec "$0" -m ringtrue doctor --only files'
    done = subprocess.run(
        ["bash", "-c", command, sys.executable],
        env=environ_of(data, {}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.startswith("warn  files        a process may open only 128 files")


# packages


def test_a_wheel_compiled_against_another_numpy(data: Path, tmp_path: Path) -> None:
    site = ringtrue_that_needs(tmp_path / "site", "scipy==1.17.1")
    scipy = site / "scipy"
    scipy.mkdir()
    (scipy / "__init__.py").write_text(f"raise ValueError({ABI!r})")
    says_fail(
        examined(data, "wheels", PYTHONPATH=str(site)),
        "wheels",
        f"scipy 1.17.1 cannot be imported: ValueError: {ABI}",
        "pip install --force-reinstall --no-deps scipy==1.17.1",
    )


def test_a_wheel_for_another_processor(data: Path, tmp_path: Path) -> None:
    site = ringtrue_that_needs(tmp_path / "site", "avx_only==1.0")
    a_distribution(site, "avx_only", "1.0", "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    says_fail(examined(data, "wheels", PYTHONPATH=str(site)), "wheels", "died of SIGILL", "avx-only==1.0")


def test_a_wheel_that_complains_of_numpy_and_goes_on(data: Path, tmp_path: Path) -> None:
    site = ringtrue_that_needs(tmp_path / "site", "old_api==1.0")
    a_distribution(site, "old_api", "1.0", "import sys; print('_ARRAY_API not found', file=sys.stderr)")
    says_fail(examined(data, "wheels", PYTHONPATH=str(site)), "wheels", "compiled against another NumPy", "old-api")


def test_a_dependency_that_is_missing(data: Path, tmp_path: Path) -> None:
    site = ringtrue_that_needs(tmp_path / "site", "orjson", "click", "nowhere_to_be_found==2.1")
    says_fail(
        examined(data, "wheels", PYTHONPATH=str(site)),
        "wheels",
        "nowhere-to-be-found is missing, but core needs it",
        "nowhere-to-be-found==2.1",
    )


def test_a_dependency_at_another_version(data: Path, tmp_path: Path) -> None:
    site = ringtrue_that_needs(tmp_path / "site", "moved==1.0")
    a_distribution(site, "moved", "2.0")
    says_warn(examined(data, "wheels", PYTHONPATH=str(site)), "wheels", "moved is 2.0, tested with 1.0", "moved==1.0")


@pytest.mark.parametrize(("name", "real"), [("kantts", "KAN-TTS"), ("ttsfrd", "CosyVoice-ttsfrd")])
def test_a_package_that_only_holds_a_name(data: Path, tmp_path: Path, name: str, real: str) -> None:
    site = a_distribution(tmp_path / "site", name, "0.1.0", "def hello(): ...")
    diagnosis = examined(data, "placeholders", PYTHONPATH=str(site))
    says_fail(diagnosis, "placeholders", f"{name} 0.1.0 is an empty placeholder package", real)


# folders and disk


@pytest.mark.parametrize(
    ("check", "setting"), [("data", "RINGTRUE_DATA"), ("models", "RINGTRUE_MODELS"), ("blobs", "RINGTRUE_BLOBS")]
)
def test_a_folder_below_a_file(tmp_path: Path, check: str, setting: str) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "folder"
    diagnosis = examined(tmp_path / "data", check, **{setting: str(folder)})
    says_fail(diagnosis, check, f"{folder} cannot be written: Not a directory", setting)


def test_a_cache_that_cannot_be_written(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    diagnosis = examined(data, "caches", HF_HOME=str(tmp_path / "file" / "cache"))
    says_warn(diagnosis, "caches", "cannot be written", "set HF_HOME")


def test_a_disk_too_small_for_what_is_locked(data: Path) -> None:
    catalog(data)
    locked(data, size=1 << 60)
    diagnosis = examined(data, "disk")
    of_models = diagnosis.lines["disk"][1]
    assert (diagnosis.code, of_models.status) == (1, "fail")
    assert "1048576.0 TiB are required for files that are locked but not pulled yet" in of_models.says


# ports


def test_a_port_that_another_program_has(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        diagnosis = examined(data, "port", options=("--port", str(port)))
    says_fail(diagnosis, "port", f"port {port} on 127.0.0.1 is in use by ", "--port")
    assert f"(pid {os.getpid()})" in diagnosis.line("port").says


def test_an_address_of_another_machine(data: Path) -> None:
    says_fail(examined(data, "port", options=("--host", "192.0.2.1")), "port", "cannot listen on 192.0.2.1", "--host")


# graphics cards and memory

CARD = "echo 'NVIDIA H200, 570.86.15, 143771'"
FAKE_TORCH = """
import types, warnings
__version__ = {version!r}
version = types.SimpleNamespace(cuda={cuda!r})
def is_available():
    warnings.warn("CUDA initialization: The NVIDIA driver on your system is too old (found version 11040).")
    return False
cuda = types.SimpleNamespace(is_available=is_available)
"""


def with_a_card(data: Path, tmp_path: Path, version: str, cuda: str | None) -> Diagnosis:
    """A machine with a card, and this build of torch."""
    programs = a_program(tmp_path / "programs", "nvidia-smi", CARD)
    torch = FAKE_TORCH.format(version=version, cuda=cuda)
    site = a_distribution(tmp_path / "site", "torch", "2.13.0", torch)
    return examined(data, "gpu", PATH=before(programs), PYTHONPATH=str(site))


def test_a_driver_older_than_the_cuda_of_torch(data: Path, tmp_path: Path) -> None:
    diagnosis = with_a_card(data, tmp_path, "2.13.0+cu130", "13.0")
    says_fail(diagnosis, "gpu", "torch 2.13.0+cu130 for CUDA 13.0 cannot use it: CUDA initialization: The", "driver")


def test_a_torch_for_the_processor_beside_a_card(data: Path, tmp_path: Path) -> None:
    says_warn(with_a_card(data, tmp_path, "2.13.0+cpu", None), "gpu", "for the CPU only", "make setup")


def test_a_driver_that_does_not_answer(data: Path, tmp_path: Path) -> None:
    said = "Failed to initialize NVML: Driver/library version mismatch"
    programs = a_program(tmp_path / "programs", "nvidia-smi", f"echo '{said}'; exit 18")
    says_fail(examined(data, "gpu", PATH=before(programs)), "gpu", said, "restart")


def test_a_pin_larger_than_the_memory(data: Path) -> None:
    catalog(data)
    locked(data, size=1 << 50)
    diagnosis = examined(data, "memory")
    says_fail(diagnosis, "memory", f"{PIN} needs at least 1024.0 TiB", "larger machine")
