"""Which packages a pin needs, and whether this Python has them. Imports none of them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from shared.machine.installed_packages import version_of

_ALWAYS = {"onnx": "onnx", "onnxruntime": "onnxruntime"}
_READERS = ("hibari-tts", "misaki", "jieba", "pypinyin", "cn2an")
"""They decide how text is pronounced."""


def missing_packages(readers: Mapping[str, str]) -> str | None:
    """Return what is not installed of the packages ``readers`` (module -> package) and of those that every pin needs,
    or ``None``."""
    missing = [package for module, package in {**readers, **_ALWAYS}.items() if find_spec(module) is None]
    return f"not installed: {', '.join(missing)}" if missing else None


def package_versions() -> str:
    """Return the versions of what puts text into phonemes, and of onnxruntime, which speaks."""
    found = {name: version_of(name) for name in (*_READERS, "onnxruntime")}
    return ", ".join(f"{name} {version}" for name, version in found.items() if version) or "not installed"
