"""Pins of the catalog on a worker: only what the lock says is ever loaded, and the worker says why not."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from workshop import Workshop

from services.worker import synthesis
from services.worker.engine_host import EngineHost, never_mind
from services.worker.engines.base import SpeakRequest
from services.worker.loader import Loader
from services.worker.offer import Offer
from services.worker.shelf import Shelf
from shared.catalog import Manifest, PinState
from shared.errors import FailureCode, JobFailure
from shared.jobs import Status
from shared.weights.store import InUse
from tests.shelves import Shelves, tuning
from tests.worker.budgets import budget
from tests.worker.families import family_folder

HELLO = SpeakRequest("Hello, is anybody there?", "en")


@pytest.fixture
def shelves(tmp_path: Path) -> Shelves:
    return Shelves(tmp_path / "shelves")


@pytest.fixture
def offer(shelves: Shelves, wobble_path: Path) -> Offer:
    env = {**os.environ, "PYTHONPATH": str(wobble_path)}
    return Offer(env=env, shelf=Shelf(shelves.store, shelves.lock_file))


@pytest.fixture
def loader(offer: Offer, tmp_path: Path) -> Iterator[Loader]:
    loader = Loader(offer, budget(tmp_path / "memory"))
    yield loader
    loader.close()


def spoken(loader: Loader, pin: str) -> str:
    with loader.lent(pin, 100, never_mind) as host:
        return host.speak(HELLO, sample_rate=None, deadline_s=30, tick=never_mind).sha256


def loaded_lock(loader: Loader) -> str:
    with loader.lent("voice-v1", 100, never_mind) as host:
        return host.lock_sha256


def manifest(offer: Offer, pin: str) -> Manifest | None:
    return next((manifest for manifest in offer.manifests() if manifest.pin == pin), None)


def refusal(loader: Loader, pin: str) -> tuple[FailureCode, str]:
    with pytest.raises(JobFailure) as failed, loader.lent(pin, 100, never_mind):
        pass
    return failed.value.code, failed.value.message


def test_a_locked_and_pulled_pin_is_spoken_with_and_bears_its_lock(shelves: Shelves, loader: Loader) -> None:
    lock = shelves.put("voice-v1", tuning())
    assert "voice-v1" in loader.offer.served()
    assert spoken(loader, "voice-v1")
    assert loaded_lock(loader) == lock.sha256


def test_other_weights_are_another_voice_with_another_lock(shelves: Shelves, loader: Loader) -> None:
    first = shelves.put("voice-v1", tuning(speed=1.2))
    second = shelves.put("voice-v2", tuning(speed=0.8))
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
def test_what_was_altered_is_not_loaded_and_the_job_is_told_why(what: str, shelves: Shelves, loader: Loader) -> None:
    lock = shelves.put("voice-v1", tuning())
    assert "voice-v1" in loader.offer.served()
    ALTERATIONS[what](shelves.store.snapshot(lock))
    code, message = refusal(loader, "voice-v1")
    assert code is FailureCode.MODEL_LOCK_MISMATCH
    assert message.startswith("voice-v1: ")


def test_a_missing_file_is_not_pulled(shelves: Shelves, loader: Loader) -> None:
    lock = shelves.put("voice-v1", tuning())
    _blob(shelves.store.snapshot(lock), "tuning.json").unlink()
    code, message = refusal(loader, "voice-v1")
    assert (code, message) == (FailureCode.MODEL_NOT_PULLED, "voice-v1: tuning.json is missing")


def test_a_pin_with_wrong_files_is_refused_by_name_until_they_are_right(shelves: Shelves, offer: Offer) -> None:
    lock = shelves.put("voice-v1", tuning())
    extra = shelves.store.snapshot(lock) / "extra.py"
    extra.write_text("print()")
    refused = manifest(offer, "voice-v1")
    assert refused is not None
    assert (refused.state, refused.lock_sha256) == (PinState.REFUSED, lock.sha256)
    assert refused.detail == "model_lock_mismatch: voice-v1: extra.py is not in the lock"
    assert "voice-v1" not in offer.served()
    extra.unlink()
    offer.look()
    assert "voice-v1" in offer.served()


def test_what_is_locked_and_pulled_while_the_worker_runs_is_served(shelves: Shelves, offer: Offer) -> None:
    assert "voice-v1" not in offer.served()
    shelves.put("voice-v1", tuning())
    offer.look()
    assert "voice-v1" in offer.served()


def test_a_pin_that_was_locked_anew_is_loaded_anew(shelves: Shelves, loader: Loader) -> None:
    shelves.put("voice-v1", tuning(speed=1.2))
    before = spoken(loader, "voice-v1")
    lock = shelves.put("voice-v1", tuning(speed=0.8))
    loader.offer.look()
    assert spoken(loader, "voice-v1") != before
    assert loaded_lock(loader) == lock.sha256


def test_a_lock_file_that_cannot_be_read_takes_nothing_away(shelves: Shelves, offer: Offer) -> None:
    shelves.put("voice-v1", tuning())
    offer.look()
    shelves.lock_file.write_text("{")
    offer.look()
    assert "voice-v1" in offer.served()


def test_nobody_removes_what_a_worker_serves(shelves: Shelves, offer: Offer) -> None:
    lock = shelves.put("voice-v1", tuning())
    offer.look()
    with pytest.raises(InUse):
        shelves.store.remove(lock, [])
    shelves.write({})
    offer.look()
    assert shelves.store.remove(lock, []) > 0


def test_a_family_without_weights_refuses_a_pin_of_the_catalog(shelves: Shelves, offer: Offer) -> None:
    shelves.put("voice-v1", tuning(), engine="espeak")
    refused = manifest(offer, "voice-v1")
    assert refused is not None
    assert refused.detail == "engine_error: the engine family espeak takes no weights: it serves built-in pins only"


def test_a_pin_of_an_engine_that_is_not_installed_is_left_to_others(shelves: Shelves, offer: Offer) -> None:
    shelves.put("voice-v1", tuning(), engine="nowhere-installed")
    assert manifest(offer, "voice-v1") is None


# --- jobs


@pytest.fixture
def workshop(shelves: Shelves, loader: Loader, tmp_path: Path) -> Workshop:
    shelves.put("voice-v1", tuning())
    return Workshop.around(loader, tmp_path)


def test_a_job_for_a_pin_whose_files_went_wrong_ends_with_the_reason(shelves: Shelves, workshop: Workshop) -> None:
    job_id = workshop.add("Hello.", pin="voice-v1")
    (shelves.store.snapshot(shelves.locks["voice-v1"]) / "extra.py").write_text("print()")
    workshop.loader.offer.look()
    workshop.publish()
    synthesis.run(workshop.bench)
    job = workshop.job(job_id)
    assert job.error is not None
    assert (job.status, job.error.code.value) == (Status.FAILED, "model_lock_mismatch")
    assert job.error.message == "voice-v1: extra.py is not in the lock"


def test_a_job_for_a_pin_that_another_worker_can_serve_is_left_to_it(shelves: Shelves, workshop: Workshop) -> None:
    job_id = workshop.add("Hello.", pin="voice-v1")
    (shelves.store.snapshot(shelves.locks["voice-v1"]) / "extra.py").write_text("print()")
    workshop.loader.offer.look()
    synthesis.run(workshop.bench)
    assert workshop.job(job_id).status is Status.QUEUED


# --- no network


def test_no_engine_reaches_the_network_whatever_it_calls(shelves: Shelves, tmp_path: Path) -> None:
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
