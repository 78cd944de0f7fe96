"""Constants of graphs that tests make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper


def constants(values: Mapping[str, Any]) -> list[onnx.TensorProto]:
    """Return the values by name, whole numbers as int64 and others as float32."""
    return [numpy_helper.from_array(_of_its_kind(np.array(value)), name) for name, value in values.items()]


def _of_its_kind(value: Any) -> Any:
    return value.astype(np.int64 if np.issubdtype(value.dtype, np.integer) else np.float32)
