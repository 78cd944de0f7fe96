"""What an engine must hold besides where it speaks several texts in one go: where its pin's ``max_batch`` is over one.

A suite per engine is three lines, as in conformance.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest

from services.worker.engine_host import EngineHost, never_mind
from services.worker.engines.base import SpeakRequest
from shared.audio import Audio
from shared.catalog import Manifest
from shared.errors import FailureCode, JobFailure
from tests.worker.engines.conformance import DEADLINE_S, EngineConformance, speak
from tests.worker.engines.conftest import Start


def speak_batch(host: EngineHost, requests: list[SpeakRequest]) -> list[Audio]:
    return host.speak_batch(requests, sample_rate=None, deadline_s=DEADLINE_S, tick=never_mind)


class BatchConformance:
    """Subclass it and name the pin."""

    pin: ClassVar[str]
    texts: ClassVar[tuple[str, ...]] = (
        "Seven.",
        " ".join([EngineConformance.sentence] * 3),
        EngineConformance.sentence,
    )
    """Each at least three times as long as the next shorter one."""
    wordless: ClassVar[str] = "……"

    def batch(self, **changes: Any) -> list[SpeakRequest]:
        return [SpeakRequest(text, "en", seed=seed, **changes) for seed, text in enumerate(self.texts)]

    def test_the_manifest_allows_it(self, manifest: Manifest) -> None:
        assert manifest.max_batch >= len(self.texts)

    def test_each_text_has_its_own_audio_in_its_place(self, warm: EngineHost) -> None:
        """By length: a batch draws other random numbers, so that it may change, but never to another text's."""
        alone = [speak(warm, request).duration_s for request in self.batch()]
        together = speak_batch(warm, self.batch())
        turned = reversed(speak_batch(warm, self.batch()[::-1]))
        for length, one, other in zip(alone, together, turned, strict=True):
            assert length / 1.7 < one.duration_s < length * 1.7
            assert length / 1.7 < other.duration_s < length * 1.7

    def test_the_same_batch_gives_the_same_samples_cold_and_warm(self, warm: EngineHost, start: Start) -> None:
        first = speak_batch(warm, self.batch())
        speak(warm, self.batch()[0])
        assert speak_batch(warm, self.batch()) == first
        assert speak_batch(start(), self.batch()) == first

    def test_a_text_is_spoken_alone_as_if_there_had_been_no_batch(self, warm: EngineHost) -> None:
        before = speak(warm, self.batch()[0])
        speak_batch(warm, self.batch())
        assert speak(warm, self.batch()[0]) == before

    def test_controls_are_those_of_one_text(self, warm: EngineHost) -> None:
        plain, fast = (
            sum(one.duration_s for one in speak_batch(warm, self.batch(speed=speed))) for speed in (1.0, 2.0)
        )
        assert plain / fast == pytest.approx(2.0, rel=0.08)

    def test_one_that_cannot_be_spoken_fails_the_batch_and_no_more(self, warm: EngineHost) -> None:
        with pytest.raises(JobFailure) as failed:
            speak_batch(warm, [*self.batch()[1:], replace(self.batch()[0], text=self.wordless)])
        assert failed.value.code is FailureCode.ENGINE_RETURNED_NOTHING
        assert speak_batch(warm, self.batch())
