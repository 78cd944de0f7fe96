"""CPU seconds to score a clip of 4 s: with the metrics of a fresh installation, and with real weights pulled.

In one process on one thread, as a metric host does it. With weights: DNSMOS, DistillMOS, Whisper, speaker and prosody,
the clip being its own reference voice. Needs the weights, which come from a package registry.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness.processes import environment
from benchmarks.harness.progress import say
from benchmarks.harness.pulled import pulled
from benchmarks.scoring.end_to_end import NotDone

PINS = ("whisper-base", "distillmos")


def measure() -> dict[str, float]:
    """CPU seconds for a clip of 4 s, by default and with the weights."""
    with TemporaryDirectory() as folder:
        data = Path(folder)
        figures = {"default_cpu_s": _cpu_s(data / "none")}
        if (pins := pulled(data, *PINS)) is not None:
            figures["pulled_cpu_s"] = _cpu_s(pins.models, "--lock", str(pins.lock_file))
    say("one clip of 4 s: " + ", ".join(f"{name} {figure:.2f}" for name, figure in figures.items()))
    return figures


def _cpu_s(models: Path, *arguments: str) -> float:
    argv = [sys.executable, "-m", "benchmarks.baselines.one_clip_alone", "--models", str(models), *arguments]
    done = subprocess.run(argv, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotDone(f"one_clip_alone: {done.stderr[-2000:]}")
    return float(json.loads(done.stdout.splitlines()[-1])["cpu_s"])
