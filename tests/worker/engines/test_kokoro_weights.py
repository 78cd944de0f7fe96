"""The published Kokoro, where its packages can be had: pulled by the lock of the example catalog, spoken in a host."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from services.worker.engine_host import HOST, EngineHost
from services.worker.engines.base import SpeakRequest
from services.worker.pins.catalog_pins import CatalogPins
from shared.weights.lock import read_locks
from shared.weights.store import WeightStore
from tests.example_pins import pulled_example
from tests.worker.engines.conformance import speak
from tests.worker.engines.conftest import Start
from tests.worker.engines.hearing import pitch_hz

FAMILY = "services.worker.engines.kokoro.family:Kokoro"
ENGLISH = SpeakRequest("The train leaves in ten minutes, so please hurry up.", "en", seed=1)
CHINESE = SpeakRequest("今天的阳光真灿烂，我们一起去公园散步吧。", "zh", seed=1)
JAPANESE = SpeakRequest("今日は天気がいいので、公園へ行きましょう。", "ja", seed=1)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Starts a host of the pin."""
    models, lock_file = pulled_example("kokoro", tmp_path_factory.mktemp("data"))
    snapshot = CatalogPins(WeightStore(models), lock_file).snapshot(read_locks(lock_file)["kokoro"])
    return lambda: EngineHost("kokoro", (*HOST, "--family", FAMILY), dict(os.environ), snapshot=snapshot)


@pytest.fixture(scope="module")
def warm(start: Start) -> Iterator[EngineHost]:
    host = loaded(start)
    yield host
    host.close()


def loaded(start: Start) -> EngineHost:
    host = start()
    host.load(lambda: None, 120)
    return host


@pytest.mark.parametrize(
    ("request_", "seconds"),
    [(ENGLISH, (2.5, 4.5)), (CHINESE, (3.0, 6.0)), (JAPANESE, (2.5, 5.0))],
    ids=["en", "zh", "ja"],
)
def test_a_sentence_is_as_long_as_people_speak_it(
    warm: EngineHost, request_: SpeakRequest, seconds: tuple[float, float]
) -> None:
    assert seconds[0] < speak(warm, request_).duration_s < seconds[1]


def test_the_same_request_gives_the_same_samples_in_another_process(warm: EngineHost, start: Start) -> None:
    first = speak(warm, ENGLISH)
    speak(warm, CHINESE)
    assert speak(warm, replace(ENGLISH, seed=2)) == first
    other = loaded(start)
    try:
        assert speak(other, ENGLISH) == first
    finally:
        other.close()


@pytest.mark.parametrize("speed", [0.25, 0.5, 1.5, 2.0, 4.0])
def test_speed_divides_the_duration(warm: EngineHost, speed: float) -> None:
    plain, moved = speak(warm, ENGLISH), speak(warm, replace(ENGLISH, speed=speed))
    assert plain.duration_s / moved.duration_s == pytest.approx(speed, rel=0.08)


def test_men_speak_lower_than_women(warm: EngineHost) -> None:
    woman, man = (speak(warm, replace(ENGLISH, voice=voice)) for voice in ("af_heart", "am_michael"))
    assert pitch_hz(man) < 0.8 * pitch_hz(woman)
