"""The door to the packages: whether they are there, one pipeline with its voices, one call of it.

Owns what has to be done around ``modelscope``, ``kantts`` and ``ttsfrd`` so that the same call gives the same samples,
no file of a model runs as code, and every failure is one. Knows no request.
"""

from __future__ import annotations

import io
import os
import pickle
import random
import tempfile
import wave
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from services.worker.engines.base import EngineError
from services.worker.engines.sambert import installed
from services.worker.engines.sambert.weights import Weights
from services.worker.engines.sambert.workplace import Workplace
from shared.audio import BYTES_PER_SAMPLE, Audio
from shared.errors import FailureCode

_TASK, _OUTPUT = "text-to-speech", "output_wav"
_WEIGHTS_ONLY, _WHATEVER = "TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"
"""What torch heeds where its caller does not say how far a file is trusted; this caller does not."""
_NUMPY_SEEDS = 2**32


class Model:
    """A pipeline in memory. For one thread."""

    def __init__(self, weights: Weights, trusted: bool) -> None:
        """Loads it and its first voice, on the GPU where there is one; other voices follow when they are asked for.

        ``trusted``: checkpoints may hold whatever pickle can, and configurations whatever PyYAML can, which is code.
        Raises `EngineError`.
        """
        make, self._failure = _imported()
        import torch

        self._torch = torch
        self._sample_rate = weights.sample_rate
        if not trusted:
            _check_plain([path for voice in weights.voices.values() for path in voice.configurations])
        os.environ.pop(_WEIGHTS_ONLY, None)
        os.environ[_WHATEVER if trusted else _WEIGHTS_ONLY] = "1"  # for good: voices are loaded late
        self._workplace = Workplace(weights.folder, Path(tempfile.gettempdir()))
        gpu = torch.cuda.is_available()
        with self._told():
            self._pipeline = make(task=_TASK, model=str(self._workplace.folder), device="gpu" if gpu else "cpu")
            self._settle([0] if gpu else [])
            _load(self._pipeline.model.voices[next(iter(weights.voices))])

    def speak(self, text: str, voice: str, seed: int) -> Audio:
        """One call, its sound decided by these alone. Raises `EngineError`, and whatever the packages raise."""
        self._seed(seed)
        with self._told():
            return _audio(self._pipeline(input=text, voice=voice), self._sample_rate)

    def _settle(self, gpus: list[int]) -> None:
        """A voice that is loaded draws its first weights from torch's generator, to put others in their place: without
        this a seed would mean one thing in the call that loads a voice and another in the next."""
        torch = self._torch

        def apart(load: Callable[[], None]) -> Callable[[], None]:
            def forked() -> None:
                with torch.random.fork_rng(devices=gpus):
                    load()

            return forked

        for voice in self._pipeline.model.voices.values():
            voice.load_am, voice.load_vocoder = apart(voice.load_am), apart(voice.load_vocoder)
        torch.backends.cudnn.benchmark = False  # every voice turns it on, and then chance decides which kernel is used
        torch.backends.cudnn.deterministic = True

    def _seed(self, seed: int) -> None:
        """A vocoder with a source module draws phases and noise from torch; the others draw nothing."""
        import numpy as np

        random.seed(seed)
        np.random.seed(seed % _NUMPY_SEEDS)
        self._torch.manual_seed(seed)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the packages raise on purpose, and a full GPU, as the engine's own error."""
        try:
            yield
        except ImportError as error:  # of a Python above 3.10 the package says so when it has begun to load
            raise EngineError(installed.unusable(f"{type(error).__name__}: {error}")) from error
        except self._failure as error:
            raise EngineError(f"{type(error).__name__}: {error}") from error
        except pickle.UnpicklingError as error:
            raise EngineError(
                "a checkpoint holds more than weights: who has looked into it and trusts it says trust_remote_code "
                f"in the catalog ({error})"
            ) from error
        except self._torch.OutOfMemoryError as error:
            raise EngineError(f"no room on the GPU: {error}", FailureCode.GPU_OUT_OF_MEMORY) from error


def _load(voice: Any) -> None:
    """As the voice does it when it is first spoken with."""
    with voice.lock:
        voice.load_am()
        voice.load_vocoder()
        voice.model_loaded = True


def _imported() -> tuple[Any, type[Exception]]:
    """What makes a pipeline, and the root of the errors that it knows."""
    if (why := installed.fault()) is not None:
        raise EngineError(why)
    try:
        make = import_module("modelscope.pipelines").pipeline
        import_module("modelscope.models.audio.tts.voice")  # else what it misses ends as a RuntimeError below
        failure: type[Exception] = import_module("modelscope.utils.audio.tts_exceptions").TtsException
        front_end = import_module("ttsfrd")
    except ImportError as error:
        raise EngineError(installed.unusable(f"{type(error).__name__}: {error}")) from error
    if not hasattr(front_end, "TtsFrontendEngine"):
        raise EngineError(installed.unusable(installed.placeholder("ttsfrd")))
    return make, failure


def _check_plain(configurations: Sequence[Path]) -> None:
    """The package reads them with a loader that makes any object that they name."""
    import yaml  # type: ignore[import-untyped]

    for path in configurations:
        try:
            yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, ValueError) as error:
            place = "/".join(path.parts[-3:])
            raise EngineError(f"{place} is no plain YAML, and the pin has no trust_remote_code: {error}") from error


def _audio(answer: Any, sample_rate: int) -> Audio:
    """Of the WAV file that comes back. Raises `EngineError`."""
    file = answer.get(_OUTPUT) if isinstance(answer, Mapping) else None
    if not isinstance(file, bytes):
        raise EngineError(f"the model failed and did not say why ({_OUTPUT} is {type(file).__name__})")
    try:
        with wave.open(io.BytesIO(file)) as wav:
            form = (wav.getnchannels(), wav.getsampwidth())
            rate, count = wav.getframerate(), wav.getnframes()
            pcm = wav.readframes(count)
    except (wave.Error, EOFError) as error:
        raise EngineError(f"what came back is no WAV file: {error}", FailureCode.AUDIO_INVALID) from error
    if form != (1, BYTES_PER_SAMPLE) or len(pcm) != BYTES_PER_SAMPLE * count:
        raise EngineError("what came back is not one channel of whole 16-bit samples", FailureCode.AUDIO_INVALID)
    if rate != sample_rate:
        raise EngineError(f"expected {sample_rate} Hz, got {rate}", FailureCode.AUDIO_INVALID)
    return Audio(pcm, rate)
