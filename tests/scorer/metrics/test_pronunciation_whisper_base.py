"""Whisper base as it is published in packages hears which reading was spoken. Skipped where it cannot be pulled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.scorer.metrics.pronunciation.verdict import POCKETSPHINX, WHISPER
from services.scorer.scoring.metric_host import MetricHost
from services.worker.engines.base import Engine, SpeakRequest
from services.worker.engines.families import family_of
from shared.readings.pronunciation import Pronunciation
from shared.scores import Score
from shared.suites.reading import golden_suite
from shared.suites.suite import Item
from tests.example_pins import pulled_example


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetricHost]:
    """A host in its sandbox with the pin of the examples, pulled as a user does it."""
    models, lock_file = pulled_example("whisper-base", tmp_path_factory.mktemp("pulled"))
    with MetricHost(models=models, lock_file=lock_file) as host:
        yield host


@pytest.fixture(scope="module")
def espeak() -> Engine:
    engine = family_of("espeak-v2").build("espeak-v2")
    engine.load()
    return engine


def _item(suite: str, name: str) -> tuple[Item, Pronunciation]:
    item = next(item for item in golden_suite(suite).items if item.id == name)
    assert item.pronunciation is not None
    return item, item.pronunciation


def _verdict(host: MetricHost, engine: Engine, item: Item, said: Pronunciation, spoken: str) -> tuple[str, Score]:
    """The name whose value is 1, and its score, if ``spoken`` is said in the place of the target."""
    voice = {"en": "en-us", "zh": "cmn"}[item.language]
    audio = engine.speak(SpeakRequest(said.spelled(item.text, spoken), item.language, voice=voice))
    (result,) = host.measure(
        audio, text=item.text, language=item.language, pronunciation=said, families=["pronunciation"]
    )
    ((name, score),) = [(name, one) for name, one in result.scores.items() if isinstance(one, Score) and one.value]
    return name.removeprefix("pronunciation/"), score


@pytest.mark.parametrize(
    ("suite", "name", "recognisers"),
    [
        ("pronunciation-en", "year-1984", [WHISPER, POCKETSPHINX]),
        ("pronunciation-en", "read-past", [WHISPER, POCKETSPHINX]),
        ("pronunciation-en", "profit", [WHISPER, POCKETSPHINX]),
        ("pronunciation-zh", "number-room", [WHISPER]),
        ("pronunciation-zh", "number-ordinal", [WHISPER]),
    ],
)
def test_what_was_spoken_is_judged_by_its_reading(
    suite: str, name: str, recognisers: list[str], host: MetricHost, espeak: Engine
) -> None:
    item, said = _item(suite, name)
    for truth, spoken in (("right", said.right[0]), ("wrong", said.wrong[0])):
        verdict, score = _verdict(host, espeak, item, said, spoken)
        assert verdict == truth
        assert [one.recogniser for one in score.readings] == recognisers


def test_the_text_as_it_is_written_is_read_rightly(host: MetricHost, espeak: Engine) -> None:
    item, said = _item("pronunciation-en", "year-1984")
    assert _verdict(host, espeak, item, said, said.target)[0] == "right"


def test_the_same_clip_has_the_same_verdict(host: MetricHost, espeak: Engine) -> None:
    item, said = _item("pronunciation-zh", "number-room")
    assert _verdict(host, espeak, item, said, said.right[0]) == _verdict(host, espeak, item, said, said.right[0])
