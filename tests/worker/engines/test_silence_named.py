"""An engine that gives nothing: what was asked of it besides the text is named, as that may be why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from services.worker.engines import options
from services.worker.engines.base import EngineError, SpeakRequest
from services.worker.engines.host import PinHost
from shared.audio import Audio
from shared.catalog import Manifest, Support
from shared.errors import FailureCode

RATE = 16_000
OPTIONS = (
    options.Number("loudness", 1.0, 0, 2, "0: nothing"),
    options.Number("takes", 1, 1, 3, "tries", whole=True),
)


class Mute:
    """An engine that gives zeros where its loudness is 0, and says nothing about it."""

    def manifest(self) -> Manifest:
        return Manifest(
            pin="mute-v1",
            engine="mute",
            engine_version="1",
            lock_sha256="ab" * 32,
            sample_rate=RATE,
            languages=("en",),
            default_language="en",
            voices=(),
            controls={"seed": Support.NO_EFFECT},
            emotions=(),
            options_schema=options.schema(OPTIONS),
        )

    def load(self) -> None:
        """Nothing to load."""

    def speak(self, request: SpeakRequest) -> Audio:
        loudness = options.chosen(OPTIONS, request.options)["loudness"]
        return Audio((b"\x10\x10" if loudness else b"\0\0") * RATE, RATE)


def said(given: Mapping[str, Any]) -> str:
    """Why nothing was spoken."""
    host = PinHost(Mute)
    host.manifest({})
    request = SpeakRequest("Hello.", "en", options=given).to_json()
    with pytest.raises(EngineError) as failed:
        host.speak({"requests": [request], "sample_rate": None})
    assert failed.value.code is FailureCode.ENGINE_RETURNED_NOTHING
    return str(failed.value)


def test_the_option_is_named() -> None:
    assert said({"loudness": 0}) == "the engine returned only silence, with options/loudness 0"


def test_every_option_that_was_moved_is_named_and_no_default() -> None:
    assert said({"loudness": 0, "takes": 2}).endswith("with options/loudness 0, options/takes 2")
    assert said({"loudness": 0, "takes": 1}).endswith("with options/loudness 0")


def test_what_is_heard_is_not_refused() -> None:
    host = PinHost(Mute)
    host.manifest({})
    request = SpeakRequest("Hello.", "en", options={"takes": 2}).to_json()
    _, pcm = host.speak({"requests": [request], "sample_rate": None})
    assert any(pcm)
