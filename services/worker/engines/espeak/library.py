"""libespeak-ng by ctypes: one utterance from a freshly loaded library.

Owns the C declarations and the recipe for determinism: espeak keeps state from one utterance to the next that no call
of its own resets, so the library is loaded before and unloaded after each, and its noise, which it seeds by the clock,
is seeded anew. That takes a few milliseconds, grows no memory, and gives the same samples in a fresh process, at any
time and after any other sentence. Not for use by several threads.

Besides speaking the library exports sonic (services/worker/engines/sonic.py).
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.worker.engines import native, sonic
from services.worker.engines.sonic import Stretch

_SYNCHRONOUS = 2
_DONT_EXIT = 1 << 15
_UTF8 = 1
_RATE, _VOLUME, _PITCH, _RANGE, _WORD_GAP = 1, 2, 3, 4, 7  # espeak_PARAMETER in speak_lib.h
_CHUNK_MS = 500
_GAP_UNIT_MS = 10
_NOISE_SEED = 1

_OnSamples = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class LibraryRefused(Exception):
    """espeak answered a call with an error; the message says which."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One call of espeak, in its own units."""

    text: str
    voice: str
    """A file of the voice data below ``lang/``, and perhaps ``+`` a variant: ``sit/cmn+f2``."""
    rate: int
    """Words per minute, 80-450."""
    pitch: int
    """0-99; 50 is the voice's own."""
    range: int
    """0-99."""
    volume: int
    """0-200."""
    word_gap_ms: int = 0


def speak(library: Path, data: Path, utterance: Utterance, stretch: Stretch) -> tuple[bytes, int]:
    """PCM (s16le, mono) of one utterance, and its sample rate in Hz. Raises `LibraryRefused`, or `OSError` where the
    library cannot be loaded."""
    with native.loaded(library) as espeak:
        _declare(espeak)
        sample_rate = espeak.espeak_Initialize(_SYNCHRONOUS, _CHUNK_MS, str(data).encode(), _DONT_EXIT)
        if sample_rate <= 0:
            raise LibraryRefused(f"espeak_Initialize answered {sample_rate} for {data}")
        _seed_noise(espeak)
        pcm = _synthesised(espeak, utterance)
        return (pcm if stretch.idle else sonic.stretched(espeak, pcm, sample_rate, stretch)), sample_rate


def _declare(espeak: ctypes.CDLL) -> None:
    sonic.declare(espeak)
    espeak.espeak_Synth.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    espeak.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]


def _seed_noise(espeak: Any) -> None:
    """Breath and whisper are noise: initialising seeded it by the second of the day, and some voices draw from libc."""
    espeak.espeak_ng_SetRandSeed(_NOISE_SEED)
    native.c_runtime().srand(_NOISE_SEED)


def _synthesised(espeak: Any, utterance: Utterance) -> bytes:
    pcm = bytearray()

    def take(samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            pcm.extend(ctypes.string_at(samples, 2 * count))
        return 0

    callback = _OnSamples(take)  # kept in a name: espeak holds no reference
    espeak.espeak_SetSynthCallback(callback)
    if espeak.espeak_SetVoiceByName(utterance.voice.encode()) != 0:
        raise LibraryRefused(f"espeak has no voice {utterance.voice}")
    _set_parameters(espeak, utterance)
    text = utterance.text.encode() + b"\0"
    status = espeak.espeak_Synth(text, len(text), 0, 1, 0, _UTF8, None, None) or espeak.espeak_Synchronize()
    if status != 0:
        raise LibraryRefused(f"espeak_Synth answered {status}")
    return bytes(pcm)


def _set_parameters(espeak: Any, utterance: Utterance) -> None:
    parameters = {
        _RATE: utterance.rate,
        _VOLUME: utterance.volume,
        _PITCH: utterance.pitch,
        _RANGE: utterance.range,
        _WORD_GAP: round(utterance.word_gap_ms / _GAP_UNIT_MS),
    }
    for parameter, value in parameters.items():
        espeak.espeak_SetParameter(parameter, value, 0)
