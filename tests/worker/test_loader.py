"""Which pins a worker keeps in memory."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from services.worker.engine_host import EngineHost, never_mind
from services.worker.engines.base import SpeakRequest
from services.worker.loader import Loader
from services.worker.offer import Offer
from shared.errors import FailureCode, JobFailure

FOUR = ("espeak-v1", "espeak-v2", "wobble", "wobble-noisy")


def environ(*path: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}


@pytest.fixture
def loader(wobble_path: Path) -> Iterator[Loader]:
    loader = Loader(Offer(FOUR, env=environ(wobble_path)), capacity=2)
    yield loader
    loader.close()


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
    loader = Loader(Offer(["espeak-v1"]))
    with pytest.raises(JobFailure) as failed:
        loader.acquire("indextts2-v23", never_mind)
    assert failed.value.code is FailureCode.MODEL_NOT_PULLED


def test_closing_ends_every_host(loader: Loader) -> None:
    hosts = acquire(loader, ["espeak-v1", "espeak-v2"])
    loader.close()
    assert not any(host.alive for host in hosts)
    assert loader.loaded() == []
