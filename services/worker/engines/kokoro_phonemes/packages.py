"""Which packages a pin needs, and whether this Python has them. Imports none of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from shared.machine.installed_packages import version_of

_ALWAYS = {"onnx": "onnx", "onnxruntime": "onnxruntime"}


def missing_packages(readers: Mapping[str, str]) -> str | None:
    """Return what is not installed of the packages ``readers`` (module -> package) and of those that every pin needs,
    or ``None``."""
    missing = [package for module, package in {**readers, **_ALWAYS}.items() if find_spec(module) is None]
    return f"not installed: {', '.join(missing)}" if missing else None


def package_versions(readers: Sequence[str]) -> str:
    """Return the versions of the packages ``readers``, which decide how text is pronounced, and of onnxruntime, which
    speaks."""
    found = {name: version_of(name) for name in (*readers, "onnxruntime")}
    return ", ".join(f"{name} {version}" for name, version in found.items() if version) or "not installed"
