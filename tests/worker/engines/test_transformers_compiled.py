"""A voice compiled by inductor sounds as it does uncompiled, or is refused; never anything else in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from services.worker.engines.base import EngineError, Snapshot, SpeakRequest
from services.worker.engines.transformers.compiling import APART, Compiled
from services.worker.engines.transformers.engine import TransformersEngine
from shared.audio import Audio
from tests.worker.engines import checkpoints

_SHALLOW = {"upsample_rates": [16], "upsample_kernel_sizes": [32], "upsample_initial_channel": 16}
"""A decoder that is compiled in seconds."""


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.vits(tmp_path_factory.mktemp("shallow") / "vits", **_SHALLOW)


def engine_of(voice: Path, **options: Any) -> TransformersEngine:
    return TransformersEngine(Snapshot("vits-v1", voice, "0" * 64, options=options))


def said(engine: TransformersEngine) -> list[Audio]:
    return [engine.speak(SpeakRequest(text, "en", seed=7)) for text in ("Hello, is anybody there?", "Is anybody?")]


@pytest.mark.timeout(300)
def test_a_compiled_voice_is_as_good_as_the_same(voice: Path) -> None:
    compiled, plain = engine_of(voice, compile="inductor"), engine_of(voice)
    assert compiled.manifest().description == "VITS, compiled by inductor to within 0.001 of full scale"
    for engine in (compiled, plain):
        engine.load()
    for one, other in zip(said(compiled), said(plain), strict=True):
        apart = np.abs(np.frombuffer(one.pcm, "<i2").astype(int) - np.frombuffer(other.pcm, "<i2"))
        assert apart.max() <= APART * 32768
    assert said(compiled) == said(compiled)


@pytest.mark.timeout(300)
def test_what_the_compiler_makes_is_held_against_the_network() -> None:
    wrong = Compiled(lambda samples: samples * 1.0 if torch.compiler.is_compiling() else samples * 1.1)
    with pytest.raises(
        EngineError, match=r"options/compile: a compiled sample differs by 0.1; at most 0.001 is allowed"
    ):
        wrong(torch.ones(1, 100))


def test_what_cannot_be_compiled_is_refused() -> None:
    odd = Compiled(lambda samples: samples * (torch._dynamo.graph_break() or 1.0))
    with pytest.raises(EngineError, match="options/compile: inductor cannot compile this"):
        odd(torch.ones(1, 100))


def test_without_a_compiler_the_pin_is_refused_before_it_is_loaded(
    voice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EngineError, match=r"options/compile: inductor needs g\+\+, which is not installed"):
        engine_of(voice, compile="inductor").manifest()


def test_a_class_that_has_nothing_to_compile_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bark"}')
    with pytest.raises(EngineError, match="options/compile: not supported for Bark"):
        engine_of(tmp_path, compile="inductor").manifest()
