"""The log-mel distance of certificates on planted pairs: ``python -m benchmarks.evidence.log_mel`` prints the table of
docs/certificates.md.

Pairs that a listener takes for the same against pairs that are not, of 16 sentences that espeak speaks in four
voices. Nothing here is a time, so it is no row of `python -m benchmarks`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
import soundfile

from services.worker.certify.tiers import MOST_DB, Print, Tier, difference
from services.worker.engines.base import SpeakRequest
from services.worker.engines.espeak.family import Espeak
from services.worker.engines.samples import audio_of, resampled
from shared.audio import Audio
from shared.controls import Emotion
from shared.suites.reading import golden_suite

Samples = npt.NDArray[np.float64]
FRAME = 256
"""Samples: a usual step of a neural vocoder."""
VOICES = {"en-us": "en-us+m3", "en-us+f2": "en-us+f3", "en-us+m3": "en-us+m7", "en-us+f4": "en-us+f1"}
"""And one that is like each."""
TEXTS = [item.text for item in golden_suite("golden-en-emotion").items if not item.text.endswith("?")][::2]
FULL_SCALE = 32767


@dataclass(frozen=True)
class Said:
    """One clip, and how it was asked for."""

    request: SpeakRequest
    audio: Audio

    @property
    def samples(self) -> Samples:
        return np.frombuffer(self.audio.pcm, "<i2").astype(np.float64) / FULL_SCALE


Plant = Callable[[Said], Audio]


@cache
def _engine() -> object:
    engine = Espeak().build("espeak-v2")
    engine.load()
    return engine


def _said(request: SpeakRequest) -> Said:
    return Said(request, _engine().speak(request))  # type: ignore[attr-defined]


def _changed(change: Callable[[Samples], Samples]) -> Plant:
    return lambda said: audio_of(change(said.samples), said.audio.sample_rate)


def _otherwise(**asked: object) -> Plant:
    return lambda said: _said(replace(said.request, **asked)).audio  # type: ignore[arg-type]


def _dithered(samples: Samples) -> Samples:
    source = np.random.default_rng(1)
    return samples + (source.uniform(-1, 1, len(samples)) + source.uniform(-1, 1, len(samples))) / 2 / FULL_SCALE


def _noisy(snr_db: float) -> Callable[[Samples], Samples]:
    def change(samples: Samples) -> Samples:
        noise = np.random.default_rng(2).normal(size=len(samples))
        return samples + noise * np.sqrt((samples**2).mean() / 10 ** (snr_db / 10))

    return change


def _coded(form: str, subtype: str) -> Plant:
    """Through a lossy codec and back, brought to the same start."""

    def plant(said: Said) -> Audio:
        file = io.BytesIO()
        soundfile.write(file, said.samples, said.audio.sample_rate, format=form, subtype=subtype)
        heard, rate = soundfile.read(io.BytesIO(file.getvalue()))
        assert rate == said.audio.sample_rate
        return audio_of(heard[: len(said.samples)], rate)

    return plant


def _there_and_back(rate: int) -> Plant:
    return lambda said: resampled(resampled(said.audio, rate), said.audio.sample_rate)


def _middle(samples: Samples) -> int:
    """The loudest place near the middle: where a missing frame is heard most."""
    third = len(samples) // 3
    return third + int(np.argmax(np.abs(samples[third : 2 * third])))


def _frame_less(samples: Samples) -> Samples:
    at = _middle(samples)
    return np.concatenate([samples[:at], samples[at + FRAME :]])


def _frame_more(samples: Samples) -> Samples:
    at = _middle(samples)
    return np.concatenate([samples[: at + FRAME], samples[at:]])


def _later(samples: Samples) -> Samples:
    return np.concatenate([np.zeros(FRAME), samples])


def _muted(samples: Samples) -> Samples:
    at, quiet = _middle(samples), samples.copy()
    quiet[at : at + 22_050 * 3 // 10] = 0
    return quiet


def _clipped(samples: Samples) -> Samples:
    most = np.abs(samples).max() / 8
    return np.clip(samples, -most, most)


def _last_word_other(said: Said) -> Audio:
    *words, last = said.request.text.split()
    return _said(
        replace(said.request, text=" ".join([*words, "nothing." if last != "nothing." else "something."]))
    ).audio


def _words_swapped(said: Said) -> Audio:
    first, second, *rest = said.request.text.split()
    return _said(replace(said.request, text=" ".join([second, first, *rest]))).audio


def _like_voice(said: Said) -> Audio:
    return _said(replace(said.request, voice=VOICES[said.request.voice or ""])).audio


SAME: Sequence[tuple[str, Plant]] = (
    ("dither of one LSB", _changed(_dithered)),
    ("gain of 0.5 dB", _changed(lambda samples: samples * 10 ** (0.5 / 20))),
    ("resampled to 48 kHz and back", _there_and_back(48_000)),
    ("resampled to 16 kHz and back", _there_and_back(16_000)),
    ("heard at 16 kHz", lambda said: resampled(said.audio, 16_000)),
    ("MP3 and back", _coded("MP3", "MPEG_LAYER_III")),
    ("Vorbis and back", _coded("OGG", "VORBIS")),
    ("white noise 50 dB below", _changed(_noisy(50))),
    ("a frame of 11.6 ms later", _changed(_later)),
    ("a frame less, in the middle", _changed(_frame_less)),
    ("a frame more, in the middle", _changed(_frame_more)),
)
DIFFERENT: Sequence[tuple[str, Plant]] = (
    ("another voice", _otherwise(voice="en-us+m5")),
    ("a like voice", _like_voice),
    ("another last word", _last_word_other),
    ("first words swapped", _words_swapped),
    ("0.3 s muted", _changed(_muted)),
    ("another emotion", _otherwise(emotion=Emotion("sad"))),
    ("pitch 30 % higher", _otherwise(pitch_scale=1.3)),
    ("5 % faster", _otherwise(speed=1.05)),
    ("white noise 20 dB below", _changed(_noisy(20))),
    ("clipped 18 dB below its peak", _changed(_clipped)),
)
BEYOND: Sequence[tuple[str, Plant]] = (
    ("a question instead", lambda said: _said(replace(said.request, text=said.request.text[:-1] + "?")).audio),
    ("pitch 6 % higher", _otherwise(pitch_scale=1.06)),
)
"""Different to a listener who hears both, and not to be relied on to be found so."""


@dataclass(frozen=True)
class Row:
    """One kind of pair over all sentences and voices."""

    what: str
    same: bool
    beyond: bool
    distances_db: tuple[float, ...]
    tiers: tuple[Tier, ...]

    @property
    def right(self) -> int:
        """Pairs that are placed where they belong."""
        return sum((tier < Tier.DIFFERENT) == self.same for tier in self.tiers)


def rows() -> Iterator[Row]:
    """One per plant."""
    spoken = [_said(SpeakRequest(text, "en", voice=voice)) for text in TEXTS for voice in VOICES]
    for same, beyond, plants in ((True, False, SAME), (False, False, DIFFERENT), (False, True, BEYOND)):
        for what, plant in plants:
            # as from two certificates without audio: by hash and fingerprint alone
            pairs = [(replace(Print.of(said.audio), pcm=None), Print.of(plant(said))) for said in spoken]
            found = [difference(*pair) for pair in pairs]
            yield Row(what, same, beyond, tuple(one.log_mel_db for one in found), tuple(one.tier for one in found))


def main() -> None:
    """Print the table."""
    print("| planted | should be | least dB | median dB | most dB | found so |")
    print("|---|---|---|---|---|---|")
    for row in rows():
        least, middle, most = np.quantile(row.distances_db, [0, 0.5, 1])
        should = "the same" if row.same else "different"
        print(f"| {row.what} | {should} | {least:.1f} | {middle:.1f} | {most:.1f} | {row.right} of {len(row.tiers)} |")
    print(f"\nLimit: {MOST_DB:g} dB.")


if __name__ == "__main__":
    main()
