"""Which settings of the recogniser hear synthetic English best: ``python -m benchmarks.evidence.recognition``.

For each candidate: CPU seconds per clip, word error rate, and how far another sample rate or a second of silence at the
end moves it, over the English clips of the demo. No row of ``make bench``: it is how the settings in
services/scorer/metrics/english/recogniser.py were chosen, to be run again before they are changed. Takes about four
minutes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import soxr  # type: ignore[import-untyped]

from benchmarks.harness.clips import LINES, SpokenLine
from demo.__main__ import PINS
from services.scorer.metrics.base import ErrorRate, MeasuredClip
from services.scorer.metrics.counting.rates import word_error_rate
from services.scorer.metrics.english.recogniser import DECODER, Recogniser
from services.scorer.metrics.instruments import Instruments
from services.worker.engines.families import family_of
from shared.audio import Audio

CANDIDATES: Mapping[str, Mapping[str, object]] = {
    "as it is": DECODER,
    "as published": {"samprate": DECODER["samprate"], "cmn": DECODER["cmn"]},
    "one pass": {**DECODER, "maxhmmpf": 30_000, "wbeam": 7e-29, "lpbeam": 1e-40},
    "a third of the search": {**DECODER, "maxhmmpf": 10_000, "wbeam": 7e-29, "lpbeam": 1e-40},
    "a narrower beam": {**DECODER, "wbeam": 1e-12},
    "half the search": {**DECODER, "maxhmmpf": 2_500},
    "language weight 7": {**DECODER, "lw": 7.0},
}
RATES = (16_000, 24_000, 44_100, 48_000)


def main() -> None:
    lines = [(line.text, _variants(audio)) for line, audio in _spoken()]
    instruments = Instruments(Path("no weights are needed"))
    print(f"{'settings':28} {'CPU s/clip':>10} {'WER':>6} {'moved, mean':>12} {'moved, most':>12}")
    for name, settings in CANDIDATES.items():
        recogniser = Recogniser(instruments.speech, settings)
        began = time.process_time()
        rates = np.array([[_error_rate(recogniser, text, audio) for audio in variants] for text, variants in lines])
        cpu_s = (time.process_time() - began) / rates.size
        moved = np.abs(rates[:, 1:] - rates[:, :1])
        print(f"{name:28} {cpu_s:10.2f} {rates.mean():6.3f} {moved.mean():12.4f} {moved.max():12.2f}", flush=True)


def _spoken() -> Iterator[tuple[SpokenLine, Audio]]:
    engines = {pin: family_of(pin).build(pin) for pin in PINS}
    for engine in engines.values():
        engine.load()
    for line in LINES:
        if line.language == "en":
            yield line, engines[line.pin].speak(line.spoken_alone)


def _variants(audio: Audio) -> list[Audio]:
    """The clip as it was spoken, then at other rates, then with silence after it."""
    samples = np.frombuffer(audio.pcm, "<i2")
    resampled = [Audio(soxr.resample(samples, audio.sample_rate, rate).tobytes(), rate) for rate in RATES]
    return [audio, *resampled, Audio(audio.pcm + bytes(2 * audio.sample_rate), audio.sample_rate)]


def _error_rate(recogniser: Recogniser, text: str, audio: Audio) -> float:
    heard = recogniser.transcript(MeasuredClip.of(audio))
    found = word_error_rate(text, heard, "en")
    assert isinstance(found, ErrorRate), "every line has words"
    return found.value


if __name__ == "__main__":
    main()
