"""Opens a session of onnxruntime with a bounded number of threads. Knows no engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.worker.engines.base import EngineError

PROVIDERS: Mapping[str, str] = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
"""Value of the pin option ``device`` -> what onnxruntime calls it."""


def device_fault(value: object) -> str | None:
    """Return what is wrong with a pin's option ``device``, or ``None``."""
    return None if value in PROVIDERS else f"must be one of {', '.join(PROVIDERS)}"


def opened(model: bytes, what: str, device: str, threads: int) -> Any:
    """Return a session of ``model``. Raises `EngineError`, which calls it ``what``, if onnxruntime does not load it or
    does not serve the device."""
    import onnxruntime  # type: ignore[import-untyped]
    from onnxruntime.capi import onnxruntime_pybind11_state as state  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    provider = PROVIDERS[device]
    if provider not in onnxruntime.get_available_providers():
        raise EngineError(f"options/device: the installed onnxruntime has no {provider}")
    try:
        return onnxruntime.InferenceSession(model, options, providers=[provider])
    except (
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NotImplemented,
        state.RuntimeException,
    ) as error:
        raise EngineError(f"onnxruntime does not load {what}: {error}") from error


def inputs_of(session: Any) -> Mapping[str, str]:
    """Return the name and type of every input."""
    return {one.name: one.type for one in session.get_inputs()}


def listed(inputs: Mapping[str, str]) -> str:
    """Return inputs as a message names them."""
    return ", ".join(f"{name} {kind}" for name, kind in sorted(inputs.items()))
