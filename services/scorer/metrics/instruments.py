"""What the metrics of one host share: the folder of weights, the bound on threads, the ears.

Owns how ONNX models are opened and where model files of installed packages are found. Knows no metric.
"""

from __future__ import annotations

from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import onnxruntime  # type: ignore[import-untyped]

from services.scorer.metrics.recogniser import Recogniser
from services.scorer.metrics.speech import SpeechDetector


def package_folder(package: str) -> Path:
    """Folder of an installed package, which is not imported: some set thread counts or load half a stack on import.

    `FileNotFoundError` where it is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the package {package} is not installed")
    return Path(spec.submodule_search_locations[0])


class Instruments:
    """``models``: the folder of fetched weights. ``threads``: how many one model may use."""

    def __init__(self, models: Path, threads: int = 1) -> None:
        self.models = models
        self.threads = threads

    def onnx(self, model: bytes | Path) -> onnxruntime.InferenceSession:
        """A session on CPU that uses `threads` threads and does not spin while it waits."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        source = model if isinstance(model, bytes) else str(model)
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])

    @cached_property
    def speech(self) -> SpeechDetector:
        """Tells where in a clip there is speech."""
        model = package_folder("silero_vad") / "data" / "silero_vad.onnx"
        return SpeechDetector(self.onnx(model))

    @cached_property
    def recogniser(self) -> Recogniser:
        """Writes down what is said, in English."""
        return Recogniser(self.speech)
