"""What the metrics of one host share: the folder of weights, what is locked of it, the bound on threads, the ears.

Owns how ONNX models are opened, where model files of installed packages are found, and which pin of the catalog is
meant for a family. Knows no metric.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar, cast

import onnxruntime  # type: ignore[import-untyped]

from services.scorer.metrics.recogniser import Recogniser
from services.scorer.metrics.speech import SpeechDetector
from shared.weights.lock import PinLock, read_locks
from shared.weights.store import WeightStore
from shared.weights.verification import verify

T = TypeVar("T")


def package_folder(package: str) -> Path:
    """Folder of an installed package, which is not imported: some set thread counts or load half a stack on import.

    `FileNotFoundError` where it is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the package {package} is not installed")
    return Path(spec.submodule_search_locations[0])


class Instruments:
    """``models``: the folder of fetched weights. ``threads``: how many one model may use. ``lock_file``: what is locked
    of the catalog. ``funasr_python``: the interpreter that FunASR is installed in."""

    def __init__(
        self, models: Path, threads: int = 1, lock_file: Path | None = None, funasr_python: Path = Path(sys.executable)
    ) -> None:
        self.models = models
        self.funasr_python = funasr_python
        self.threads = threads
        self._lock_file = lock_file
        self._made: dict[str, Any] = {}

    def pin_for(self, family: str) -> PinLock:
        """The locked pin whose engine is this metric family. `FileNotFoundError` where there is none, or more than one:
        then nobody has said which weights are to judge."""
        locks = {} if self._lock_file is None else read_locks(self._lock_file)
        names = sorted(name for name, lock in locks.items() if lock.engine == family)
        if len(names) != 1:
            there = ", ".join(names) or "none"
            raise FileNotFoundError(f"exactly one pin of engine {family} has to be locked; there are {there}")
        return locks[names[0]]

    def snapshot(self, pin: PinLock) -> Path:
        """The folder of a pin's files, checked. Raises `shared.weights.errors.FilesWrong`."""
        return verify(WeightStore(self.models), pin).folder

    def onnx(self, model: bytes | Path) -> onnxruntime.InferenceSession:
        """A session on CPU that uses `threads` threads and does not spin while it waits."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        source = model if isinstance(model, bytes) else str(model)
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])

    def once(self, name: str, make: Callable[[Instruments], T]) -> T:
        """What ``make`` makes of these, made once for all metrics that ask by the same ``name``."""
        if name not in self._made:
            self._made[name] = make(self)
        return cast(T, self._made[name])

    @cached_property
    def speech(self) -> SpeechDetector:
        """Tells where in a clip there is speech."""
        model = package_folder("silero_vad") / "data" / "silero_vad.onnx"
        return SpeechDetector(self.onnx(model))

    @cached_property
    def recogniser(self) -> Recogniser:
        """Writes down what is said, in English."""
        return Recogniser(self.speech)
