"""Six pins, memory for three, and jobs that keep coming: what is loaded is used, and no pin is forgotten over it."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.worker import synthesis
from services.worker.engine_host import EngineHost, Tick
from services.worker.loader import Loader
from services.worker.memory.devices import rss_mb
from services.worker.pins.catalog_pins import CatalogPins
from services.worker.pins.served_pins import ServedPins
from shared.jobs import Status
from shared.scheduling.fairness import PREFER_LOADED_FOR_S
from tests.model_stores import ModelStores, tuning
from tests.worker.budgets import budget
from tests.worker.workshop import Workshop

PINS = tuple(f"pin-{number}" for number in range(1, 7))
CAP_MB = 820.0
"""Three hosts of about 240 MB and what they take while they speak; not four."""
JOBS, JOB_S = 90, 0.8
"""Each job moves the clock on by so much, and meanwhile others come."""


class Watched(Loader):
    """A loader that keeps a diary: which pin was lent when, what was loaded for it, and what all hosts held."""

    def __init__(self, served_pins: ServedPins, folder: Path) -> None:
        super().__init__(served_pins, budget(folder, CAP_MB))
        self.served: list[str] = []
        self.loads: list[str] = []
        self.held_mb: list[float] = []
        self.pids: set[int] = set()

    @contextmanager
    def lent(self, pin: str, chars: int, tick: Tick, *, alone: bool = False) -> Iterator[EngineHost]:
        with super().lent(pin, chars, tick, alone=alone) as host:
            self.served.append(pin)
            if host.pid not in self.pids:
                self.loads.append(pin)
                self.pids.add(host.pid)
            yield host
            self.held_mb.append(sum(rss_mb(pid) for pid in self.pids) + host.peak.beyond(host.held).rss_mb)


@pytest.fixture(scope="module")
def served_pins(wobble_path: Path, tmp_path_factory: pytest.TempPathFactory) -> ServedPins:
    model_stores = ModelStores(tmp_path_factory.mktemp("model stores"))
    for pin in PINS:
        model_stores.put(pin, tuning(loaded_mb=180.0, speaking_mb=20.0))
    env = {**os.environ, "PYTHONPATH": str(wobble_path)}
    return ServedPins(PINS, env=env, catalog_pins=CatalogPins(model_stores.store, model_stores.lock_file))


def fewest_loads(served: Sequence[str], room: int) -> int:
    """For serving in this order with room for so many, by somebody who knows what comes (Belady 1966: of what is
    loaded, that leaves which is wanted last)."""
    loaded: set[str] = set()
    loads = 0
    for at, pin in enumerate(served):
        if pin in loaded:
            continue
        loads += 1
        if len(loaded) == room:
            coming = served[at:]
            loaded.remove(max(loaded, key=lambda one: coming.index(one) if one in coming else len(coming)))
        loaded.add(pin)
    return loads


def test_the_best_order_of_leaving_is_known_for_a_classic_case() -> None:
    assert fewest_loads("abcdabeabcde", 3) == 7


@pytest.mark.parametrize("mix", ["even", "one in demand"])
def test_no_thrash_and_no_pin_starves(served_pins: ServedPins, tmp_path: Path, mix: str) -> None:
    loader = Watched(served_pins, tmp_path / "memory")
    workshop = Workshop.around(loader, tmp_path)
    chance = random.Random(7)
    weights = [1] * 6 if mix == "even" else [10, 3, 2, 1, 1, 1]
    coming = chance.choices(PINS, weights, k=JOBS)
    arrived: list[str] = []
    try:
        while len(loader.served) < JOBS:
            while coming and len(arrived) - len(loader.served) < 12:
                arrived.append(workshop.add("The ferry left at noon.", pin=coming.pop()))
            (job,) = workshop.store.claim("here/0", served_pins.served(), loader.loaded(), 15.0, workshop.now)
            synthesis.speak(workshop.deps, synthesis.Slot("here/0", loader), [job])
            workshop.now += JOB_S
    finally:
        loader.close()
    jobs = [workshop.job(job_id) for job_id in arrived]
    assert {job.status for job in jobs} == {Status.SUCCEEDED}
    assert len(loader.loads) <= 1.5 * fewest_loads(loader.served, 3)
    assert max(loader.held_mb) < CAP_MB
    longest = max((job.started_at or 0.0) - job.created_at for job in jobs)
    assert longest <= PREFER_LOADED_FOR_S + 12 * JOB_S
