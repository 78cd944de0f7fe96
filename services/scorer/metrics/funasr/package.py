"""FunASR as the metrics see it: a child process in the Python that it is installed in.

Owns the life of that child (outpost.py beside this file) and what is made of its failures. Knows no model and nothing
of what is heard. FunASR brings torchaudio and some eighty packages along, so it is no part of the scorer's environment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from services.scorer.metrics.base import Samples, WeightsMismatch
from shared.errors import RingtrueError
from shared.hosting import Child, HostCrashed, HostTimeout
from shared.weights.lock import PinLock

OUTPOST = Path(__file__).with_name("outpost.py")
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
CONFIGURATION = "configuration.json"
"""Of a pin: where FunASR looks up which files the model consists of."""
PACKAGES = ("funasr", "torch", "torchaudio", "numpy")
"""What can move a value in that Python."""
START_S = 30.0
LOAD_S = 140.0
"""With the start a little less than a metric host has for it, so that the host outlives it."""


class FunasrMissing(RingtrueError):
    """There is no Python with FunASR where one was named; the message says where."""


class FunasrFailed(RingtrueError):
    """FunASR raised, or answered what is no answer; the message is its own."""


class Funasr:
    """One model at a time in one child, which is started at first use and again after it died.

    ``python``: the interpreter that has FunASR. ``threads``: how many the model may use.
    """

    def __init__(self, python: Path, threads: int) -> None:
        self._python = python
        self._threads = threads
        self._child: Child | None = None
        self._packages: Mapping[str, str] = {}
        self._loads: tuple[PinLock, Path] | None = None
        self._loaded = False

    def packages(self) -> Mapping[str, str]:
        """Versions of `PACKAGES` in that Python. `FunasrMissing` where one of them is not there."""
        if not self._packages:
            try:
                found = self._ask({"op": "packages", "names": PACKAGES}, timeout_s=START_S)["versions"]
            except HostCrashed as error:
                raise FunasrMissing(f"{self._python} does not serve FunASR: {error}") from error
            if missing := [name for name in PACKAGES if found[name] is None]:
                raise FunasrMissing(f"{', '.join(missing)} is not installed in {self._python}; it needs {REQUIREMENTS}")
            self._packages = found
        return self._packages

    def load(self, pin: PinLock, folder: Path) -> None:
        """Load the model of ``pin``, whose files lie in ``folder``.

        `WeightsMismatch` where files of it are missing or it did not take each of its weights from there,
        `FunasrFailed` where it cannot be loaded, `FunasrMissing` as `packages`.
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
            raise WeightsMismatch(f"{pin.name} is not whole: {answer['detail']}")
        self._loaded = True

    def generate(
        self, parts: Sequence[Samples], options: Mapping[str, Any], timeout_s: float
    ) -> Sequence[Mapping[str, Any]]:
        """What the model says of each part: the members ``text``, ``labels`` and ``scores`` of its answer.

        ``parts``: samples at 16 kHz. ``options``: for AutoModel.generate. A child that is gone is started again and
        loads the same model. `FunasrFailed` where FunASR raises or says nothing, `HostTimeout` where it takes longer
        than ``timeout_s`` for all parts, `HostCrashed` where it dies.
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
            self._child = Child([str(self._python), "-I", str(OUTPOST)])
        except OSError as error:
            raise FunasrMissing(f"there is no Python for FunASR: {error}") from error
        return self._child


def _check(pin: PinLock, folder: Path) -> None:
    """That the pin has what its configuration names. What is not there FunASR leaves out without a word: a recogniser
    whose features are not normalised (am.mvn) goes on, and writes down something else."""
    try:
        metas = json.loads((folder / CONFIGURATION).read_bytes())["file_path_metas"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        said = f"{pin.name} has no {CONFIGURATION} that names the model's files: {type(error).__name__}"
        raise WeightsMismatch(said) from error
    if absent := sorted(set(_named(metas)) - {file.path for file in pin.files}):
        raise WeightsMismatch(f"{CONFIGURATION} of {pin.name} names what is not in the pin: {', '.join(absent)}")


def _named(metas: Any) -> Iterator[str]:
    """The files at the ends of what may be mappings within mappings."""
    if isinstance(metas, dict):
        for member in metas.values():
            yield from _named(member)
    elif isinstance(metas, str):
        yield metas
