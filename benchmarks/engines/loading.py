"""What it takes until a pin can speak: from nothing, and where it is in memory already and another one spoke last.

Both as the worker does it: the start from the command line of the host to the answer that the engine is loaded, the
switch as what the loader spends before and after a text while two pins take turns. The pin is espeak, which has nothing
to read: what is left is ours.
"""

from __future__ import annotations

import os
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from benchmarks.harness.clips import LINES
from benchmarks.harness.progress import say
from demo.__main__ import PINS
from services.worker.engine_host import never_mind
from services.worker.loader import LOAD_S, Loader
from services.worker.memory.budget import Budget, Caps
from services.worker.pins.served_pins import ServedPins

STARTS = 20
SWITCHES = 200
_REQUESTS = {line.pin: line.spoken_alone for line in LINES}


def measure() -> dict[str, float]:
    """Medians in ms."""
    served_pins = ServedPins(PINS)
    served_pins.look()  # a worker knows its pins long before a job comes
    starts = [_start_ms(served_pins, pin) for pin in islice(cycle(PINS), STARTS)]
    with tempfile.TemporaryDirectory() as folder:
        loader = Loader(served_pins, Budget.here(Path(folder), os.environ, Caps()))
        try:
            turns = [_switch_ms(loader, pin) for pin in islice(cycle(PINS), SWITCHES)]
        finally:
            loader.close()
    figures = {"start_ms": median(starts), "switch_ms": median(turns[len(PINS) :])}
    say(f"loading: {figures['start_ms']:.0f} ms to start, {figures['switch_ms']:.2f} ms to switch")
    return figures


def _start_ms(served_pins: ServedPins, pin: str) -> float:
    began = time.perf_counter()
    host = served_pins.start(pin)
    try:
        host.load(never_mind, LOAD_S)
        return (time.perf_counter() - began) * 1000
    finally:
        host.close()


def _switch_ms(loader: Loader, pin: str) -> float:
    """All but the speaking itself."""
    request = _REQUESTS[pin]
    began = time.perf_counter()
    with loader.lent(pin, len(request.text), never_mind) as host:
        asked = time.perf_counter()
        host.speak(request, sample_rate=None, deadline_s=30, tick=never_mind)
        spoken_s = time.perf_counter() - asked
    return (time.perf_counter() - began - spoken_s) * 1000
