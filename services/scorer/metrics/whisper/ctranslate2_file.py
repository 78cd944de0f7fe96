"""Reads from CTranslate2's model.bin what kind of model it is and how much it takes in.

Owns the form of the file: a header, then one record after the other of name, shape, type and numbers. CTranslate2
reads the numbers; it does not tell how many seconds a Whisper hears and how many tokens it can write.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_VERSION = 6
"""Of the file's form, the only one in which CTranslate2 has written a Whisper."""
_KIND = "WhisperSpec"
_FRAMES, _FILTERS, _TOKENS, _VOCABULARY = (
    "encoder/position_encodings/encodings",
    "encoder/conv1/weight",
    "decoder/position_encodings/encodings",
    "decoder/embeddings/weight",
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """``frames``: of 20 ms, that it hears at a time. ``filters``: of the mel spectrum. ``tokens``: that it can write,
    with those that begin the transcript. ``vocabulary``: how many different ones there are."""

    frames: int
    filters: int
    tokens: int
    vocabulary: int


def sizes(path: Path) -> Sizes:
    """Return the sizes of the Whisper in a file. Raises `ValueError` if it is of another form or kind, `EOFError` if it
    is cut off."""
    with path.open("rb") as file:
        (version,) = _numbers(file, "I")
        if version != _VERSION:
            raise ValueError(f"{path.name} has the form {version} of CTranslate2's files, not {_VERSION}")
        kind = _name(file)
        if kind != _KIND:
            raise ValueError(f"{path.name} is a model of type {kind}, not {_KIND}")
        _revision, count = _numbers(file, "II")
        shapes = dict(_record(file, path) for _ in range(count))
    missing = {_FRAMES, _FILTERS, _TOKENS, _VOCABULARY} - {name for name, shape in shapes.items() if len(shape) > 1}
    if missing:
        raise ValueError(f"{path.name} has no {min(missing)}")
    return Sizes(shapes[_FRAMES][0], shapes[_FILTERS][1], shapes[_TOKENS][0], shapes[_VOCABULARY][0])


def _record(file: IO[bytes], path: Path) -> tuple[str, tuple[int, ...]]:
    """Return name and shape of the next record, and skip its numbers."""
    name = _name(file)
    (rank,) = _numbers(file, "B")
    shape = _numbers(file, f"{rank}I")
    _type, length = _numbers(file, "BI")
    if length < math.prod(shape) or file.seek(length, 1) > path.stat().st_size:
        raise EOFError(f"{path.name} is cut off in {name}")
    return name, shape


def _name(file: IO[bytes]) -> str:
    (length,) = _numbers(file, "H")
    return _bytes(file, length).rstrip(b"\0").decode()


def _numbers(file: IO[bytes], form: str) -> tuple[Any, ...]:
    return struct.unpack("<" + form, _bytes(file, struct.calcsize("<" + form)))


def _bytes(file: IO[bytes], length: int) -> bytes:
    found = file.read(length)
    if len(found) < length:
        raise EOFError("model.bin is cut off")
    return found
