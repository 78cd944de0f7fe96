"""How well given words fit a clip in US English, by pocketsphinx.

Owns the forced alignment: the words are given, and the acoustic model says how likely the sounds are if exactly these
words were spoken. It has no language model, so a rare word is no less likely than a common one. Words come from the
wheel's dictionary; a text with any other word cannot be aligned.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pocketsphinx  # type: ignore[import-untyped]

from services.scorer.metrics.base import MeasuredClip
from services.scorer.metrics.english import recogniser
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import folder_sha256
from services.scorer.metrics.speech import SpeechDetector

SETTINGS: Mapping[str, object] = {
    "samprate": recogniser.RATE,
    "cmn": "batch",
    "lm": None,
    "beam": 1e-150,
    "wbeam": 1e-150,
    "pbeam": 1e-150,
    "maxhmmpf": -1,
    "compallsen": True,
}
"""Wide beams, because wrong words must reach the end of the clip too. All senones are computed for each frame: the
decoder gives scores relative to the best one that it has computed, and two alignments could not be compared else."""
REVISION = 1
PARAMETERS = {
    "revision": REVISION,
    "prepared": recogniser.PARAMETERS,
    **{name: value for name, value in SETTINGS.items() if value is not None},
}
PACKAGES = recogniser.PACKAGES

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*'?")
_SEPARATES = re.compile(r"[\s.,;:!?()\"“”‘…—–-]+")


def words_of(text: str) -> list[str] | None:
    """Return the words of ``text`` in lower case, or None if it has digits or signs that are read as words."""
    words = [word for word in _SEPARATES.split(text.lower().replace("’", "'")) if word]
    return words if words and all(_WORD.fullmatch(word) for word in words) else None


class Aligner:
    """One decoder without a language model. Not thread-safe."""

    def __init__(self, detector: SpeechDetector) -> None:
        self._detector = detector
        self._decoder: Any = None

    def model_sha256(self) -> str:
        """Return a hash over the acoustic model and the dictionary."""
        return folder_sha256(Path(pocketsphinx.get_model_path("en-us")))

    def load(self) -> None:
        """Read the models into memory."""
        if self._decoder is None:
            self._decoder = pocketsphinx.Decoder(**SETTINGS, loglevel="FATAL")

    def log_likelihoods(self, clip: MeasuredClip, texts: Sequence[str]) -> list[float] | None:
        """Return for each text how likely the clip's sounds are if it was spoken, as a natural logarithm that compares
        only within one clip; minus infinity if it does not fit at all.

        None if a text has a word that the dictionary has not.
        """
        self.load()
        said = [words_of(text) for text in texts]
        if not all(words and all(map(self._decoder.lookup_word, words)) for words in said):
            return None
        pcm = recogniser.prepared(clip, self._detector)
        return [self._aligned(" ".join(words or ()), pcm) for words in said]

    def _aligned(self, words: str, pcm: bytes) -> float:
        self._decoder.set_align_text(words)
        self._decoder.reinit_feat()  # otherwise earlier clips would change how this one is heard
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, no_search=False, full_utt=True)
        self._decoder.end_utt()
        if self._decoder.hyp() is None:
            return -math.inf
        # the decoder gives the likelihood of each word, not its logarithm: that of a whole clip would be 0
        return sum(math.log(word.ascore) if word.ascore > 0 else -math.inf for word in self._decoder.seg())


def shared(instruments: Instruments) -> Aligner:
    """Return the one aligner of a metric host."""
    return instruments.once("aligner", lambda one: Aligner(one.speech))
