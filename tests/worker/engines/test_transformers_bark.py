"""Bark holds what every engine must hold, and what is its own."""

from __future__ import annotations

import pytest

from services.worker.engine_host import EngineHost
from shared.catalog import Manifest
from shared.errors import JobFailure
from tests.worker.engines import checkpoints
from tests.worker.engines.checkpoint_suite import CheckpointConformance
from tests.worker.engines.conformance import speak


class TestTinyBark(CheckpointConformance):
    pin = "tiny-bark"
    stands_in = True
    made_by = staticmethod(checkpoints.bark)

    def test_presets_are_voices_and_none_of_them_speaks_unasked(self, warm: EngineHost, manifest: Manifest) -> None:
        assert manifest.voices == ("v2/en_speaker_0",)
        assert manifest.default_voice is None
        assert speak(warm, self.plain(voice="v2/en_speaker_0")) != speak(warm, self.plain())

    def test_a_text_that_the_library_would_cut_is_refused(self, warm: EngineHost) -> None:
        with pytest.raises(JobFailure, match="more than 256 tokens"):
            speak(warm, self.plain(text="so " * 130))

    def test_what_the_tokenizer_does_not_know_is_named(self, warm: EngineHost) -> None:
        with pytest.raises(JobFailure, match="the model does not know '今', '天'"):
            speak(warm, self.plain(text="今天 is today"))

    @pytest.mark.parametrize("option", ["semantic_temperature", "coarse_temperature", "fine_temperature"])
    def test_every_temperature_is_heard(self, warm: EngineHost, option: str) -> None:
        assert speak(warm, self.plain(options={option: 1.9})) != speak(warm, self.plain())

    def test_an_end_that_is_likely_enough_ends_the_speech(self, warm: EngineHost) -> None:
        early = speak(warm, self.plain(options={"min_eos_p": 0.01}))
        assert early.duration_s < speak(warm, self.plain()).duration_s
