"""libespeak-ng through ctypes: one utterance, or the phonemes of texts, from a freshly loaded library.

Owns the C declarations and the way to deterministic output. espeak keeps state between utterances that none of its
calls resets, so the library is loaded before each and unloaded after it. espeak seeds its noise from the clock, so it
is seeded again. That takes a few milliseconds, leaks no memory, and gives the same samples in a new process, at any
time and after any other sentence. Not for use by several threads.

Besides speaking, the library exports sonic (services/worker/engines/sonic.py).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
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
_BETWEEN_PHONEMES = "_"
_OWN_LETTERS = ord(_BETWEEN_PHONEMES) << 8
TIE = "^"
_IPA = 0x02 | 0x80 | ord(TIE) << 8  # espeakPHONEMES_IPA and espeakPHONEMES_TIE in speak_lib.h

_OnSamples = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class LibraryRefused(Exception):
    """espeak answered a call with an error. The message says which."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One call of espeak, in its own units."""

    texts: tuple[str, ...]
    """Spoken one after another."""
    voice: str
    """A file of the voice data below ``lang/``, optionally with ``+`` and a variant: ``sit/cmn+f2``."""
    rate: int
    """Words per minute, 80-450."""
    pitch: int
    """0-99. 50 is the voice's own."""
    range: int
    """0-99."""
    volume: int
    """0-200."""
    word_gap_ms: int = 0


def speak(library: Path, data: Path, utterance: Utterance, stretch: Stretch) -> tuple[bytes, int]:
    """Return the PCM (s16le, mono) of one utterance and its sample rate in Hz. Raises `LibraryRefused`, or `OSError` if
    the library cannot be loaded."""
    with _started(library, data) as (espeak, sample_rate):
        _seed_noise(espeak)
        pcm = _synthesised(espeak, utterance)
        return (pcm if stretch.idle else sonic.stretched(espeak, pcm, sample_rate, stretch)), sample_rate


@contextmanager
def phonemes(library: Path, data: Path, voice: str) -> Iterator[Callable[[str], list[str]]]:
    """Give a function that returns the phonemes of each clause of a text, in espeak's own letters, with ``_`` between
    phonemes and white space between words. Raises as `speak` does.

    It loads a library of its own, at the first question, so that the questions leave no trace in what is spoken.
    """
    with _asked(library, data, voice) as clauses_of:
        yield lambda text: clauses_of(text, _OWN_LETTERS)


@contextmanager
def ipa(library: Path, data: Path, voice: str) -> Iterator[Callable[[str], list[str]]]:
    """Give what `phonemes` gives in the International Phonetic Alphabet, with `TIE` within a phoneme of several
    letters, and the language in brackets where espeak reads a word in another one."""
    with _asked(library, data, voice) as clauses_of:
        yield lambda text: clauses_of(text, _IPA)


@contextmanager
def _asked(library: Path, data: Path, voice: str) -> Iterator[Callable[[str, int], list[str]]]:
    with ExitStack() as stack:

        @cache
        def loaded() -> Any:
            espeak, _ = stack.enter_context(_started(library, data))
            _set_voice(espeak, voice)
            return espeak

        yield lambda text, mode: _clauses(loaded(), text, mode)


def _clauses(espeak: Any, text: str, mode: int) -> list[str]:
    held = ctypes.create_string_buffer(text.encode())
    rest = ctypes.c_void_p(ctypes.addressof(held))
    clauses = []
    while rest.value is not None:
        said = espeak.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, mode)
        clauses.append(said.decode(errors="replace"))
    return clauses


@contextmanager
def _started(library: Path, data: Path) -> Iterator[tuple[Any, int]]:
    """Give the library and its sample rate. Before unloading, its memory is freed (a dictionary takes 9 MB, for
    example)."""
    with native.loaded(library) as espeak:
        _declare(espeak)
        sample_rate = espeak.espeak_Initialize(_SYNCHRONOUS, _CHUNK_MS, str(data).encode(), _DONT_EXIT)
        try:
            if sample_rate <= 0:
                raise LibraryRefused(f"espeak_Initialize answered {sample_rate} for {data}")
            yield espeak, sample_rate
        finally:
            espeak.espeak_Terminate()


def _set_voice(espeak: Any, voice: str) -> None:
    if espeak.espeak_SetVoiceByName(voice.encode()) != 0:
        raise LibraryRefused(f"espeak has no voice {voice}")


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
    espeak.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_void_p), ctypes.c_int, ctypes.c_int]
    espeak.espeak_TextToPhonemes.restype = ctypes.c_char_p


def _seed_noise(espeak: Any) -> None:
    """Seed the noise of breath and whisper again: espeak seeded it with the time of day at start, and some voices use
    libc's generator."""
    espeak.espeak_ng_SetRandSeed(_NOISE_SEED)
    native.c_runtime().srand(_NOISE_SEED)


def _synthesised(espeak: Any, utterance: Utterance) -> bytes:
    pcm = bytearray()

    def take(samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            pcm.extend(ctypes.string_at(samples, 2 * count))
        return 0

    callback = _OnSamples(take)  # kept in a variable: espeak holds no reference
    espeak.espeak_SetSynthCallback(callback)
    _set_voice(espeak, utterance.voice)
    _set_parameters(espeak, utterance)
    for text in utterance.texts:
        raw = text.encode() + b"\0"
        status = espeak.espeak_Synth(raw, len(raw), 0, 1, 0, _UTF8, None, None) or espeak.espeak_Synchronize()
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
