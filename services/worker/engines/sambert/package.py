"""The only module that imports the packages: whether they are there, one pipeline with its voices, one call of it.

Owns the workarounds around ``modelscope``, ``kantts`` and ``ttsfrd`` that make the same call give the same samples,
keep a model's files from running as code, and turn every failure into an error. Knows no request.
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
from services.worker.engines.sambert.weights import SambertWeights
from services.worker.engines.sambert.workplace import Workplace
from shared.audio import BYTES_PER_SAMPLE, Audio
from shared.errors import FailureCode

_TASK, _OUTPUT = "text-to-speech", "output_wav"
_WEIGHTS_ONLY, _WHATEVER = "TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"
"""torch reads these when its caller does not say how far a file is trusted, as the packages do not."""
_NUMPY_SEEDS = 2**32


class SambertModel:
    """A pipeline in memory. For one thread."""

    def __init__(self, weights: SambertWeights, trusted: bool) -> None:
        """Load the pipeline and its first voice, on the GPU if there is one. Other voices are loaded when they are
        asked for.

        ``trusted``: checkpoints may hold anything that pickle can, and configurations anything that PyYAML can, which
        includes code. Raises `EngineError`.
        """
        make, self._failure = _imported()
        import torch

        self._torch = torch
        self._sample_rate = weights.sample_rate
        if not trusted:
            _check_plain([path for voice in weights.voices.values() for path in voice.configurations])
        os.environ.pop(_WEIGHTS_ONLY, None)
        os.environ[_WHATEVER if trusted else _WEIGHTS_ONLY] = "1"  # stays set, because voices are loaded later
        self._workplace = Workplace(weights.folder, Path(tempfile.gettempdir()))
        gpu = torch.cuda.is_available()
        with self._told():
            self._pipeline = make(task=_TASK, model=str(self._workplace.folder), device="gpu" if gpu else "cpu")
            self._settle([0] if gpu else [])
            _load(self._pipeline.model.voices[next(iter(weights.voices))])

    def speak(self, text: str, voice: str, seed: int) -> Audio:
        """Speak in one call. The arguments alone decide the sound. Raises `EngineError`, and whatever the packages
        raise."""
        self._seed(seed)
        with self._told():
            return _audio(self._pipeline(input=text, voice=voice), self._sample_rate)

    def _settle(self, gpus: list[int]) -> None:
        """Keep the loading of a voice from advancing torch's generator. Loading draws initial weights that are then
        overwritten, so otherwise a seed would give one sound in the call that loads a voice and another in the next."""
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
        """Set all seeds. A vocoder with a source module draws phases and noise from torch; the others draw nothing."""
        import numpy as np

        random.seed(seed)
        np.random.seed(seed % _NUMPY_SEEDS)
        self._torch.manual_seed(seed)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raise the engine's own error for what the packages raise on purpose and for a full GPU."""
        try:
            yield
        except ImportError as error:  # on a Python above 3.10 the package only fails after it has begun to load
            raise EngineError(installed.unusable(f"{type(error).__name__}: {error}")) from error
        except self._failure as error:
            raise EngineError(f"{type(error).__name__}: {error}") from error
        except pickle.UnpicklingError as error:
            raise EngineError(
                "a checkpoint contains more than weights; if you have inspected and trust it, set trust_remote_code "
                f"in the catalog ({error})"
            ) from error
        except self._torch.OutOfMemoryError as error:
            raise EngineError(f"out of GPU memory: {error}", FailureCode.GPU_OUT_OF_MEMORY) from error


def _load(voice: Any) -> None:
    """Load the voice in the same way as the packages do at its first use."""
    with voice.lock:
        voice.load_am()
        voice.load_vocoder()
        voice.model_loaded = True


def _imported() -> tuple[Any, type[Exception]]:
    """Return the function that makes a pipeline, and the base class of the packages' errors."""
    if (why := installed.fault()) is not None:
        raise EngineError(why)
    try:
        make = import_module("modelscope.pipelines").pipeline
        # otherwise a missing import there would become a RuntimeError later
        import_module("modelscope.models.audio.tts.voice")
        failure: type[Exception] = import_module("modelscope.utils.audio.tts_exceptions").TtsException
        front_end = import_module("ttsfrd")
    except ImportError as error:
        raise EngineError(installed.unusable(f"{type(error).__name__}: {error}")) from error
    if not hasattr(front_end, "TtsFrontendEngine"):
        raise EngineError(installed.unusable(installed.placeholder("ttsfrd")))
    return make, failure


def _check_plain(configurations: Sequence[Path]) -> None:
    """Raise `EngineError` for a file that is not plain YAML. The package reads it with a loader that creates any object
    it names."""
    import yaml  # type: ignore[import-untyped]

    for path in configurations:
        try:
            yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, ValueError) as error:
            place = "/".join(path.parts[-3:])
            raise EngineError(
                f"{place} is not plain YAML, and the pin does not have trust_remote_code: {error}"
            ) from error


def _audio(answer: Any, sample_rate: int) -> Audio:
    """Return the audio of the WAV file in ``answer``. Raises `EngineError`."""
    file = answer.get(_OUTPUT) if isinstance(answer, Mapping) else None
    if not isinstance(file, bytes):
        raise EngineError(f"the model failed without a reason ({_OUTPUT} is {type(file).__name__})")
    try:
        with wave.open(io.BytesIO(file)) as wav:
            form = (wav.getnchannels(), wav.getsampwidth())
            rate, count = wav.getframerate(), wav.getnframes()
            pcm = wav.readframes(count)
    except (wave.Error, EOFError) as error:
        raise EngineError(f"the model did not return a WAV file: {error}", FailureCode.AUDIO_INVALID) from error
    if form != (1, BYTES_PER_SAMPLE) or len(pcm) != BYTES_PER_SAMPLE * count:
        raise EngineError("the model did not return 16-bit mono audio", FailureCode.AUDIO_INVALID)
    if rate != sample_rate:
        raise EngineError(f"expected {sample_rate} Hz, got {rate}", FailureCode.AUDIO_INVALID)
    return Audio(pcm, rate)
