"""Pins of the catalog on a worker: only what the lock says is ever loaded, and the worker says why not."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.worker import synthesis
from services.worker.engine_host import EngineHost, never_mind
from services.worker.engines.base import SpeakRequest
from services.worker.loader import Loader
from services.worker.pins.catalog_pins import CatalogPins
from services.worker.pins.served_pins import ServedPins
from shared.catalog import Manifest, PinState
from shared.errors import FailureCode, JobFailure
from shared.jobs import Status
from shared.weights.store import InUse
from tests.model_stores import ModelStores, locked, tuning
from tests.worker.budgets import budget
from tests.worker.families import family_folder
from tests.worker.workshop import Workshop

HELLO = SpeakRequest("Hello, is anybody there?", "en")


@pytest.fixture
def model_stores(tmp_path: Path) -> ModelStores:
    return ModelStores(tmp_path / "model stores")


@pytest.fixture
def served_pins(model_stores: ModelStores, wobble_path: Path) -> ServedPins:
    env = {**os.environ, "PYTHONPATH": str(wobble_path)}
    return ServedPins(env=env, catalog_pins=CatalogPins(model_stores.store, model_stores.lock_file))


@pytest.fixture
def loader(served_pins: ServedPins, tmp_path: Path) -> Iterator[Loader]:
    loader = Loader(served_pins, budget(tmp_path / "memory"))
    yield loader
    loader.close()


def spoken(loader: Loader, pin: str) -> str:
    with loader.lent(pin, 100, never_mind) as host:
        return host.speak(HELLO, sample_rate=None, deadline_s=30, tick=never_mind).sha256


def loaded_lock(loader: Loader) -> str:
    with loader.lent("voice-v1", 100, never_mind) as host:
        return host.lock_sha256


def manifest(served_pins: ServedPins, pin: str) -> Manifest | None:
    return next((manifest for manifest in served_pins.manifests() if manifest.pin == pin), None)


def refusal(loader: Loader, pin: str) -> tuple[FailureCode, str]:
    with pytest.raises(JobFailure) as failed, loader.lent(pin, 100, never_mind):
        pass
    return failed.value.code, failed.value.message


def test_a_locked_and_pulled_pin_is_spoken_with_and_bears_its_lock(model_stores: ModelStores, loader: Loader) -> None:
    lock = model_stores.put("voice-v1", tuning())
    assert "voice-v1" in loader.served_pins.served()
    assert spoken(loader, "voice-v1")
    assert loaded_lock(loader) == lock.sha256


def test_other_weights_are_another_voice_with_another_lock(model_stores: ModelStores, loader: Loader) -> None:
    first = model_stores.put("voice-v1", tuning(speed=1.2))
    second = model_stores.put("voice-v2", tuning(speed=0.8))
    assert first.sha256 != second.sha256
    assert spoken(loader, "voice-v1") != spoken(loader, "voice-v2")


def flip(path: Path) -> None:
    """Another byte in the midst, and the time of modification as it was."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _blob(folder: Path, name: str) -> Path:
    return (folder / name).resolve()


