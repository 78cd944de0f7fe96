"""A model without a class of its own holds what every engine must hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from services.worker.engine_host import EngineHost
from shared.errors import JobFailure
from tests.worker.engines import checkpoints
from tests.worker.engines.checkpoint_suite import CheckpointConformance
from tests.worker.engines.conformance import speak


class TestTinyMusicgen(CheckpointConformance):
    pin = "tiny-musicgen"
    stands_in = True
    made_by = staticmethod(checkpoints.musicgen)
    options: ClassVar[Mapping[str, Any]] = {"languages": ["en"], "max_piece_chars": 100}

    def test_its_length_is_an_option(self, warm: EngineHost) -> None:
        half = speak(warm, self.plain(options={"max_new_tokens": 80}))
        assert half.duration_s == pytest.approx(speak(warm, self.plain()).duration_s / 2, rel=0.1)

    def test_what_the_tokenizer_does_not_know_is_named(self, warm: EngineHost) -> None:
        with pytest.raises(JobFailure, match="the model does not know '今', '天'"):
            speak(warm, self.plain(text="今天 is today"))
