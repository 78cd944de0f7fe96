"""A pin is carried to a machine that no network reaches, and a job is spoken with it there."""

from __future__ import annotations

import os
from pathlib import Path

from services.worker import synthesis
from services.worker.loader import Loader
from services.worker.offer import Offer
from services.worker.shelf import Shelf
from shared.jobs import Status
from shared.weights.verification import verify
from tests.pins.machine import Machine
from tests.shelves import Shelves, tuning
from tests.worker.budgets import budget
from tests.worker.workshop import Workshop


def pcm_of_a_job(machine: Machine, folder: Path, wobble_path: Path) -> tuple[str, str]:
    """SHA-256 of the samples of a job, and the lock that it bears."""
    offer = Offer(env={**os.environ, "PYTHONPATH": str(wobble_path)}, shelf=Shelf(machine.store, machine.lock_file))
    loader = Loader(offer, budget(folder / "memory"))
    try:
        workshop = Workshop.around(loader, folder)
        job_id = workshop.add("Hello, is anybody there?", "voice-v1")
        synthesis.run(workshop.bench)
        job = workshop.job(job_id)
    finally:
        loader.close()
    assert job.status is Status.SUCCEEDED, job.error
    assert job.audio is not None
    return job.audio.pcm_sha256, job.lock_sha256


def test_what_was_carried_speaks_as_it_did_before(tmp_path: Path, wobble_path: Path) -> None:
    here, there = Machine(tmp_path / "here"), Machine(tmp_path / "there")
    lock = Shelves(here.data).put("voice-v1", tuning())
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
