"""FunASR as the metrics see it: a child process in the Python that FunASR is installed in.

Owns the life of that child (foreign_python.py beside this file) and how its failures are reported. Knows no model and
nothing of what is heard. FunASR needs torchaudio and some eighty other packages, so it is no part of the scorer's
environment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from services.scorer.metrics.base import Samples, WeightsMismatch
from shared.errors import RingtrueError
from shared.processes.hosting import Child, HostCrashed, HostTimeout
from shared.sandbox.access import Access
from shared.weights.lock import PinLock

FOREIGN_PYTHON = Path(__file__).with_name("foreign_python.py")
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
CONFIGURATION = "configuration.json"
"""The file of a pin in which FunASR looks up the model's files."""
PACKAGES = ("funasr", "torch", "torchaudio", "numpy")
"""The packages of that Python whose versions can change a value."""
_AS_ITS_PARENT = Access(read=(Path("/"),))
"""The child is started inside the metric host's sandbox, whose limits hold for it too."""
START_S = 30.0
LOAD_S = 140.0
"""Together with the start a little less than the deadline of a metric host, so that the host does not die of it."""


class FunasrMissing(RingtrueError):
    """The named Python does not exist or has no FunASR. The message says where it is."""


class FunasrFailed(RingtrueError):
    """FunASR raised an error or gave an invalid answer. The message is FunASR's own."""


class Funasr:
    """One model at a time in one child, which is started at its first use and again after it died.

    ``python``: the interpreter that has FunASR. ``threads``: how many threads the model may use.
    """

    def __init__(self, python: Path, threads: int) -> None:
        self._python = python
        self._threads = threads
        self._child: Child | None = None
        self._packages: Mapping[str, str] = {}
        self._loads: tuple[PinLock, Path] | None = None
        self._loaded = False

    def packages(self) -> Mapping[str, str]:
        """Return the versions of `PACKAGES` in that Python. Raises `FunasrMissing` if one of them is missing."""
        if not self._packages:
            try:
                found = self._ask({"op": "packages", "names": PACKAGES}, timeout_s=START_S)["versions"]
            except HostCrashed as error:
                raise FunasrMissing(f"{self._python} cannot run FunASR: {error}") from error
            if missing := [name for name in PACKAGES if found[name] is None]:
                raise FunasrMissing(f"{', '.join(missing)} is not installed in {self._python}; it needs {REQUIREMENTS}")
            self._packages = found
        return self._packages

    def load(self, pin: PinLock, folder: Path) -> None:
        """Load the model of ``pin`` from its files in ``folder``.

        Raises `WeightsMismatch` if files are missing or not every weight came from there, `FunasrFailed` if the model
        cannot be loaded, `FunasrMissing` as `packages` does.
        """
        self.packages()
        _check(pin, folder)
        self._loads, self._loaded = (pin, folder), False
        header = {"op": "load", "folder": str(folder), "threads": self._threads}
        try:
            answer = self._ask(header, timeout_s=LOAD_S)
        except FunasrFailed as error:
            raise FunasrFailed(f"{pin.name} cannot be loaded: {error}") from error
        if answer["op"] == "refused":
            raise WeightsMismatch(f"{pin.name} is incomplete: {answer['detail']}")
        self._loaded = True

    def generate(
        self, parts: Sequence[Samples], options: Mapping[str, Any], timeout_s: float
    ) -> Sequence[Mapping[str, Any]]:
        """Return the members ``text``, ``labels`` and ``scores`` of the model's answer for each part.

        ``parts``: samples at 16 kHz. ``options``: for AutoModel.generate. A child that is gone is started again and
        loads the same model. Raises `FunasrFailed` if FunASR raises or returns nothing, `HostTimeout` if all parts
        together take longer than ``timeout_s``, `HostCrashed` if the child dies.
        """
        if not self._loaded:
            assert self._loads is not None, "load comes first"
            self.load(*self._loads)
        header = {"op": "generate", "samples": [len(part) for part in parts], "options": options}
        payload = np.concatenate(parts).astype("<f4").tobytes()
        results: Sequence[Mapping[str, Any]] = self._ask(header, payload, timeout_s=timeout_s)["results"]
        return results

    def _ask(self, header: Mapping[str, Any], payload: bytes = b"", *, timeout_s: float) -> Mapping[str, Any]:
        child = self._child or self._start()
        try:
            answer = child.ask(header, payload, timeout_s=timeout_s).header
        except (HostCrashed, HostTimeout):
            child.kill()
            self._child, self._loaded = None, False
            raise
        if answer["op"] == "failed":
            raise FunasrFailed(answer["detail"])
        return answer

    def _start(self) -> Child:
        try:
            self._child = Child([str(self._python), "-I", str(FOREIGN_PYTHON)], access=_AS_ITS_PARENT)
        except OSError as error:
            raise FunasrMissing(f"the Python for FunASR cannot be started: {error}") from error
        return self._child


def _check(pin: PinLock, folder: Path) -> None:
    """Check that the pin has all files that its configuration names.

    FunASR silently leaves out a missing file: a recogniser whose features are not normalised (am.mvn) goes on, and
    writes something else.
    """
    try:
        metas = json.loads((folder / CONFIGURATION).read_bytes())["file_path_metas"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        said = f"{pin.name} has no {CONFIGURATION} that names the model's files: {type(error).__name__}"
        raise WeightsMismatch(said) from error
    if absent := sorted(set(_named(metas)) - {file.path for file in pin.files}):
        raise WeightsMismatch(f"{CONFIGURATION} of {pin.name} names files that are not in the pin: {', '.join(absent)}")


def _named(metas: Any) -> Iterator[str]:
    """Yield the files at the leaves of nested mappings."""
    if isinstance(metas, dict):
        for member in metas.values():
            yield from _named(member)
    elif isinstance(metas, str):
        yield metas
