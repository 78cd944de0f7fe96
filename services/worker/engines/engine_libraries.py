"""The versions in a Python that can change how a pin sounds: its own, and those of the libraries that engines use.

A worker reports them for itself, and a host that runs in another Python for that one.
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
    """Return the versions in the Python that this runs in."""
    return environment.interpreter(LIBRARIES)
