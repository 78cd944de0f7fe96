"""The baseline: the script everyone starts with. One sentence after the other: speak, save, score, draw, log.

``python -m benchmarks.baselines.naive_script --mlflow URL``: prints how long the benchmark's clips took, as JSON. The
engine, the picture and all metrics but one are the ones that Ringtrue uses, called here in one process, with every core
for each model; DNSMOS is speechmos as published. MLflow is told by the fluent API, one call per param and metric. What
is loaded once (engine, models, the connection to MLflow) is warm before the clock starts.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
import wave
from pathlib import Path

import mlflow
import numpy as np
from speechmos import dnsmos  # type: ignore[import-untyped]

from benchmarks.harness.clips import ONE, SpokenLine, lines_of
from demo.__main__ import PINS
from services.scorer.metrics.base import MeasuredClip
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import Panel
from services.scorer.pictures.picture_drawing import Drawing
from services.worker.engines.families import family_of
from shared.audio import Audio
from shared.metrics import METRICS
from shared.scores import Score

PUBLISHED = {"ovrl_mos": "dnsmos_ovrl", "sig_mos": "dnsmos_sig", "bak_mos": "dnsmos_bak", "p808_mos": "dnsmos_p808"}
FAMILIES_HERE = [name for name, info in METRICS.items() if info.default and name != "dnsmos"]


class Script:
    def __init__(self, models: Path, folder: Path) -> None:
        self.engines = {pin: family_of(pin).build(pin) for pin in PINS}
        for engine in self.engines.values():
            engine.load()
        self.panel = Panel(METRICS, Instruments(models, threads=os.cpu_count() or 1))
        self.drawing = Drawing()
        self.folder = folder

    def clip(self, line: SpokenLine) -> None:
        began = time.monotonic()
        audio = self.engines[line.pin].speak(line.spoken_alone)
        speak_s = time.monotonic() - began
        wav = self.folder / f"{line.emotion}.wav"
        with wave.open(str(wav), "wb") as file:
            file.setparams((1, 2, audio.sample_rate, 0, "NONE", ""))
            file.writeframes(audio.pcm)
        cost = {"speak_s": speak_s, "rtf": speak_s / audio.duration_s}
        self.log(line, audio, wav, self.score(line, audio, wav, cost))

    def score(self, line: SpokenLine, audio: Audio, wav: Path, cost: dict[str, float]) -> dict[str, float]:
        clip = MeasuredClip.of(audio, text=line.text, language=line.language, cost=cost)
        metrics = {
            name: scored.value
            for family in FAMILIES_HERE
            for name, scored in self.panel.measure(family, clip).items()
            if isinstance(scored, Score)
        }
        published = dnsmos.run(str(wav), sr=16_000)
        return metrics | {f"mos/{name}": float(np.mean(published[key])) for key, name in PUBLISHED.items()}

    def log(self, line: SpokenLine, audio: Audio, wav: Path, metrics: dict[str, float]) -> None:
        picture, text = self.folder / "picture.png", self.folder / "text.txt"
        picture.write_bytes(self.drawing.png(audio, f"{line.pin} {line.emotion}", [(0.0, audio.duration_s)]))
        text.write_text(line.text)
        params = {
            "model_version": line.pin,
            "engine": "espeak",
            "input_text": line.text,
            "language": line.language,
            "voice": line.voice or "",
            "emotion": line.emotion,
            "emotion_strength": 1.0,
            "pitch_scale": 1.0,
            "speed": 1.0,
            "seed": 0,
            "sample_rate": audio.sample_rate,
        }
        with mlflow.start_run(run_name=f"{line.pin} {line.emotion}"):
            for name, said in params.items():
                mlflow.log_param(name, said)
            for name, value in metrics.items():
                mlflow.log_metric(name, value)
            mlflow.log_artifact(str(wav), "audio")
            mlflow.log_artifact(str(picture))
            mlflow.log_artifact(str(text))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mlflow", required=True, help="URL of the tracking server")
    parser.add_argument("--models", type=Path, required=True, help="folder of fetched weights; may be empty")
    parser.add_argument("--suite", help="a suite that ships (default: the demo's sentences)")
    arguments = parser.parse_args()
    lines = lines_of(arguments.suite)
    mlflow.set_tracking_uri(arguments.mlflow)
    mlflow.set_experiment("baseline")
    with tempfile.TemporaryDirectory() as folder:
        script = Script(arguments.models, Path(folder))
        script.clip(ONE)
        began = time.monotonic()
        for line in lines:
            script.clip(line)
        print(json.dumps({"wall_s": time.monotonic() - began, "clips": len(lines)}))


if __name__ == "__main__":
    main()
