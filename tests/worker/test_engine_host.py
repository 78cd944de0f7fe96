"""The worker's end of an engine host, against hosts that really crash, hang and dawdle."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from services.worker.engine_host import EngineHost, Tick, never_mind
from services.worker.engines.base import SpeakRequest
from shared.audio import Audio
from shared.errors import FailureCode, JobFailure

LOAD_S = 60.0

Begin = Callable[[str], EngineHost]


class Canceled(Exception):
    """What a tick raises when its user wants the job stopped."""


@pytest.fixture
def begin(wobble_path: Path) -> Iterator[Begin]:
    """Starts a loaded host of the pin that is named."""
    hosts: list[EngineHost] = []

    def start(pin: str) -> EngineHost:
        host = EngineHost(pin, env={**os.environ, "PYTHONPATH": str(wobble_path)})
        hosts.append(host)
        host.load(never_mind, LOAD_S)
        return host

    yield start
    for host in hosts:
        host.close()


def speak(
    host: EngineHost, text: str, *, deadline_s: float = 30.0, tick: Tick = never_mind, sleep_s: float | None = None
) -> Audio:
    options = {} if sleep_s is None else {"sleep_s": sleep_s}
    return host.speak(SpeakRequest(text, "en", options=options), sample_rate=None, deadline_s=deadline_s, tick=tick)


def ticks_until(seconds: float) -> Callable[[], None]:
    """A tick that cancels after so long."""
    until = time.monotonic() + seconds

    def tick() -> None:
        if time.monotonic() > until:
            raise Canceled

    return tick


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_a_loaded_host_knows_its_lock_and_its_limits(begin: Begin) -> None:
    host = begin("espeak-v1")
    manifest = host.manifest(LOAD_S)
    assert (host.lock_sha256, host.max_piece_chars) == (manifest.lock_sha256, manifest.max_piece_chars)
    assert 5 < host.held.rss_mb < 200


def test_a_crash_is_named_by_its_signal_and_may_be_tried_again(begin: Begin) -> None:
    host = begin("wobble-crash")
    assert speak(host, "Quite harmless.").pcm
    with pytest.raises(JobFailure, match="SIGSEGV") as failed:
        speak(host, "And now: kaboom!")
    assert failed.value.code is FailureCode.ENGINE_CRASHED
    assert not failed.value.final
    assert gone(host.pid)


def test_a_crashed_host_goes_on_being_crashed(begin: Begin) -> None:
    host = begin("wobble-crash")
    for _ in range(2):
        with pytest.raises(JobFailure) as failed:
            speak(host, "kaboom")
        assert failed.value.code is FailureCode.ENGINE_CRASHED


def test_a_host_that_was_gone_before_it_was_asked_is_not_what_is_asked_to_blame(begin: Begin) -> None:
    host = begin("wobble-crash")
    os.kill(host.pid, signal.SIGKILL)
    while host.alive:
        time.sleep(0.01)
    with pytest.raises(JobFailure) as failed:
        speak(host, "Quite harmless.")
    assert failed.value.blameless
    host = begin("wobble-crash")
    with pytest.raises(JobFailure) as failed:
        speak(host, "kaboom")
    assert not failed.value.blameless


def test_a_hang_ends_at_the_deadline_and_is_final(begin: Begin) -> None:
    host = begin("wobble-hang")
    began = time.monotonic()
    with pytest.raises(JobFailure) as failed:
        speak(host, "A standstill.", deadline_s=0.5)
    assert failed.value.code is FailureCode.ENGINE_TIMEOUT
    assert failed.value.final
    assert time.monotonic() - began < 15
    assert gone(host.pid)


def test_a_cancel_in_mid_call_is_noticed_long_before_the_deadline_although_the_engine_hangs(begin: Begin) -> None:
    host = begin("wobble-hang")
    began = time.monotonic()
    with pytest.raises(Canceled):
        speak(host, "A standstill.", tick=ticks_until(0.1))
    assert time.monotonic() - began < 15
    assert gone(host.pid)


def test_a_host_that_soon_answers_survives_a_cancel_and_keeps_its_answers_in_order(begin: Begin) -> None:
    host = begin("wobble-slow")
    wanted = speak(host, "This one is wanted.", sleep_s=0.0)
    with pytest.raises(Canceled):
        speak(host, "Nobody wants this one any more.", tick=ticks_until(0.1), sleep_s=0.4)
    assert host.alive
    assert speak(host, "This one is wanted.", sleep_s=0.0) == wanted


def test_the_tick_is_heard_four_times_a_second(begin: Begin) -> None:
    host = begin("wobble-slow")
    heard = [time.monotonic()]
    speak(host, "Slowly.", tick=lambda: heard.append(time.monotonic()), sleep_s=1.2)
    assert len(heard) >= 5
    assert median(later - earlier for earlier, later in pairwise(heard)) < 0.4


def test_a_pin_that_no_family_brings_ends_its_host(begin: Begin) -> None:
    with pytest.raises(JobFailure, match="exited with 1") as failed:
        begin("nobodys-pin")
    assert failed.value.code is FailureCode.ENGINE_CRASHED


def test_speaking_through_the_host_costs_a_few_milliseconds(begin: Begin) -> None:
    """Against a host whose engine takes about as long as espeak does; `python -m tests.worker.measure` has figures."""
    host = begin("espeak-v1")
    took = []
    for _ in range(10):
        began = time.perf_counter()
        speak(host, "Yes.")
        took.append(time.perf_counter() - began)
    assert min(took) < 0.05
