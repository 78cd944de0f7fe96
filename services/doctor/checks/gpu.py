"""Checks the graphics cards, their driver, and whether the installed torch can use them.

Torch runs in a child: it takes seconds to import, and with a driver that does not fit it may hang.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.doctor.children import ChildOutput, NoAnswer, ask
from services.doctor.findings import Finding, fail, not_tried, ok, warn
from services.doctor.sizes import size

LIMIT_S = 90.0
_CARDS_S = 20.0
"""Seconds: a sleeping driver takes its time to wake."""
_TORCH_S = 60.0
_CARDS = ("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader,nounits")
_DRIVER = Path("/proc/driver/nvidia/version")
_BY_DRIVER = "install a driver that supports it, or the torch build for this driver (make setup)"

_TORCH = """
import json, warnings
told = {}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import torch
    told = {"version": torch.__version__, "cuda": torch.version.cuda, "usable": torch.cuda.is_available()}
    if told["usable"]:
        try:
            (torch.ones(1, device="cuda") + 1).item()
        except Exception as error:
            told["broken"] = str(error).strip().splitlines()[0]
told["warnings"] = [str(warning.message) for warning in caught if "CUDA" in str(warning.message)]
print(json.dumps(told))
"""

Ask = Callable[[Sequence[str], float], ChildOutput]


@dataclass(frozen=True, slots=True)
class GpuCard:
    """A card as its driver describes it."""

    name: str
    driver: str
    memory: int
    """Bytes of its own memory. 0 if it uses the machine's."""


def cards(asked: Ask = ask) -> list[GpuCard]:
    """Return every card; none if there is no driver. Raises `NoAnswer` if there is a driver that does not answer."""
    try:
        told = asked(_CARDS, _CARDS_S)
    except NoAnswer:
        if _DRIVER.exists():
            raise
        return []
    if told.code != 0:
        raise NoAnswer(f"nvidia-smi: {(told.output or told.errors).strip() or told.last_words}")
    rows = [[cell.strip() for cell in row.split(",")] for row in told.output.splitlines()]
    return [GpuCard(row[0], row[1], int(row[2]) << 20 if row[2].isdigit() else 0) for row in rows if len(row) == 3]


def gpu(torch_installed: bool, asked: Ask = ask) -> Iterator[Finding]:
    """Check that the cards of this machine can be used."""
    try:
        found = cards(asked)
    except NoAnswer as error:
        yield fail(f"a driver is loaded but does not answer: {error}", "reload it or restart the machine")
        return
    if not found:
        yield ok("no GPU: everything runs on the CPU")
        return
    names = [f"{card.name} ({size(card.memory)})" if card.memory else card.name for card in found]
    said = f"{', '.join(names)}, driver {found[0].driver}"
    if not torch_installed:
        yield ok(f"{said}; torch is not installed here, so nothing uses it")
        return
    try:
        told = asked([sys.executable, "-P", "-c", _TORCH], _TORCH_S)
    except NoAnswer as error:
        yield not_tried(f"{said}; it is unknown whether torch can use it: {error}", "run ringtrue doctor --only gpu")
        return
    if told.code != 0:
        yield fail(f"{said}, but torch does not work: {told.last_words}", "see the check wheels")
        return
    yield _understood(said, json.loads(told.output.strip().splitlines()[-1]))


def _understood(said: str, torch: dict[str, Any]) -> Finding:
    version = f"torch {torch['version']}"
    if torch["cuda"] is None:
        return warn(f"{said}, but {version} is a build for the CPU only", "run make setup with the driver installed")
    if not torch["usable"]:
        reason = torch["warnings"][0] if torch["warnings"] else "it finds no GPU"
        return fail(f"{said}, but {version} for CUDA {torch['cuda']} cannot use it: {reason}", _BY_DRIVER)
    if "broken" in torch:
        return fail(f"{said}, but {version} cannot compute on it: {torch['broken']}", _BY_DRIVER)
    return ok(f"{said}; {version} for CUDA {torch['cuda']} works on it")
