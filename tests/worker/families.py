"""Engine families made up by tests."""

from __future__ import annotations

import textwrap
from pathlib import Path


def family_folder(folder: Path, name: str, code: str) -> Path:
    """A family installed in ``folder``: a module, and metadata with its entry point."""
    (folder / f"{name}.py").write_text(textwrap.dedent(code))
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ringtrue.engines]\n{name} = {name}:Family\n")
    return folder
