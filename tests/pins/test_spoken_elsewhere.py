"""A pin is carried to a machine that no network reaches, and a job is spoken with it there."""

from __future__ import annotations

import os
from pathlib import Path

from services.worker import synthesis
from services.worker.loader import Loader
from services.worker.pins.catalog_pins import CatalogPins
from services.worker.pins.served_pins import ServedPins
from shared.jobs import Status
from shared.weights.verification import verify
from tests.model_stores import ModelStores, tuning
from tests.pins.machine import Machine
from tests.worker.budgets import budget
from tests.worker.workshop import Workshop


def pcm_of_a_job(machine: Machine, folder: Path, wobble_path: Path) -> tuple[str, str]:
    """SHA-256 of the samples of a job, and the lock that it bears."""
    served_pins = ServedPins(
        env={**os.environ, "PYTHONPATH": str(wobble_path)}, catalog_pins=CatalogPins(machine.store, machine.lock_file)
    )
    loader = Loader(served_pins, budget(folder / "memory"))
    try:
        workshop = Workshop.around(loader, folder)
        job_id = workshop.add("Hello, is anybody there?", "voice-v1")
        synthesis.run(workshop.deps)
        job = workshop.job(job_id)
    finally:
        loader.close()
    assert job.status is Status.SUCCEEDED, job.error
    assert job.audio is not None
    return job.audio.pcm_sha256, job.lock_sha256


def test_what_was_carried_speaks_as_it_did_before(tmp_path: Path, wobble_path: Path) -> None:
    here, there = Machine(tmp_path / "here"), Machine(tmp_path / "there")
    lock = ModelStores(here.data).put("voice-v1", tuning())
    file = tmp_path / "voice.tar"
    out = here.models("export", file, "voice-v1")
    assert out.returncode == 0, out.stderr
    before = pcm_of_a_job(here, tmp_path / "before", wobble_path)
    here.data.rename(tmp_path / "gone")
    taken = there.models("import", file)
    assert taken.returncode == 0, taken.stderr
    verify(there.store, lock, whole=True)
    assert pcm_of_a_job(there, tmp_path / "after", wobble_path) == before
    assert before[1] == lock.sha256
