"""Which pins a worker keeps in memory, and how it keeps within what it may take. Real hosts, made-up budgets."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from services.worker.engine_host import EngineHost, Tick, never_mind
from services.worker.engines.base import SpeakRequest
from services.worker.loader import Loader
from services.worker.memory.budget import Budget
from services.worker.memory.footprints import Footprint
from services.worker.pins.catalog_pins import CatalogPins
from services.worker.pins.served_pins import ServedPins
from shared.audio import Audio
from shared.errors import FailureCode, JobFailure
from tests.model_stores import ModelStores, tuning
from tests.worker.budgets import budget

HELLO = SpeakRequest("Hello, is anybody there?", "en")
ROOMY_MB, TIGHT_MB = 100_000.0, 500.0
"""Room for everything; room for two pins of 150 MB beside what a bare host takes, and not for three."""

MakeLoader = Callable[[Budget], Loader]


class Canceled(Exception):
    """What a tick raises when its user wants the job stopped."""


@pytest.fixture(scope="module")
def served_pins(wobble_path: Path, tmp_path_factory: pytest.TempPathFactory) -> ServedPins:
    model_stores = ModelStores(tmp_path_factory.mktemp("model stores"))
    for name in ("first", "second", "third"):
        model_stores.put(name, tuning(loaded_mb=150.0))
    model_stores.put("leaky", tuning(leaked_mb=200.0))
    model_stores.put("hungry", tuning(speaking_mb=100.0))
    env = {**os.environ, "PYTHONPATH": str(wobble_path)}
    return ServedPins(
        [*model_stores.locks, "wobble-slow"],
        env=env,
        catalog_pins=CatalogPins(model_stores.store, model_stores.lock_file),
    )


@pytest.fixture
def make_loader(served_pins: ServedPins) -> Iterator[MakeLoader]:
    made: list[Loader] = []

    def make(budget: Budget) -> Loader:
        made.append(Loader(served_pins, budget))
        return made[-1]

    yield make
    for loader in made:
        loader.close()


@pytest.fixture
def loader(make_loader: MakeLoader, tmp_path: Path) -> Loader:
    return make_loader(budget(tmp_path / "memory", TIGHT_MB))


def speak(host: EngineHost, request: SpeakRequest = HELLO) -> Audio:
    return host.speak(request, sample_rate=None, deadline_s=30, tick=never_mind)


def spoken(loader: Loader, *pins: str, chars: int = 64) -> list[EngineHost]:
    """The hosts that spoke, one after the other."""
    hosts = []
    for pin in pins:
        with loader.lent(pin, chars, never_mind) as host:
            speak(host)
            hosts.append(host)
    return hosts


def measured(loader: Loader, pin: str, folder: Path) -> Footprint:
    """What another worker of the machine knows of the pin."""
    footprint = budget(folder / "memory").footprint(loader.served_pins.lock_sha256(pin) or "")
    assert footprint is not None
    return footprint


def refused(loader: Loader, pin: str, chars: int = 64) -> FailureCode:
    with pytest.raises(JobFailure) as failed, loader.lent(pin, chars, never_mind):
        pass
    return failed.value.code


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_loaded_host_is_used_again(loader: Loader) -> None:
    first, again = spoken(loader, "first", "first")
    assert first is again


def test_to_make_room_the_least_recently_used_host_leaves_first(loader: Loader) -> None:
    hosts = spoken(loader, "first", "second", "first", "third")
    assert loader.loaded() == ["third", "first"]
    assert [host.alive for host in hosts] == [True, False, True, True]


def test_what_was_measured_once_is_known_to_the_next_worker(make_loader: MakeLoader, tmp_path: Path) -> None:
    first = make_loader(budget(tmp_path / "memory", ROOMY_MB))
    spoken(first, "first")
    first.close()
    assert 150 < measured(first, "first", tmp_path).loaded.rss_mb < 300


def test_a_pin_that_can_never_fit_is_refused_at_once(make_loader: MakeLoader, tmp_path: Path) -> None:
    roomy = make_loader(budget(tmp_path / "memory", ROOMY_MB))
    spoken(roomy, "first")
    roomy.close()
    assert refused(make_loader(budget(tmp_path / "memory", 150.0)), "first") is FailureCode.OUT_OF_MEMORY


def test_a_host_that_takes_more_than_there_is_ends_and_the_job_is_told(make_loader: MakeLoader, tmp_path: Path) -> None:
    slowly = SpeakRequest("Slowly.", "en", options={"sleep_s": 5.0})
    with make_loader(budget(tmp_path / "memory")).lent("wobble-slow", 64, never_mind) as host:
        host.most_rss_mb = 10.0
        with pytest.raises(JobFailure) as failed:
            speak(host, slowly)
    assert failed.value.code is FailureCode.OUT_OF_MEMORY
    assert not host.alive


def test_who_finds_no_room_waits_until_somebody_is_done(loader: Loader) -> None:
    spoken(loader, "first", "second", "third")
    served: list[str] = []
    with loader.lent("first", 64, never_mind), loader.lent("second", 64, never_mind):
        waiting = threading.Thread(target=lambda: served.extend(host.pin for host in spoken(loader, "third")))
        waiting.start()
        time.sleep(0.5)
        assert not served
    waiting.join(30)
    assert served == ["third"]


def test_who_waits_for_room_can_be_called_off(loader: Loader) -> None:
    spoken(loader, "first", "second", "third")
    with (
        loader.lent("first", 64, never_mind),
        loader.lent("second", 64, never_mind),
        pytest.raises(Canceled),
        loader.lent("third", 64, _calls_off()),
    ):
        pass


def _calls_off() -> Tick:
    def tick() -> None:
        raise Canceled

    return tick


def test_alone_means_a_new_host_and_nothing_beside_it(loader: Loader) -> None:
    first, second = spoken(loader, "first", "second")
    with loader.lent("first", 64, never_mind, alone=True) as host:
        assert host is not first
        assert not first.alive
        assert not second.alive


def test_a_leaking_host_is_replaced_between_texts(make_loader: MakeLoader, tmp_path: Path) -> None:
    loader = make_loader(budget(tmp_path / "memory", ROOMY_MB))
    hosts = spoken(loader, *["leaky"] * 6)
    assert len({host.pid for host in hosts}) > 1
    assert max(host.held.rss_mb for host in hosts) < 1000


def test_a_leak_is_not_taken_for_what_the_pin_needs(make_loader: MakeLoader, tmp_path: Path) -> None:
    loader = make_loader(budget(tmp_path / "memory", ROOMY_MB))
    spoken(loader, *["leaky"] * 4)
    footprint = measured(loader, "leaky", tmp_path)
    assert footprint.speaking(64).rss_mb < 600


def test_longer_texts_are_given_more_room(make_loader: MakeLoader, tmp_path: Path) -> None:
    loader = make_loader(budget(tmp_path / "memory", ROOMY_MB))
    spoken(loader, "hungry", "hungry")
    footprint = measured(loader, "hungry", tmp_path)
    assert footprint.speaking(64).rss_mb == pytest.approx(footprint.loaded.rss_mb + 100, rel=0.2)
    assert footprint.besides(256).rss_mb == pytest.approx(4 * footprint.besides(64).rss_mb)


def test_a_worker_that_rests_makes_room_for_another(make_loader: MakeLoader, tmp_path: Path) -> None:
    ours, theirs = (make_loader(budget(tmp_path / "memory", TIGHT_MB)) for _ in range(2))
    spoken(ours, "first", "second")
    wish = tmp_path / "wish"
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # another process: what one process asks for is not served by itself
        try:
            with theirs._budget.wanting(theirs._budget.room):
                wish.touch()
                os.read(read, 1)
        finally:
            os._exit(0)
    until(wish.exists)
    time.sleep(2.1)
    ours.yield_room()
    os.write(write, b".")
    os.waitpid(child, 0)
    assert ours.loaded() == ["second"]


def test_a_crashed_host_is_started_again(loader: Loader) -> None:
    (host,) = spoken(loader, "first")
    os.kill(host.pid, signal.SIGKILL)
    until(lambda: not host.alive)
    assert loader.loaded() == []
    (again,) = spoken(loader, "first")
    assert again is not host


def test_what_a_dead_host_had_reserved_is_free_again(loader: Loader) -> None:
    for _ in range(2):
        for host in spoken(loader, "first", "second"):
            os.kill(host.pid, signal.SIGKILL)
            until(lambda host=host: not host.alive)  # type: ignore[misc]
    assert [host.pin for host in spoken(loader, "third")] == ["third"]


def test_a_pin_that_is_not_installed_fails_the_job_that_wants_it(loader: Loader) -> None:
    assert refused(loader, "indextts2-v23") is FailureCode.MODEL_NOT_PULLED


def test_closing_ends_every_host(loader: Loader) -> None:
    hosts: Sequence[EngineHost] = spoken(loader, "first", "second")
    loader.close()
    assert not any(host.alive for host in hosts)
    assert loader.loaded() == []
