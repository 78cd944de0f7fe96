"""What of a Python can move how a pin sounds: its own version, and those of the libraries that engines stand on.

A worker says it of itself, and a host that runs in another Python of that one.
"""

from __future__ import annotations

from typing import Any

from shared import environment

LIBRARIES = (
    "numpy",
    "soxr",
    "sentencex",
    "espeakng-loader",
    "torch",
    "torchaudio",
    "transformers",
    "onnxruntime",
    "piper-tts",
    "onnx",
    "indextts",
    "modelscope",
    "kantts",
    "ttsfrd",
)
"""Names of distributions."""


def described() -> dict[str, Any]:
    """Of the Python that this runs in."""
    return environment.interpreter(LIBRARIES)
