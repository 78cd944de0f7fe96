"""Transcribes a clip in the languages of a pinned Whisper.

Owns how the clip's language is found and how a clip is cut; decoder.py owns which backend reads the pin. The catalog
chooses it: the pin whose engine is ``whisper``, for example openai/whisper-small. Knows no text to compare with.

Decoding is greedy, without timestamps, sampling or a second try, in the clip's language, so that the same samples give
the same words. A clip that is longer than what the checkpoint hears at a time (30 s for those of OpenAI) is cut in its
pauses (parts.py), and each part is transcribed separately.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.scorer.metrics import speech
from services.scorer.metrics.base import LONGEST_S, MeasuredClip, Samples, too_long
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.whisper.ctranslate2_decoder import Ctranslate2Decoder
from services.scorer.metrics.whisper.decoder import TOKENS_PER_S, Decoder, is_ctranslate2
from services.scorer.metrics.whisper.parts import PARAMETERS as PARTS
from services.scorer.metrics.whisper.parts import parts
from services.scorer.metrics.whisper.transformers_decoder import TransformersDecoder
from shared.scores import Reason, Unscored
from shared.weights.lock import PinLock

ENGINE = "whisper"
"""The engine of the pin."""
REVISION = 1

_PARAMETERS = {
    "revision": REVISION,
    "longest_s": LONGEST_S,
    "tokens_per_s": TOKENS_PER_S,
    **PARTS,
    "speech": speech.PARAMETERS,
}
_PACKAGES = ("silero-vad", "onnxruntime", "soxr", "numpy")
_OWN_CODES = {"cmn": "zh", "nb": "no", "jv": "jw", "fil": "tl"}
"""Languages whose code in Whisper differs from BCP 47."""


class WhisperRecogniser:
    """One model, loaded once for all metrics that use it. Not thread-safe.

    `weights`, `packages` and `parameters` are for the locks of these metrics. They work before `load`, and raise
    `FileNotFoundError` if no pin, or more than one, is locked.
    """

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._pin: PinLock | None = None
        self._decoder: Decoder | None = None

    def weights(self) -> Mapping[str, str]:
        """Return the SHA-256 of each file of the pin."""
        return self._chosen().hashes

    def packages(self) -> tuple[str, ...]:
        """Return the distributions whose version can change a transcript."""
        return (*_backend(self._chosen()).packages, *_PACKAGES)

    def parameters(self) -> Mapping[str, Any]:
        """Return what else a transcript depends on."""
        return {**_PARAMETERS, **_backend(self._chosen()).parameters}

    def load(self) -> None:
        """Read the pin into memory. Raises the same errors as `Metric.load`."""
        if self._pin is not None:
            return
        pin = self._chosen()
        self._decoder = _backend(pin)(pin, self._instruments.snapshot(pin), self._instruments.threads)
        self._pin = pin

    def language_of(self, clip: MeasuredClip) -> str | None:
        """Return Whisper's own code for the clip's language. ``None`` if the pin does not cover it, or before
        `load`."""
        covered = () if self._decoder is None else self._decoder.languages
        subtag = clip.primary_language
        return next((code for code in (subtag, _OWN_CODES.get(subtag)) if code in covered), None)

    def obstacle(self, clip: MeasuredClip) -> Unscored | None:
        """Return why this clip is not transcribed, or None if it can be."""
        assert self._pin is not None, "load comes first"
        assert self._decoder is not None, "load comes first"
        if self.language_of(clip) is None:
            covered = ", ".join(sorted(self._decoder.languages))
            said = f"{clip.language or 'unknown'}; {self._pin.name} covers {covered}"
            return Unscored(Reason.LANGUAGE_NOT_COVERED, said)
        return too_long(clip)

    def transcript(self, clip: MeasuredClip) -> str:
        """Return the transcript, with Whisper's punctuation; empty if it hears nothing.

        Only for clips without an `obstacle`.
        """
        return clip.once("whisper transcript", self._transcribe)

    def log_likelihood_ratios(self, clip: MeasuredClip, texts: Sequence[str]) -> list[float] | Unscored:
        """Return for each text the natural logarithm of how much likelier it is as transcript of the clip than as
        transcript of silence.

        Whisper expects usual words more than rare ones, whatever it hears. What it expects of silence is nothing else,
        so the ratio leaves what it heard.

        Unscored if there is more speech than the checkpoint hears at a time, or a text longer than it writes. Only for
        clips without an `obstacle`, with speech.
        """
        decoder, language, heard = self._cut(clip)
        if len(heard) != 1:
            return Unscored(Reason.TOO_LONG, f"at most {decoder.longest_s:g} s of speech can be judged as a whole")
        found = decoder.log_probabilities(heard[0], language, texts)
        expected = decoder.log_probabilities(None, language, texts)
        if found is None or expected is None:
            return Unscored(Reason.TOO_LONG, "the text has more tokens than Whisper writes")
        return [one - other for one, other in zip(found, expected, strict=True)]

    def _transcribe(self, clip: MeasuredClip) -> str:
        decoder, language, heard = self._cut(clip)
        return " ".join(words for part in heard if (words := decoder.hear(part, language)))

    def _cut(self, clip: MeasuredClip) -> tuple[Decoder, str, list[Samples]]:
        """Return the decoder, its code of the clip's language, and the parts of the clip that it hears one by one."""
        language, decoder = self.language_of(clip), self._decoder
        assert decoder is not None, "load comes first"
        assert language is not None, "a language that is not covered is not transcribed"
        cuts = parts(self._instruments.speech.find(clip).stretches, decoder.longest_s)
        return decoder, language, [clip.at_16k[round(a * speech.RATE) : round(b * speech.RATE)] for a, b in cuts]

    def _chosen(self) -> PinLock:
        return self._pin or self._instruments.pin_for(ENGINE)


def whisper_of(instruments: Instruments) -> WhisperRecogniser:
    """Return the one Whisper of a host."""
    return instruments.once(ENGINE, WhisperRecogniser)


def _backend(pin: PinLock) -> type[Decoder]:
    return Ctranslate2Decoder if is_ctranslate2(pin) else TransformersDecoder
