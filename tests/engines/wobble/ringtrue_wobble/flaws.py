"""What is wrong with each pin of wobble on purpose: defects for scores to notice, crashes for jobs to survive.

Each flaw alters the request before it is spoken, spoils the samples afterwards, or both.
"""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.worker.engines.base import SpeakRequest
from services.worker.engines.options import Number
from shared.audio import Audio

Samples = npt.NDArray[np.float32]
Chosen = Mapping[str, Any]

CRASH_MARKER = "kaboom"
HANG_MARKER = "standstill"


class Flaw:
    """nothing is wrong"""

    options: Sequence[Number] = ()

    def altered(self, request: SpeakRequest, chosen: Chosen) -> SpeakRequest:
        """The request that is spoken instead of ``request``."""
        return request

    def spoilt(self, samples: Samples, random: np.random.Generator, chosen: Chosen) -> Samples:
        """The samples that are given instead of ``samples``: in [-1, 1], shape (n,)."""
        return samples

    def handed(self, audio: Audio) -> Audio | None:
        """What is handed over instead of ``audio``."""
        return audio


class Tuned(Flaw):
    """speaks at the tempo and pitch that its weights say: ``tuning.json``, and nothing else, in the snapshot"""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def altered(self, request: SpeakRequest, chosen: Chosen) -> SpeakRequest:
        tuning = json.loads((self._folder / "tuning.json").read_bytes())
        return replace(
            request,
            speed=request.speed * tuning["speed"],
            pitch_scale=request.pitch_scale * tuning["pitch_scale"],
        )


class Crash(Flaw):
    """dies of SIGSEGV on every text with the word kaboom"""

    def altered(self, request: SpeakRequest, chosen: Chosen) -> SpeakRequest:
        if CRASH_MARKER in request.text:
            os.kill(os.getpid(), signal.SIGSEGV)
        return request


class Hang(Flaw):
    """never answers to a text with the word standstill"""

    def altered(self, request: SpeakRequest, chosen: Chosen) -> SpeakRequest:
        while HANG_MARKER in request.text:
            time.sleep(60)
        return request


class Faulty(Flaw):
    """does to a text what one of its words says, see `FAULTS`"""

    def altered(self, request: SpeakRequest, chosen: Chosen) -> SpeakRequest:
        if "exhausted" in request.text:
            raise MemoryError
        self._asked = next((fault for fault in FAULTS if fault in request.text), None)
        return request

    def spoilt(self, samples: Samples, random: np.random.Generator, chosen: Chosen) -> Samples:
        return FAULTS[self._asked](samples) if self._asked else samples

    def handed(self, audio: Audio) -> Audio | None:
        if self._asked == "speechless":
            return None
        return replace(audio, sample_rate=8_000) if self._asked == "slowed" else audio


FAULTS: Mapping[str, Callable[[Samples], Samples]] = {
    "speechless": lambda samples: samples,
    "slowed": lambda samples: samples,
    "undefined": lambda samples: samples * np.float32(np.nan),
    "inaudible": lambda samples: samples * 0,
    "truncated": lambda samples: samples[:0],
    "endless": lambda samples: np.resize(samples, 700 * 22_050),
    "overlong": lambda samples: np.resize(samples, 590 * 22_050),
    "twofold": lambda samples: np.stack([samples, samples]),
}
"""Word -> what becomes of the samples."""


class Slow(Flaw):
    """sleeps before it speaks"""

    options = (Number("sleep_s", 1.0, 0.0, 600.0, "seconds to sleep before each piece"),)

    def altered(self, request: SpeakRequest, chosen: Chosen) -> SpeakRequest:
        time.sleep(chosen["sleep_s"])
        return request


class Noisy(Flaw):
    """white noise lies over the voice"""

    options = (Number("snr_db", 10.0, -20.0, 60.0, "speech power over noise power, in dB"),)

    def spoilt(self, samples: Samples, random: np.random.Generator, chosen: Chosen) -> Samples:
        level = float(np.sqrt(np.mean(samples**2))) * 10 ** (-chosen["snr_db"] / 20)
        return samples + random.normal(0, level, len(samples)).astype(np.float32)


class Clipped(Flaw):
    """much too loud, cut off at full scale"""

    options = (Number("gain_db", 18.0, 0.0, 60.0, "gain before the cut, in dB"),)

    def spoilt(self, samples: Samples, random: np.random.Generator, chosen: Chosen) -> Samples:
        return np.clip(samples * 10 ** (chosen["gain_db"] / 20), -1, 1).astype(np.float32)


class WrongWords(Flaw):
    """says other words than were written"""

    options = (Number("every", 3, 1, 100, "every so many words (Chinese: characters) one is wrong", whole=True),)

    def altered(self, request: SpeakRequest, chosen: Chosen) -> SpeakRequest:
        count = 0

        def other(word: re.Match[str]) -> str:
            nonlocal count
            count += 1
            if count % chosen["every"]:
                return word[0]
            return "banana" if word[0].isascii() else "鸭"

        return replace(request, text=re.sub(r"[㐀-鿿]|[^\W㐀-鿿]+", other, request.text))


class SwappedEmotion(Flaw):
    """speaks with another emotion than was asked for"""

    other: Mapping[str, str] = {
        "neutral": "neutral",
        "happy": "sad",
        "sad": "happy",
        "angry": "disgust",
        "disgust": "angry",
        "fear": "surprise",
        "surprise": "fear",
    }

    def altered(self, request: SpeakRequest, chosen: Chosen) -> SpeakRequest:
        if request.emotion is None or request.emotion.name is None:
            return request
        return replace(request, emotion=replace(request.emotion, name=self.other[request.emotion.name]))


class Silent(Flaw):
    """gives noise of one bit instead of speech: no sample check sees that, nobody hears anything"""

    def spoilt(self, samples: Samples, random: np.random.Generator, chosen: Chosen) -> Samples:
        return (random.integers(-1, 2, len(samples)) / 32767).astype(np.float32)


FLAWS: Mapping[str, Flaw] = {
    "wobble": Flaw(),
    "wobble-crash": Crash(),
    "wobble-hang": Hang(),
    "wobble-faulty": Faulty(),
    "wobble-slow": Slow(),
    "wobble-noisy": Noisy(),
    "wobble-clipped": Clipped(),
    "wobble-wrong-words": WrongWords(),
    "wobble-swapped-emotion": SwappedEmotion(),
    "wobble-silent": Silent(),
}
