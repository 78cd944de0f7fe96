"""Kokoro on a CPU: the engine against its model in onnxruntime alone, and two hosts against one.

The model alone gets the same phonemes and the same number of threads, so the difference is what the engine adds: text
to phonemes, the lengths that the model reports, samples to audio. Needs the weights, which come from a package
registry.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.harness.progress import say
from benchmarks.harness.pulled import pulled
from services.worker.engine_host import HOST, EngineHost, never_mind
from services.worker.engines.base import Snapshot, SpeakRequest
from services.worker.engines.kokoro.engine import KokoroEngine
from services.worker.engines.kokoro.files import STYLE, files_in
from services.worker.engines.kokoro.model import MOST_PHONEMES
from services.worker.engines.kokoro_phonemes.phonemes import KokoroPhonemes

TEXTS = (
    "The old clock on the wall struck seven, and nobody in the room said a word.",
    "Our train leaves in ten minutes from platform four, so please hurry up a little.",
    "She sells fresh bread and good coffee at the corner of the market square.",
)
VOICE, LANGUAGE = "af_heart", "en-us"
_ROUNDS = 5
_FAMILY = "services.worker.engines.kokoro.family:Kokoro"


def measure() -> dict[str, float]:
    """Seconds for the texts by the model alone and by the engine; texts per second of one host and of two."""
    with TemporaryDirectory() as folder:
        pins = pulled(Path(folder), "kokoro")
        if pins is None:
            return {}
        snapshot = Snapshot("kokoro", *pins.snapshot("kokoro"), options={})
        bare_s, engine_s = _paired(_model_alone(snapshot.folder), _engine(snapshot))
        one_per_s, two_per_s = _hosts(snapshot)
    say(f"kokoro: model alone {bare_s:.2f} s, engine {engine_s:.2f} s")
    say(f"kokoro: {one_per_s:.2f} texts/s by one host, {two_per_s:.2f} by two")
    return {"bare_s": bare_s, "engine_s": engine_s, "one_per_s": one_per_s, "two_per_s": two_per_s}


def _paired(one: Callable[[], None], other: Callable[[], None]) -> tuple[float, float]:
    """Median seconds of both, taken in turns: a machine that slows down slows both."""
    one(), other()
    taken = [(_seconds(one), _seconds(other)) for _ in range(_ROUNDS)]
    return median(first for first, _ in taken), median(second for _, second in taken)


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _model_alone(folder: Path) -> Callable[[], None]:
    import onnxruntime  # type: ignore[import-untyped]

    files = files_in(folder)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(files.model, options, providers=["CPUExecutionProvider"])
    styles = np.fromfile(files.voices[VOICE], "<f4").reshape(-1, STYLE)
    tokens = next(one.name for one in session.get_inputs() if one.name not in ("style", "speed"))
    phonemes = KokoroPhonemes(files.numbers, VOICE[0], MOST_PHONEMES)
    given: list[dict[str, Any]] = [
        {
            tokens: np.array([[0, *numbers, 0]], np.int64),
            "style": styles[len(numbers) - 1][None],
            "speed": np.ones(1, np.float32),
        }
        for text in TEXTS
        for numbers in phonemes.parts(text, VOICE[0])
    ]

    def work() -> None:
        for one in given:
            session.run(None, one)

    return work


def _engine(snapshot: Snapshot) -> Callable[[], None]:
    engine = KokoroEngine(snapshot)
    engine.load()

    def work() -> None:
        for text in TEXTS:
            engine.speak(_request(text))

    return work


def _hosts(snapshot: Snapshot) -> tuple[float, float]:
    """Texts per second of one host and of two side by side, taken in turns."""
    hosts = [EngineHost("kokoro", (*HOST, "--family", _FAMILY), snapshot=snapshot) for _ in range(2)]
    try:
        for host in hosts:
            host.load(never_mind, 300)
        _per_s(hosts)
        taken = [(_per_s(hosts[:1]), _per_s(hosts)) for _ in range(_ROUNDS)]
    finally:
        for host in hosts:
            host.close()
    return median(one for one, _ in taken), median(two for _, two in taken)


def _per_s(hosts: Sequence[EngineHost]) -> float:
    def speak(host: EngineHost) -> None:
        for text in TEXTS:
            host.speak(_request(text), sample_rate=None, deadline_s=300, tick=never_mind)

    with ThreadPoolExecutor(len(hosts)) as slots:
        return len(hosts) * len(TEXTS) / _seconds(lambda: list(slots.map(speak, hosts)) and None)


def _request(text: str) -> SpeakRequest:
    return SpeakRequest(text=text, language=LANGUAGE, voice=VOICE)
