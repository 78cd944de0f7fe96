"""Recordings to upload, the form that carries them, and a pin that speaks with them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import soundfile  # type: ignore[import-untyped]

from shared.catalog import Support
from tests.gateway.place import RICH

CONSENT = {"by": "Ann Example", "at": "2025-01-31T12:00:00+02:00", "text": "我同意使用我的声音。"}
CLONER = replace(
    RICH, pin="cloner-v1", controls={**RICH.controls, "reference": Support.NATIVE, "emotion_audio": Support.NATIVE}
)


def voiced(seconds: float = 1.0, rate: int = 16_000, channels: int = 1, seed: int = 0) -> Any:
    """Samples that are not silent, a column per channel."""
    noise = np.random.default_rng(seed).normal(0, 0.1, (round(seconds * rate), channels))
    return np.clip(noise, -1, 1)


def recorded(samples: Any, rate: int = 16_000, form: str = "WAV", subtype: str | None = None) -> bytes:
    """A sound file."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=subtype)
    return file.getvalue()


def form(content: bytes, consent: object = CONSENT, **fields: str) -> dict[str, Any]:
    """Arguments of a request that uploads."""
    data = {"consent": consent if isinstance(consent, str) else json.dumps(consent), **fields}
    return {"files": {"file": ("voice.wav", content, "audio/wav")}, "data": data}


async def upload(http: httpx.AsyncClient, content: bytes, **arguments: Any) -> Mapping[str, Any]:
    """A voice that was taken. ``arguments``: of the request."""
    answer = await http.post("/v1/voices", **{**form(content), **arguments})
    assert answer.status_code == 201, answer.text
    document: Mapping[str, Any] = answer.json()
    return document