def _replace_by_link(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def _moved_behind_a_link(folder: Path) -> None:
    shutil.move(folder, folder.with_name("elsewhere"))
    folder.symlink_to("elsewhere")


ALTERATIONS: dict[str, Callable[[Path], object]] = {
    "a byte": lambda folder: flip(_blob(folder, "layers/first.bin")),
    "cut short": lambda folder: os.truncate(_blob(folder, "tuning.json"), 5),
    "empty": lambda folder: os.truncate(_blob(folder, "tuning.json"), 0),
    "an extra file": lambda folder: (folder / "extra.py").write_text("print()"),
    "an extra link": lambda folder: (folder / "extra.json").symlink_to("tuning.json"),
    "a link out of the folder": lambda folder: _replace_by_link(folder / "tuning.json", "/etc/hostname"),
    "the folder is a link": _moved_behind_a_link,
    "renamed": lambda folder: (folder / "tuning.json").rename(folder / "tuning.bak"),
}


@pytest.mark.parametrize("what", ALTERATIONS)
def test_what_was_altered_is_not_loaded_and_the_job_is_told_why(
    what: str, model_stores: ModelStores, loader: Loader
) -> None:
    lock = model_stores.put("voice-v1", tuning())
    assert "voice-v1" in loader.served_pins.served()
    ALTERATIONS[what](model_stores.store.snapshot(lock))
    code, message = refusal(loader, "voice-v1")
    assert code is FailureCode.MODEL_LOCK_MISMATCH
    assert message.startswith("voice-v1: ")


def test_a_missing_file_is_not_pulled(model_stores: ModelStores, loader: Loader) -> None:
    lock = model_stores.put("voice-v1", tuning())
    _blob(model_stores.store.snapshot(lock), "tuning.json").unlink()
    code, message = refusal(loader, "voice-v1")
    assert (code, message) == (FailureCode.MODEL_NOT_PULLED, "voice-v1: tuning.json is missing")


def test_a_pin_with_wrong_files_is_refused_by_name_until_they_are_right(
    model_stores: ModelStores, served_pins: ServedPins
) -> None:
    lock = model_stores.put("voice-v1", tuning())
    extra = model_stores.store.snapshot(lock) / "extra.py"
    extra.write_text("print()")
    refused = manifest(served_pins, "voice-v1")
    assert refused is not None
    assert (refused.state, refused.lock_sha256) == (PinState.REFUSED, lock.sha256)
    assert refused.detail == "model_lock_mismatch: voice-v1: extra.py is not in the lock"
    assert "voice-v1" not in served_pins.served()
    extra.unlink()
    served_pins.look()
    assert "voice-v1" in served_pins.served()


def test_what_is_locked_and_pulled_while_the_worker_runs_is_served(
    model_stores: ModelStores, served_pins: ServedPins
) -> None:
    assert "voice-v1" not in served_pins.served()
    model_stores.put("voice-v1", tuning())
    served_pins.look()
    assert "voice-v1" in served_pins.served()


def test_a_pin_that_was_locked_anew_is_loaded_anew(model_stores: ModelStores, loader: Loader) -> None:
    model_stores.put("voice-v1", tuning(speed=1.2))
    before = spoken(loader, "voice-v1")
    lock = model_stores.put("voice-v1", tuning(speed=0.8))
    loader.served_pins.look()
    assert spoken(loader, "voice-v1") != before
    assert loaded_lock(loader) == lock.sha256


def test_a_lock_file_that_cannot_be_read_takes_nothing_away(model_stores: ModelStores, served_pins: ServedPins) -> None:
    model_stores.put("voice-v1", tuning())
    served_pins.look()
    model_stores.lock_file.write_text("{")
    served_pins.look()
    assert "voice-v1" in served_pins.served()


def test_nobody_removes_what_a_worker_serves(model_stores: ModelStores, served_pins: ServedPins) -> None:
    lock = model_stores.put("voice-v1", tuning())
    served_pins.look()
    with pytest.raises(InUse):
        model_stores.store.remove(lock, [])
    model_stores.write({})
    served_pins.look()
    assert model_stores.store.remove(lock, []) > 0


def test_a_family_without_weights_refuses_a_pin_of_the_catalog(
    model_stores: ModelStores, served_pins: ServedPins
) -> None:
    model_stores.put("voice-v1", tuning(), engine="espeak")
    refused = manifest(served_pins, "voice-v1")
    assert refused is not None
    assert refused.detail == "engine_error: the engine family espeak serves only built-in pins and cannot use weights"


def test_a_pin_of_an_engine_that_is_not_installed_is_left_to_others(
    model_stores: ModelStores, served_pins: ServedPins
) -> None:
    model_stores.put("voice-v1", tuning(), engine="nowhere-installed")
    assert manifest(served_pins, "voice-v1") is None


# --- jobs


@pytest.fixture
def workshop(model_stores: ModelStores, loader: Loader, tmp_path: Path) -> Workshop:
    model_stores.put("voice-v1", tuning())
    return Workshop.around(loader, tmp_path)


def test_a_job_for_a_pin_whose_files_went_wrong_ends_with_the_reason(
    model_stores: ModelStores, workshop: Workshop
) -> None:
    job_id = workshop.add("Hello.", pin="voice-v1")
    (model_stores.store.snapshot(model_stores.locks["voice-v1"]) / "extra.py").write_text("print()")
    workshop.loader.served_pins.look()
    workshop.publish()
    synthesis.run(workshop.deps)
    job = workshop.job(job_id)
    assert job.error is not None
    assert (job.status, job.error.code.value) == (Status.FAILED, "model_lock_mismatch")
    assert job.error.message == "voice-v1: extra.py is not in the lock"


def test_a_job_for_a_pin_that_another_worker_can_serve_is_left_to_it(
    model_stores: ModelStores, workshop: Workshop
) -> None:
    job_id = workshop.add("Hello.", pin="voice-v1")
    (model_stores.store.snapshot(model_stores.locks["voice-v1"]) / "extra.py").write_text("print()")
    workshop.loader.served_pins.look()
    synthesis.run(workshop.deps)
    assert workshop.job(job_id).status is Status.QUEUED


# --- no network


def test_no_engine_reaches_the_network_whatever_it_calls(model_stores: ModelStores, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        code = f"""
        import ctypes, os, struct
        from services.worker.engines.base import EngineError
        class Engine:
            def manifest(self):
                libc = ctypes.CDLL(None, use_errno=True)
                made = libc.socket(2, 1, 0)
                why = ctypes.get_errno()
                if made >= 0:
                    port = struct.pack(">H", {listening.getsockname()[1]})
                    address = struct.pack("<H", 2) + port + bytes([127, 0, 0, 1]) + bytes(8)
                    libc.connect(made, address, len(address))
                raise EngineError(f"socket {{made}} errno {{why}} offline {{os.environ.get('HF_HUB_OFFLINE')}}")
        class Family:
            name = "caller"
            def pins(self): return ["caller-v1"]
            def build(self, pin): return Engine()
        """
        env = {**os.environ, "PYTHONPATH": str(family_folder(tmp_path, "caller", code))}
        host = EngineHost("caller-v1", env=env)
        try:
            with pytest.raises(JobFailure, match="socket -1 errno 1 offline 1"):
                host.manifest(30)
        finally:
            host.close()
        with pytest.raises(TimeoutError):
            listening.accept()
    assert ctypes.CDLL(None).socket(2, 1, 0) >= 0  # this process's own is open


def told(caplog: pytest.LogCaptureFixture, served_pins: ServedPins, looks: int = 3) -> list[tuple[str, str]]:
    """What is logged, by level, while the worker looks again and again."""
    caplog.clear()
    with caplog.at_level("INFO"):
        for _ in range(looks):
            served_pins.look()
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def test_between_lock_and_pull_it_is_said_once_that_a_pin_waits_for_its_files(
    model_stores: ModelStores, served_pins: ServedPins, caplog: pytest.LogCaptureFixture
) -> None:
    served_pins.look()
    model_stores.write({"voice-v1": locked("voice-v1", tuning())})
    ((level, said),) = told(caplog, served_pins)
    assert level == "INFO"
    assert "voice-v1 is locked but not pulled; run `ringtrue models pull voice-v1`" in said


def test_wrong_files_are_an_error_that_is_told_once_and_again_when_it_changes(
    model_stores: ModelStores, served_pins: ServedPins, caplog: pytest.LogCaptureFixture
) -> None:
    lock = model_stores.put("voice-v1", tuning())
    served_pins.look()
    (model_stores.store.snapshot(lock) / "extra.py").write_text("print()")
    assert [level for level, _ in told(caplog, served_pins)] == ["ERROR"]
    assert told(caplog, served_pins) == []
    (model_stores.store.snapshot(lock) / "another.py").write_text("print()")
    assert [level for level, _ in told(caplog, served_pins)] == ["ERROR"]


def test_a_lock_file_that_cannot_be_read_is_told_once(
    model_stores: ModelStores, served_pins: ServedPins, caplog: pytest.LogCaptureFixture
) -> None:
    served_pins.look()
    model_stores.lock_file.parent.mkdir(parents=True, exist_ok=True)
    model_stores.lock_file.write_text("no lock\n")
    assert [level for level, _ in told(caplog, served_pins)] == ["ERROR"]
