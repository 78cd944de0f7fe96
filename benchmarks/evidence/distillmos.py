"""How far DistillMOS can be trusted: ``python -m benchmarks.evidence.distillmos``.

Speaks ten sentences in each of four voices, damages the clips in ways whose direction is known, and prints the means of
``mos/distillmos`` and, to compare, ``mos/dnsmos_ovrl``; in brackets, how many of the clips **rose** by more than 0.05.
Then CPU seconds by length, on one thread. The pins ``joe`` and ``distillmos`` of examples/catalog.toml must be locked
and pulled. Takes about five minutes.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from benchmarks.harness.progress import say
from services.scorer.metrics.base import MeasuredClip
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import Panel
from services.worker.engines.base import Engine, Snapshot, SpeakRequest
from services.worker.engines.families import family_of
from services.worker.engines.piper.family import Piper
from shared.audio import Audio
from shared.metrics import METRICS
from shared.scores import Reason, Score, Unscored
from shared.settings import Settings, read_settings
from shared.suites.reading import golden_suite
from shared.weights.lock import read_locks
from shared.weights.store import WeightStore
from shared.weights.verification import verify

SENTENCES = 10
BITS = 6
"""Left of each weight of the voice that is made worse."""
FAMILIES = {"distillmos": "mos/distillmos", "dnsmos": "mos/dnsmos_ovrl"}
LENGTHS_S = (4, 7.68, 15, 30)
ROSE = 0.05
_ROUNDS = 3

Wave = npt.NDArray[np.float64]
Damage = Callable[[Wave, int], Wave]


def _noise(snr_db: float) -> Damage:
    def add(wave: Wave, _: int) -> Wave:
        level = np.sqrt(np.mean(wave**2)) * 10 ** (-snr_db / 20)
        return wave + level * np.random.default_rng(0).standard_normal(len(wave))

    return add


def _clipping(drive_db: float) -> Damage:
    return lambda wave, _: np.clip(wave / np.abs(wave).max() * 10 ** (drive_db / 20), -1, 1)


def _telephone(wave: Wave, rate: int) -> Wave:
    spectrum = np.fft.rfft(wave)
    hz = np.fft.rfftfreq(len(wave), 1 / rate)
    spectrum[(hz < 300) | (hz > 3400)] = 0
    return np.fft.irfft(spectrum, len(wave))


def _echo(wave: Wave, rate: int) -> Wave:
    late = round(0.15 * rate)
    return (wave + 0.6 * np.pad(wave, (late, 0))[: len(wave)]) / 1.6


def _dropouts(wave: Wave, rate: int) -> Wave:
    """Every fifth of 40 ms is lost."""
    lost = (np.arange(len(wave)) * 25 // rate) % 5 == 4
    return np.where(lost, 0, wave)


def _words_swapped(wave: Wave, _: int) -> Wave:
    """The second half before the first: all sounds are as they were."""
    return np.roll(wave, len(wave) // 2)


DAMAGES: Mapping[str, Damage] = {
    "noise, 20 dB": _noise(20),
    "noise, 10 dB": _noise(10),
    "clipped by 12 dB": _clipping(12),
    "telephone band": _telephone,
    "echo, 150 ms": _echo,
    "drop-outs": _dropouts,
    "halves swapped": _words_swapped,
    "a quarter as loud": lambda wave, _: wave / 4,
    "2 s of silence after": lambda wave, rate: np.concatenate((wave, np.zeros(2 * rate))),
}


Spoken = tuple[str, Engine, Callable[[str], SpeakRequest], str]
"""A voice's name, its engine, how it is asked, and the suite whose texts it speaks."""


def main() -> int:
    """Print the tables; gives the exit code."""
    settings = read_settings(os.environ)
    panel = Panel(METRICS, Instruments(settings.models, threads=1, lock_file=settings.catalog_lock))
    with TemporaryDirectory() as folder:
        for voice, engine, request, suite in _voices(settings, Path(folder)):
            say(voice)
            engine.load()
            texts = [item.text for item in golden_suite(suite).items[:SENTENCES]]
            clips = [engine.speak(request(text)) for text in texts]
            _print_voice(voice, clips, panel)
    _print_cost(clips[0], panel)
    return 0


