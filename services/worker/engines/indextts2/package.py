"""The only module that imports the package ``indextts``: whether it is there, one loaded model, one call of ``infer``.

Owns the workarounds that make the same call give the same samples and every failure an error. The package draws random
numbers while it processes a new reference, returns `None` for an error of its own, and cuts long speech with only a
warning. Knows no request.
"""

from __future__ import annotations

import os
import random
import sys
import warnings
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from services.worker.engines.base import EngineError
from services.worker.engines.distributions import commit_of, installed
from services.worker.engines.indextts2.releases import CODE, COMMIT, Release
from services.worker.engines.indextts2.weights import CONFIG, IndexTtsWeights
from services.worker.engines.samples import audio_of
from shared.audio import Audio
from shared.errors import FailureCode

PACKAGE = "indextts"
SAMPLE_RATE = 22_050
_HUB_CACHE = "HF_HUB_CACHE"
_NUMPY_SEEDS = 2**32
_REMEMBERED = (
    "cache_spk_cond",
    "cache_s2mel_style",
    "cache_s2mel_prompt",
    "cache_spk_audio_prompt",
    "cache_emo_cond",
    "cache_emo_audio_prompt",
    "cache_mel",
)


def fault() -> str | None:
    """Return why this Python cannot use the package, as far as can be seen without importing it (which takes seconds),
    or `None`."""
    if find_spec(PACKAGE) is None:
        return _unusable(f"No module named '{PACKAGE}'")
    commit = commit_of(installed(PACKAGE))
    if commit not in (None, COMMIT):
        return _unusable(f"it is installed from commit {commit}, but this engine needs {COMMIT}")
    return None


def version() -> str:
    """Return the package's version, with the commit if it is known."""
    found = installed(PACKAGE)
    if found is None:
        return "unknown"
    commit = commit_of(found)
    return f"{found.version}@{commit[:12]}" if commit else found.version


class IndexTtsModel:
    """A model in memory. For one thread."""

    def __init__(self, weights: IndexTtsWeights) -> None:
        """Load it, on the GPU if there is one. Raises `EngineError`."""
        module = _imported(weights.release)
        import torch

        self._torch = torch
        gpu = torch.cuda.is_available()
        able = gpu and (weights.release.half == "use_fp16" or torch.cuda.is_bf16_supported())
        if weights.half and not able:
            raise EngineError("the pin's option half needs a GPU that supports it; there is none")
        try:
            self._tts = module.IndexTTS2(**_construction(weights, "cuda:0" if gpu else "cpu"))
        except torch.OutOfMemoryError as error:
            raise _no_memory(error) from error
        self._settle([0] if gpu else [])

    def normalised(self, vector: Any) -> list[float]:
        """Return an emotion vector, weakened where the package knows that it would sound strange."""
        return list(self._tts.normalize_emo_vec(vector, apply_bias=True))

    def unknown(self, text: str) -> list[str]:
        """Return the parts of ``text`` that have a sound but are not in the vocabulary. Empty for a release that reads
        bytes."""
        tokenizer = self._tts.tokenizer
        if not hasattr(tokenizer, "unk_token_id"):
            return []
        tokens = tokenizer.tokenize(text)
        ids = tokenizer.convert_tokens_to_ids(tokens)
        strange = [token for token, id in zip(tokens, ids, strict=True) if id == tokenizer.unk_token_id]
        return [token for token in strange if any(character.isalnum() for character in token)]

    def infer(self, seed: int, arguments: Mapping[str, Any]) -> Audio:
        """Speak in one call. ``seed`` and ``arguments`` alone decide the sound, if one path always means one recording:
        the package caches by path. Raises `EngineError`, and whatever the package raises."""
        self._seed(seed)
        try:
            with warnings.catch_warnings():
                # speech that was cut off is an error; this warning is the package's only sign of it
                warnings.filterwarnings("error", r".*max_mel_tokens", RuntimeWarning)
                answer = self._tts.infer(output_path=None, **arguments)
        except Exception as error:
            self._forget()
            if isinstance(error, self._torch.OutOfMemoryError):
                raise _no_memory(error) from error
            if isinstance(error, RuntimeWarning):
                raise EngineError(
                    "the text was not spoken completely within max_mel_tokens; increase that option"
                ) from error
            raise
        return _audio(answer)

    def _seed(self, seed: int) -> None:
        import numpy as np

        random.seed(seed)
        np.random.seed(seed % _NUMPY_SEEDS)
        self._torch.manual_seed(seed)

    def _settle(self, gpus: list[int]) -> None:
        """Keep the package's random draws for a new reference from advancing torch's generator. It draws (layer drop,
        even in evaluation) only when the reference is not cached, so otherwise a seed would give one sound the first
        time and another later."""
        torch, listen = self._torch, self._tts.get_emb

        def get_emb(*given: Any, **named: Any) -> Any:
            with torch.random.fork_rng(devices=gpus):
                return listen(*given, **named)

        self._tts.get_emb = get_emb
        if hasattr(self._tts, "low_vram"):
            # it would cut the text elsewhere, and the pin would sound different on a smaller GPU
            self._tts.low_vram = False

    def _forget(self) -> None:
        """Clear the package's caches, which may be half written after a failed call."""
        for name in _REMEMBERED:
            setattr(self._tts, name, None)


def _imported(release: Release) -> Any:
    if (why := fault()) is not None:
        raise EngineError(why)
    before = os.environ.get(_HUB_CACHE)
    try:
        return import_module(release.module)
    except ImportError as error:
        raise EngineError(_unusable(f"{type(error).__name__}: {error}")) from error
    finally:  # release 2.5 points it at a folder below the current directory
        os.environ.pop(_HUB_CACHE, None)
        if before is not None:
            os.environ[_HUB_CACHE] = before


def _construction(weights: IndexTtsWeights, device: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "cfg_path": str(weights.folder / CONFIG),
        "model_dir": str(weights.folder),
        weights.release.half: weights.half,
        "device": device,
        "use_cuda_kernel": False,  # compiled on first use, into the package
        "use_deepspeed": False,
        "use_accel": False,
        "use_torch_compile": False,
        "use_qwen_emo": weights.reads_feelings,
    }
    return arguments | ({"aux_paths": weights.auxiliary} if weights.release.takes_paths else {})


def _audio(answer: Any) -> Audio:
    if answer is None:
        raise EngineError("the model failed without a reason (infer returned None)")
    sample_rate, samples = answer
    if sample_rate != SAMPLE_RATE:
        raise EngineError(f"expected {SAMPLE_RATE} Hz, got {sample_rate}", FailureCode.AUDIO_INVALID)
    return audio_of(samples[:, 0] if samples.ndim == 2 and samples.shape[1] == 1 else samples, sample_rate)


def _unusable(why: str) -> str:
    return (
        f"{sys.executable} cannot use {PACKAGE} ({why}); give the engine its own Python with the packages of "
        f"services/worker/engines/indextts2/requirements.txt, including {PACKAGE} from {CODE}"
    )


def _no_memory(error: Exception) -> EngineError:
    return EngineError(f"out of GPU memory: {error}", FailureCode.GPU_OUT_OF_MEMORY)
