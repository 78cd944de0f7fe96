"""What the metrics of one host share: the folder of weights, the catalog's lock, the limit on threads, the speech
detector.

Owns how ONNX models are opened, where the model files of installed packages are found, and which pin of the catalog
belongs to a family. Knows no metric.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar, cast

import onnxruntime  # type: ignore[import-untyped]

from services.scorer.metrics.base import WeightsMismatch
from services.scorer.metrics.speech import SpeechDetector
from shared.weights.lock import LockedFile, PinLock, read_locks
from shared.weights.store import WeightStore
from shared.weights.verification import verify

T = TypeVar("T")


def package_folder(package: str) -> Path:
    """Return the folder of an installed package without importing it.

    Some packages set thread counts on import or load many others. Raises `FileNotFoundError` if it is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the package {package} is not installed")
    return Path(spec.submodule_search_locations[0])


def only_file(pin: PinLock) -> LockedFile:
    """Return the one file of a pin. Raises `WeightsMismatch` if it has none or more than one."""
    files = list(pin.files)
    if len(files) != 1:
        raise WeightsMismatch(f"{pin.name} has {len(files)} files; it must have only the weights")
    return files[0]


class Instruments:
    """The shared instruments of one metric host.

    ``models``: the folder of fetched weights. ``threads``: how many threads one model may use. ``lock_file``: the
    catalog's lock. ``funasr_python``: the interpreter that FunASR is installed in.
    """

    def __init__(
        self, models: Path, threads: int = 1, lock_file: Path | None = None, funasr_python: Path = Path(sys.executable)
    ) -> None:
        self.models = models
        self.funasr_python = funasr_python
        self.threads = threads
        self._lock_file = lock_file
        self._made: dict[str, Any] = {}

    def pin_for(self, family: str) -> PinLock:
        """Return the locked pin whose engine is this metric family.

        Raises `FileNotFoundError` if there is none or more than one: then nobody has said which weights to use.
        """
        locks = {} if self._lock_file is None else read_locks(self._lock_file)
        names = sorted(name for name, lock in locks.items() if lock.engine == family)
        if len(names) != 1:
            there = ", ".join(names) or "none"
            raise FileNotFoundError(f"exactly one pin of engine {family} must be locked (found {there})")
        return locks[names[0]]

    def snapshot(self, pin: PinLock) -> Path:
        """Return the folder of a pin's files, after checking them. Raises `shared.weights.errors.FilesWrong`."""
        return verify(WeightStore(self.models), pin).folder

    def onnx(self, model: bytes | Path) -> onnxruntime.InferenceSession:
        """Return a CPU session that uses `threads` threads and does not spin while it waits."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        source = model if isinstance(model, bytes) else str(model)
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])

    def once(self, name: str, make: Callable[[Instruments], T]) -> T:
        """Return ``make(self)``, made once for all metrics that use the same ``name``."""
        if name not in self._made:
            self._made[name] = make(self)
        return cast(T, self._made[name])

    @cached_property
    def speech(self) -> SpeechDetector:
        """Finds the speech in a clip."""
        model = package_folder("silero_vad") / "data" / "silero_vad.onnx"
        return SpeechDetector(self.onnx(model))
