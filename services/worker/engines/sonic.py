"""sonic: changes tempo and pitch of speech samples, for engines that have no such control of their own.

Owns the C declarations and the use of one stream. sonic is exported by libespeak-ng (sonic itself is Apache-2.0; this
library as a whole is GPL-3, so it stays in engine hosts). It keeps nothing between streams: the same input gives the
same samples. Knows no engine.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from services.worker.engines import native
from services.worker.engines.base import EngineError
from shared.audio import Audio


@dataclass(frozen=True, slots=True)
class Stretch:
    """What sonic does to samples: factors on tempo and on pitch."""

    tempo: float = 1.0
    pitch: float = 1.0

    @property
    def idle(self) -> bool:
        """True if both factors are so close to 1 that the samples are better left alone."""
        return abs(self.tempo - 1) < 0.005 and abs(self.pitch - 1) < 0.005


def applied(audio: Audio, stretch: Stretch) -> Audio:
    """Return ``audio`` at another tempo and pitch. Raises `EngineError` if the library is not installed."""
    if stretch.idle:
        return audio
    with _library() as library:
        return Audio(stretched(library, audio.pcm, audio.sample_rate, stretch), audio.sample_rate)


def declare(library: ctypes.CDLL) -> None:
    """Declare the argument and result types of sonic's functions to ctypes."""
    pointer, short_pointer = ctypes.c_void_p, ctypes.c_char_p
    library.sonicCreateStream.restype = pointer
    library.sonicCreateStream.argtypes = [ctypes.c_int, ctypes.c_int]
    for setter in (library.sonicSetSpeed, library.sonicSetPitch):
        setter.argtypes = [pointer, ctypes.c_float]
    library.sonicWriteShortToStream.argtypes = [pointer, short_pointer, ctypes.c_int]
    library.sonicReadShortFromStream.argtypes = [pointer, short_pointer, ctypes.c_int]
    for call in (library.sonicFlushStream, library.sonicSamplesAvailable, library.sonicDestroyStream):
        call.argtypes = [pointer]


def stretched(library: Any, pcm: bytes, sample_rate: int, stretch: Stretch) -> bytes:
    """Pass PCM (s16le, mono) through one stream of a declared ``library``. Raises `MemoryError`."""
    # sonic looks for voices of 65-400 Hz; told twice the rate it looks an octave lower, where lowered voices come from
    declared = sample_rate * 2 if stretch.pitch < 1 else sample_rate
    stream = library.sonicCreateStream(declared, 1)
    if not stream:
        raise MemoryError("sonicCreateStream is out of memory")
    try:
        library.sonicSetSpeed(stream, stretch.tempo)
        library.sonicSetPitch(stream, stretch.pitch)
        library.sonicWriteShortToStream(stream, pcm, len(pcm) // 2)
        library.sonicFlushStream(stream)
        available = library.sonicSamplesAvailable(stream)
        out = ctypes.create_string_buffer(2 * available)
        read = library.sonicReadShortFromStream(stream, out, available)
        return out.raw[: 2 * read]
    finally:
        library.sonicDestroyStream(stream)


@contextmanager
def _library() -> Iterator[ctypes.CDLL]:
    """Load the library for the length of the block. It is not kept, because the espeak engine in this process needs it
    unloaded between two texts."""
    with ExitStack() as unloading:
        try:
            import espeakng_loader  # type: ignore[import-untyped]

            library = unloading.enter_context(native.loaded(espeakng_loader.get_library_path()))
        except (ImportError, OSError) as error:
            raise EngineError(f"speed and pitch_scale need sonic, of the package espeakng-loader: {error}") from error
        declare(library)
        yield library