def _voices(settings: Settings, folder: Path) -> Iterator[Spoken]:
    lock = read_locks(settings.catalog_lock)["joe"]
    published = verify(WeightStore(settings.models), lock).folder
    _round_weights(published, folder)
    english, mandarin = "golden-en-emotion", "golden-zh-emotion"
    for name, voice in (("joe", published), (f"joe, weights of {BITS} bits", folder)):
        snapshot = Snapshot("joe", voice, lock.sha256)
        yield name, Piper().build_from(snapshot), lambda text: SpeakRequest(text, "en-us", seed=1), english
    engine = family_of("espeak-v2").build("espeak-v2")
    yield "espeak", engine, lambda text: SpeakRequest(text, "en", voice="en-us+f5"), english
    yield "espeak, Mandarin", engine, lambda text: SpeakRequest(text, "zh", voice="cmn+f5"), mandarin


def _round_weights(published: Path, folder: Path) -> None:
    (file,) = published.glob("*.onnx")
    model = onnx.load(file)
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype == np.float32 and values.ndim > 1:
            step = max(float(np.abs(values).max()), 1e-12) / 2 ** (BITS - 1)
            weight.CopyFrom(numpy_helper.from_array((np.round(values / step) * step).astype(np.float32), weight.name))
    onnx.save(model, folder / file.name)
    (folder / f"{file.name}.json").write_bytes((published / f"{file.name}.json").read_bytes())


def _print_voice(voice: str, clips: Sequence[Audio], panel: Panel) -> None:
    print(f"\n| {voice} | " + " | ".join(FAMILIES.values()) + " |")
    print("|---|" + "---|" * len(FAMILIES))
    before = {family: _values(clips, family, panel) for family in FAMILIES}
    spread = (f"{values.mean():.2f}, from {values.min():.2f} to {values.max():.2f}" for values in before.values())
    print(f"| as spoken | {' | '.join(spread)} |", flush=True)
    for name, damage in DAMAGES.items():
        damaged = [_changed(clip, damage) for clip in clips]
        cells = (_cell(values, _values(damaged, family, panel)) for family, values in before.items())
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _cell(before: Wave, after: Wave) -> str:
    lost = int(np.isnan(after).sum())
    rose = int((after > before + ROSE).sum())
    return f"{np.nanmean(after):.2f} ({rose})" + (f", {lost} unscored" if lost else "")


def _changed(audio: Audio, damage: Damage) -> Audio:
    wave = damage(np.frombuffer(audio.pcm, "<i2") / 32768, audio.sample_rate)
    pcm = np.clip(np.round(wave * 32768), -32768, 32767).astype("<i2").tobytes()
    return Audio(pcm, audio.sample_rate)


def _values(clips: Sequence[Audio], family: str, panel: Panel) -> Wave:
    return np.array([_value(MeasuredClip.of(clip), family, panel) for clip in clips])


def _value(clip: MeasuredClip, family: str, panel: Panel) -> float:
    scored = panel.measure(family, clip)[FAMILIES[family]]
    if isinstance(scored, Unscored) and scored.reason is not Reason.NO_SPEECH:
        sys.exit(f"{family}: {scored.reason.value}: {scored.detail}")
    return scored.value if isinstance(scored, Score) else float("nan")


def _print_cost(clip: Audio, panel: Panel) -> None:
    print("\n| length of the clip | CPU s, one thread |\n|---|---|")
    for seconds in LENGTHS_S:
        taken = []
        for _ in range(_ROUNDS):
            measured = MeasuredClip.of(_of_length(clip, seconds))
            _value(measured, "dnsmos", panel)  # finds the speech and resamples, which all metrics share
            began = time.process_time()
            _value(measured, "distillmos", panel)
            taken.append(time.process_time() - began)
        print(f"| {seconds:g} s | {np.median(taken):.2f} |", flush=True)


def _of_length(clip: Audio, seconds: float) -> Audio:
    wanted = 2 * round(seconds * clip.sample_rate)
    return Audio((clip.pcm * (wanted // len(clip.pcm) + 1))[:wanted], clip.sample_rate)


if __name__ == "__main__":
    sys.exit(main())
