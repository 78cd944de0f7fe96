"""Which pins a worker serves and which it keeps in memory."""

from __future__ import annotations

import os
import shutil
import signal
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import espeakng_loader
import pytest

from services.worker.engine_host import EngineHost, never_mind
from services.worker.engines.base import SpeakRequest
from services.worker.loader import Loader
from shared.catalog import PinState
from shared.errors import FailureCode, JobFailure, SettingsError

FOUR = ("espeak-v1", "espeak-v2", "wobble", "wobble-noisy")


def environ(*path: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}


@pytest.fixture
def loader(wobble_path: Path) -> Iterator[Loader]:
    loader = Loader(FOUR, env=environ(wobble_path), capacity=2)
    yield loader
    loader.close()


def family(folder: Path, name: str, code: str) -> Path:
    """A family installed in ``folder``: a module, and metadata with its entry point."""
    (folder / f"{name}.py").write_text(textwrap.dedent(code))
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ringtrue.engines]\n{name} = {name}:Family\n")
    return folder


def test_every_pin_of_every_family_is_served(wobble_path: Path) -> None:
    loader = Loader(env=environ(wobble_path))
    manifests = {manifest.pin: manifest for manifest in loader.manifests()}
    assert {"espeak-v1", "espeak-v2", "wobble", "wobble-crash"} <= set(manifests)
    assert {manifest.state for manifest in manifests.values()} == {PinState.READY}
    assert {manifests["espeak-v1"].engine, manifests["wobble"].engine} == {"espeak", "wobble"}
    assert list(loader.served()) == list(manifests)


def test_only_the_pins_that_were_asked_for_are_served(loader: Loader) -> None:
    assert loader.served() == list(FOUR)


def test_a_misspelt_pin_cannot_be_served() -> None:
    with pytest.raises(SettingsError, match=r"espeak-v9; there are: .*espeak-v1"):
        Loader(["espeak-v9"]).manifests()


def test_a_pin_with_wrong_bytes_is_refused_by_name_and_not_served(tmp_path: Path) -> None:
    package = Path(espeakng_loader.get_library_path()).parent
    shutil.copytree(package, tmp_path / package.name, copy_function=os.symlink)
    record = next(package.parent.glob("espeakng_loader-*.dist-info"))
    shutil.copytree(record, tmp_path / record.name)
    (tmp_path / package.name / "espeak-ng-data" / "cmn_dict").unlink()
    loader = Loader(env=environ(tmp_path))
    assert [(manifest.pin, manifest.state) for manifest in loader.manifests()] == [
        ("espeak-v1", PinState.REFUSED),
        ("espeak-v2", PinState.REFUSED),
    ]
    detail = loader.manifests()[0].detail
    assert detail is not None
    assert detail.startswith("model_lock_mismatch: ")
    assert "cmn_dict" in detail
    assert loader.served() == []


def test_a_pin_whose_manifest_crashes_takes_no_other_with_it(tmp_path: Path) -> None:
    code = """
    import os
    class Engine:
        def manifest(self): os.abort()
    class Family:
        name = "aborting"
        def pins(self): return ["aborting-v1"]
        def build(self, pin): return Engine()
    """
    loader = Loader(env=environ(family(tmp_path, "aborting", code)))
    states = {manifest.pin: (manifest.state, manifest.detail) for manifest in loader.manifests()}
    assert states["espeak-v1"][0] is PinState.READY
    state, detail = states["aborting-v1"]
    assert state is PinState.REFUSED
    assert detail is not None
    assert "SIGABRT" in detail


def test_a_family_that_cannot_be_imported_takes_no_other_with_it(tmp_path: Path) -> None:
    loader = Loader(env=environ(family(tmp_path, "broken", "import no_such_module")))
    assert loader.served() == ["espeak-v1", "espeak-v2"]


def acquire(loader: Loader, pins: Sequence[str]) -> list[EngineHost]:
    return [loader.acquire(pin, never_mind) for pin in pins]


def test_a_loaded_host_is_used_again(loader: Loader) -> None:
    first, second = acquire(loader, ["espeak-v1", "espeak-v1"])
    assert first is second


def test_the_least_recently_used_host_leaves_first(loader: Loader) -> None:
    hosts = acquire(loader, ["espeak-v1", "espeak-v2", "espeak-v1", "wobble"])
    assert loader.loaded() == ["wobble", "espeak-v1"]
    assert [host.alive for host in hosts] == [True, False, True, True]


def test_a_crashed_host_is_started_again(loader: Loader) -> None:
    (host,) = acquire(loader, ["espeak-v1"])
    os.kill(host.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while host.alive and time.monotonic() < deadline:
        time.sleep(0.01)
    assert loader.loaded() == []
    (again,) = acquire(loader, ["espeak-v1"])
    assert again.speak(SpeakRequest("Hello.", "en"), sample_rate=None, deadline_s=30, tick=never_mind).pcm


def test_a_pin_that_is_not_installed_fails_the_job_that_wants_it() -> None:
    loader = Loader(["espeak-v1"])
    with pytest.raises(JobFailure) as failed:
        loader.acquire("indextts2-v23", never_mind)
    assert failed.value.code is FailureCode.MODEL_NOT_PULLED


def test_closing_ends_every_host(loader: Loader) -> None:
    hosts = acquire(loader, ["espeak-v1", "espeak-v2"])
    loader.close()
    assert not any(host.alive for host in hosts)
    assert loader.loaded() == []
