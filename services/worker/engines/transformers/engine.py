"""A checkpoint of the library transformers as an engine, whatever its class.

Owns what all classes share: the manifest, the device, the seed of every call and what is done on the audio. Which
class speaks a model type is the table `_CLASSES`; each has a file of its own. One text at a time: other texts in a
batch would change how this one sounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from services.worker.engines import options, sonic
from services.worker.engines.base import EngineError, Snapshot, SpeakRequest
from services.worker.engines.samples import audio_of
from services.worker.engines.sonic import Stretch
from services.worker.engines.transformers import chance, wording
from services.worker.engines.transformers.bark import Bark
from services.worker.engines.transformers.checkpoint import Checkpoint
from services.worker.engines.transformers.general import General
from services.worker.engines.transformers.speaking import Facts, Line, Speaker, Waveform
from services.worker.engines.transformers.speecht5 import SpeechT5
from services.worker.engines.transformers.vits import Vits
from services.worker.engines.transformers.wishes import Wishes, wishes
from shared.audio import Audio
from shared.catalog import Manifest, Support
from shared.errors import FailureCode

if TYPE_CHECKING:
    import torch

_CLASSES: Mapping[str, Callable[[Checkpoint, Mapping[str, Any]], Speaker]] = {
    "bark": Bark,
    "speecht5": SpeechT5,
    "vits": Vits,
}
CONTROLS: Mapping[str, Support] = {
    "emotion": Support.UNSUPPORTED,
    "strength": Support.UNSUPPORTED,
    "emotion_vector": Support.UNSUPPORTED,
    "emotion_audio": Support.UNSUPPORTED,
    "emotion_text": Support.UNSUPPORTED,
    "pitch_scale": Support.POST,
    "sample_rate": Support.POST,
    "reference": Support.UNSUPPORTED,
}


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
            max_piece_chars=facts.max_piece_chars,
            options_schema=options.schema(facts.options),
            description=facts.description,
        )

    def load(self) -> None:
        import torch

        wanted = self._wishes.device
        if wanted == "cuda" and not torch.cuda.is_available():
            raise EngineError("options/device: there is no GPU here for a pin that asks for one")
        gpu = wanted != "cpu" and torch.cuda.is_available()
        device = torch.device("cuda", torch.cuda.current_device()) if gpu else torch.device("cpu")
        chance.settle(device)
        try:
            self._speaker.load(device)
        except torch.OutOfMemoryError as error:
            raise EngineError(str(error), FailureCode.GPU_OUT_OF_MEMORY) from error
        self._device = device

    def speak(self, request: SpeakRequest) -> Audio:
        wording.require_words(request.text)
        line = Line(
            text=request.text,
            voice=request.voice or self._default_voice,
            speed=request.speed,
            options=options.chosen(self._facts.options, request.options),
        )
        made = self._made(line, request.seed)
        audio = audio_of(made.samples.float().cpu().numpy(), self._facts.sample_rate)
        return sonic.applied(audio, Stretch(made.tempo, request.pitch_scale))

    def _made(self, line: Line, seed: int) -> Waveform:
        import torch

        assert self._device is not None, "load first"
        try:
            with chance.seeded(seed, self._device):
                return self._speaker.waveform(line)
        except torch.OutOfMemoryError as error:
            raise EngineError(str(error), FailureCode.GPU_OUT_OF_MEMORY) from error

    @property
    def _default_voice(self) -> str | None:
        return self._facts.voices[0] if self._facts.voices and not self._facts.voiceless else None

    @cached_property
    def _facts(self) -> Facts:
        """Of the class, with what the catalog says otherwise."""
        facts, said = self._speaker.facts(), self._wishes
        facts = replace(
            facts,
            languages=said.languages or facts.languages,
            max_piece_chars=said.max_piece_chars or facts.max_piece_chars,
        )
        if not facts.languages:
            raise EngineError("no file of the checkpoint says its language: options/languages has to")
        return facts

    @cached_property
    def _speaker(self) -> Speaker:
        checkpoint = Checkpoint(self._snapshot.folder, trust_remote_code=self._snapshot.trust_remote_code)
        return _CLASSES.get(checkpoint.model_type, General)(checkpoint, self._wishes.speakers)

    @cached_property
    def _wishes(self) -> Wishes:
        return wishes(self._snapshot.options)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("transformers")
    except PackageNotFoundError as error:
        raise EngineError("the package transformers is not installed") from error
