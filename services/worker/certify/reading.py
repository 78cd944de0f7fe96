"""Reads a certificate from a file and checks everything: the file may be cut off, or made by others.

Owns what each member of the document may hold. Knows neither how a certificate is made nor what it is compared for.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from reprlib import repr as brief
from typing import Any

from services.worker.certify.certificate import OBJECT, SCHEMA, Certificate, CertificateEntry, CertifyOutcome
from services.worker.certify.fingerprint import DEFINITION, RATES, Fingerprint, frames_of
from services.worker.certify.tiers import Print, Tier, TierDifference
from shared.audio import BYTES_PER_SAMPLE
from shared.errors import RingtrueError
from shared.values.text import no_utf8

MOST_SAMPLES = 1 << 29
"""Of one clip: a gibibyte."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LISTS = ("languages", "voices", "emotions")
_LOUDEST = 1 << 16
"""The most that two samples can differ, in LSB."""


class CertificateInvalid(RingtrueError):
    """The file is not a certificate. The message says why."""


def read_certificate(path: Path) -> Certificate:
    """Return the certificate in ``path``. Raises `CertificateInvalid`, and `OSError` if the file cannot be read."""
    content = path.read_bytes()
    try:
        data = json.loads(content, parse_constant=_number_of, parse_float=_number_of)
    except UnicodeDecodeError as error:
        raise CertificateInvalid(f"{path} is not JSON: {no_utf8(error)}") from error
    except (ValueError, RecursionError) as error:
        raise CertificateInvalid(f"{path} is not JSON: {error}") from error
    if not isinstance(data, dict) or data.get("object") != OBJECT:
        raise CertificateInvalid(f"{path} is not a certificate")
    if data.get("schema") != SCHEMA or data.get("fingerprint") != DEFINITION:
        found = f"schema {data.get('schema')}, fingerprint {data.get('fingerprint')}"
        raise CertificateInvalid(
            f"{path} has another format ({found}); this version reads schema {SCHEMA}, fingerprint {DEFINITION}"
        )
    try:
        return _certificate(data)
    except KeyError as error:
        raise CertificateInvalid(f"{path} is not a complete certificate: {error} is missing") from error
    except ValueError as error:
        raise CertificateInvalid(f"{path} is not a valid certificate: {error}") from error


def _certificate(data: Mapping[str, Any]) -> Certificate:
    entries = tuple(_entry(_table(entry, "items")) for entry in _list(data["items"], "items"))
    unspoken = _texts(data["unspoken"], "unspoken")
    ids = [*(entry.id for entry in entries), *unspoken]
    if twice := [id_ for id_, times in Counter(ids).items() if times > 1]:
        raise ValueError(f"the item {twice[0]} appears twice")
    return Certificate(
        made_at=_text(data["made_at"], "made_at"),
        where=_text(data["where"], "where"),
        manifest=_manifest(_table(data["manifest"], "manifest")),
        environment=_environment(_table(data["environment"], "environment")),
        suite=_table(data["suite"], "suite"),
        seed=_whole(data["seed"], "seed", 0),
        entries=entries,
        unspoken=unspoken,
        skipped=_texts(data["skipped"], "skipped"),
    )


def _manifest(said: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("pin", "lock_sha256"):
        _text(said[name], name)
    for name in _LISTS:
        for one in _list(said.get(name) or [], name):
            _text(one, name)
    _texts(said.get("controls", {}), "controls")
    return said


def _environment(said: Mapping[str, Any]) -> Mapping[str, Any]:
    _texts(said.get("libraries", {}), "libraries")
    return said


def _entry(data: Mapping[str, Any]) -> CertificateEntry:
    timings = _table(data["timings"], "timings")
    conditions = _table(data["conditions"], "conditions")
    return CertificateEntry(
        _text(data["id"], "id"),
        _table(data["asked"], "asked"),
        _table(data["used"], "used"),
        _clip(data),
        {name: _number(value, name, 0) for name, value in timings.items()},
        {name: _outcome(_table(outcome, name)) for name, outcome in conditions.items()},
    )


def _clip(data: Mapping[str, Any]) -> Print:
    rate, samples = _whole(data["sample_rate"], "sample_rate", *RATES), _whole(data["samples"], "samples", 1)
    sound = Fingerprint.from_text(_text(data["fingerprint"], "fingerprint"))
    if samples > MOST_SAMPLES or len(sound.cells) != frames_of(samples, rate):
        raise ValueError(f"the fingerprint does not belong to {brief(samples)} samples at {rate} Hz")
    sha256 = _hash(data["pcm_sha256"])
    pcm = _pcm(_text(data["pcm"], "pcm"), sha256, samples) if "pcm" in data else None
    return Print(sha256, rate, samples, sound, pcm)


def _pcm(text: str, sha256: str, samples: int) -> bytes:
    size = samples * BYTES_PER_SAMPLE
    try:
        pcm = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), size + 1)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"the audio cannot be unpacked: {error}") from error
    if len(pcm) != size or hashlib.sha256(pcm).hexdigest() != sha256:
        raise ValueError(f"the audio does not have the pcm_sha256 {sha256}")
    return pcm


def _outcome(data: Mapping[str, Any]) -> CertifyOutcome:
    if "failure" in data:
        return CertifyOutcome(failure=_text(data["failure"], "failure"))
    heard = data["heard"]
    if not isinstance(heard, bool):
        raise ValueError(f"heard must be true or false (found {brief(heard)})")
    difference = TierDifference(
        Tier(_whole(data["tier"], "tier", min(Tier), max(Tier))),
        _number(data["log_mel_db"], "log_mel_db", 0),
        _number(data["shift_s"], "shift_s"),
        heard,
        _whole(data["first_sample"], "first_sample", 0) if "first_sample" in data else None,
        _whole(data["max_lsb"], "max_lsb", 0, _LOUDEST) if "max_lsb" in data else None,
        _number(data["snr_db"], "snr_db") if "snr_db" in data else None,
    )
    return CertifyOutcome(tuple(_hash(one) for one in _list(data["pcm_sha256"], "pcm_sha256")), difference)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a text (found {brief(value)})")
    return value


def _hash(value: object) -> str:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise ValueError(f"pcm_sha256 must be a SHA-256 (found {brief(value)})")
    return value


def _table(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object (found {brief(value)})")
    return value


def _texts(value: object, name: str) -> dict[str, str]:
    return {key: _text(one, f"{name}/{key}") for key, one in _table(value, name).items()}


def _list(value: object, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{name} must be a list (found {brief(value)})")
    return value


def _whole(value: object, name: str, least: int, most: float = math.inf) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name} must be a whole number in its range (found {brief(value)})")
    return value


def _number(value: object, name: str, least: float = -math.inf) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value:
        raise ValueError(f"{name} must be a number in its range (found {brief(value)})")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} is too large") from None


def _number_of(said: str) -> float:
    """Return a number as JSON defines it. Raises `ValueError` for NaN and for what does not fit a float."""
    if not math.isfinite(number := float(said)):
        raise ValueError(f"{said} is not a number that can be read")
    return number
