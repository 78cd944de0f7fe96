"""A checkpoint of the library transformers as an engine, whatever its class.

Owns what all classes share: the manifest, the device, the seed of every call and the processing of the audio. The table
`_CLASSES` says which class speaks a model type; each has its own file. On a CPU texts are spoken one at a time, unless
the pin's options say otherwise: a batch is slower there, and the other texts change how a text sounds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from services.worker.engines import options, sonic
from services.worker.engines.base import EngineError, Snapshot, SpeakRequest
from services.worker.engines.samples import audio_of
from services.worker.engines.sonic import Stretch
from services.worker.engines.spoken_characters import require_words
from services.worker.engines.transformers import chance, compiling, device
from services.worker.engines.transformers.bark import Bark
from services.worker.engines.transformers.checkpoint import Checkpoint
from services.worker.engines.transformers.general import General
from services.worker.engines.transformers.pin_options import PinOptions, pin_options
from services.worker.engines.transformers.speaking import (
    BatchSpeaker,
    CheckpointSpeaker,
    CompiledSpeaker,
    Facts,
    TextLine,
    Waveform,
)
from services.worker.engines.transformers.speecht5 import SpeechT5
from services.worker.engines.transformers.vits import Vits
from shared.audio import Audio
from shared.catalog import Manifest, Support
from shared.errors import FailureCode
from shared.machine.installed_packages import version_of

if TYPE_CHECKING:
    import torch

_CLASSES: Mapping[str, Callable[[Checkpoint, Mapping[str, Any]], CheckpointSpeaker]] = {
    "bark": Bark,
    "speecht5": SpeechT5,
    "vits": Vits,
}
CONTROLS: Mapping[str, Support] = {
    "pitch_scale": Support.POST,
    "sample_rate": Support.POST,
}

BATCH = 16
"""Texts in one call on a GPU, if the pin's options do not say."""


class TransformersEngine:
    """The engine of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._device: torch.device | None = None

    def manifest(self) -> Manifest:
        facts = self._facts
        return Manifest(
            pin=self._snapshot.pin,
            engine="transformers",
            engine_version=_version(),
            lock_sha256=self._snapshot.lock_sha256,
            sample_rate=facts.sample_rate,
            languages=facts.languages,
            default_language=facts.languages[0],
            voices=facts.voices,
            default_voice=self._default_voice,
            controls={**CONTROLS, "speed": facts.speed, "seed": facts.seed},
            emotions=(),
            max_batch=self._max_batch,
            max_piece_chars=facts.max_piece_chars,
            options_schema=options.schema(facts.options),
            description=facts.description,
        )

    def load(self) -> None:
        compiles = self._facts.compiles and self._pin_options.compile != "none"
        self._device = device.chosen(self._pin_options.device)
        chance.settle(self._device, self._pin_options.threads)
        with _out_of_memory_told():
            self._speaker.load(self._device)
        if compiles:
            with self._drawing(seed=0):
                cast(CompiledSpeaker, self._speaker).compile()

    def speak(self, request: SpeakRequest) -> Audio:
        line = self._line(request)
        with self._drawing(request.seed):
            made = self._speaker.waveform(line)
        return self._audio(made, request)

    def speak_batch(self, requests: Sequence[SpeakRequest]) -> Sequence[Audio]:
        lines = [self._line(request) for request in requests]
        with self._drawing(chance.seed_of_all(requests)):
            made = cast(BatchSpeaker, self._speaker).waveforms(lines)
        return [self._audio(one, request) for one, request in zip(made, requests, strict=True)]

    def _line(self, request: SpeakRequest) -> TextLine:
        require_words(request.text)
        return TextLine(
            text=request.text,
            voice=request.voice or self._default_voice,
            speed=request.speed,
            options=options.chosen(self._facts.options, request.options),
        )

    def _audio(self, made: Waveform, request: SpeakRequest) -> Audio:
        audio = audio_of(made.samples.float().cpu().numpy(), self._facts.sample_rate)
        return sonic.applied(audio, Stretch(made.tempo, request.pitch_scale))

    @contextlib.contextmanager
    def _drawing(self, seed: int) -> Iterator[None]:
        assert self._device is not None, "load first"
        with _out_of_memory_told(), chance.seeded(seed, self._device):
            yield

    @property
    def _default_voice(self) -> str | None:
        return self._facts.voices[0] if self._facts.voices and not self._facts.voiceless else None

    @property
    def _max_batch(self) -> int:
        if not self._facts.batches:
            return 1
        return self._pin_options.max_batch or (BATCH if device.on_gpu(self._pin_options.device) else 1)

    @cached_property
    def _facts(self) -> Facts:
        """The facts of the class, changed by the catalog's options."""
        facts, said = self._speaker.facts(), self._pin_options
        if (said.max_batch or 1) > 1 and not facts.batches:
            raise EngineError(f"options/max_batch: {facts.description} speaks one text at a time")
        if said.compile != "none":
            if not facts.compiles:
                raise EngineError(f"options/compile: not supported for {facts.description}")
            compiling.require_compiler(gpu=device.on_gpu(said.device))
        facts = replace(
            facts,
            languages=said.languages or facts.languages,
            max_piece_chars=said.max_piece_chars or facts.max_piece_chars,
            description=_described(facts.description, said.compile),
        )
        if not facts.languages:
            raise EngineError("no file of the checkpoint says its language; set options/languages in the catalog")
        return facts

    @cached_property
    def _speaker(self) -> CheckpointSpeaker:
        checkpoint = Checkpoint(self._snapshot.folder, trust_remote_code=self._snapshot.trust_remote_code)
        return _CLASSES.get(checkpoint.model_type, General)(checkpoint, self._pin_options.speakers)

    @cached_property
    def _pin_options(self) -> PinOptions:
        return pin_options(self._snapshot.options)


def _described(description: str, compiler: str) -> str:
    if compiler == "none":
        return description
    return f"{description}, compiled by {compiler} to within {compiling.APART:g} of full scale"


@contextlib.contextmanager
def _out_of_memory_told() -> Iterator[None]:
    """Turn torch's GPU error into ours. For a CPU, torch raises nothing that differs by type from other errors."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise EngineError(str(error), FailureCode.GPU_OUT_OF_MEMORY) from error


def _version() -> str:
    if (version := version_of("transformers")) is None:
        raise EngineError("the package transformers is not installed")
    return version
