"""How light the gateway is: the time its imports take, the memory it holds under load, and what it does not load."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice, repeat
from statistics import median

import psutil  # type: ignore[import-untyped]

from benchmarks.harness.clips import ONE
from benchmarks.harness.deployments import Ringtrue
from benchmarks.harness.load import drive, request
from benchmarks.harness.processes import Processes
from benchmarks.harness.progress import say

HEAVY = ("numpy", "torch", "soundfile", "mlflow")
CLIENTS = 16
_IMPORTS = 5
_SECONDS = 3.0
_BATCHES = 10
_SAMPLE_EVERY_S = 0.05

_TIMED_IMPORT = """
import json, sys, time
began = time.perf_counter()
import services.gateway.__main__
took = time.perf_counter() - began
print(json.dumps({"seconds": took, "modules": sorted(sys.modules)}))
"""


def measure() -> dict[str, float]:
    """Import seconds (median of fresh processes), peak MB (1e6 bytes) under load, heavy libraries that were loaded."""
    _import()  # writes the byte code where there is none yet
    imports = [_import() for _ in range(_IMPORTS)]
    loaded = set(imports[0][1]) & set(HEAVY)
    with Processes() as processes:
        ours = Ringtrue(processes)
        ours.start("redis", "gateway")
        ours.publish_pins()
        gateway = psutil.Process(ours.pid("gateway"))
        with watched(gateway) as peak:
            _load(ours)
        loaded |= {name for name in HEAVY if any(f"/site-packages/{name}/" in path for path in _mapped(gateway))}
    figures = {
        "import_s": median(seconds for seconds, _ in imports),
        "peak_rss_mb": peak[0] / 1e6,
        "heavy_libraries": float(len(loaded)),
    }
    say(f"gateway: import {figures['import_s']:.2f} s, {peak[0] / 1e6:.0f} MB, loaded of {HEAVY}: {sorted(loaded)}")
    return figures


def _import() -> tuple[float, list[str]]:
    done = subprocess.run([sys.executable, "-P", "-c", _TIMED_IMPORT], check=True, capture_output=True, text=True)
    told = json.loads(done.stdout)
    return told["seconds"], told["modules"]


def _load(ours: Ringtrue) -> None:
    """Submissions one by one, a thousand at a time, and looks at them."""
    one = request("POST", "/v1/jobs", ONE.submission)
    thousand = request("POST", "/v1/jobs:batch", {"jobs": [ONE.submission] * 1000})
    looks = [request("GET", f"/v1/jobs/{job_id}") for job_id in ours.submit([ONE.submission] * 100)]
    drive(ours.url, repeat(one), clients=CLIENTS, seconds=_SECONDS, status=202)
    drive(ours.url, islice(repeat(thousand), _BATCHES), clients=2, seconds=60, status=202)
    drive(ours.url, cycle(looks), clients=CLIENTS, seconds=_SECONDS, status=200)


@contextmanager
def watched(process: psutil.Process) -> Iterator[list[int]]:
    """The most bytes that ``process`` was seen to hold inside the block."""
    peak, over = [process.memory_info().rss], threading.Event()

    def watch() -> None:
        while not over.wait(_SAMPLE_EVERY_S):
            peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def _mapped(process: psutil.Process) -> list[str]:
    """Files of compiled libraries in the running process; none where the system does not tell."""
    return [mapped.path for mapped in process.memory_maps()] if psutil.LINUX else []
