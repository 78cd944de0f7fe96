"""An engine family with requirements of its own, and Pythons to serve it.

``tone`` needs ``chime``, which the worker's own Python lacks. Both are wheels on disk, so no network is needed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
REQUIREMENTS = "# A family of the tests.\n#\n# set: CHIME=1.0\ntone==1.0\nchime==${CHIME}\n"
CHIME = "PCM = bytes(range(256)) * 20\n"
FAMILY = """
import sys
from shared.audio import Audio
from shared.catalog import Manifest

class Engine:
    def manifest(self):
        import chime
        return Manifest("tone-v1", "tone", sys.prefix, "", 16000, ("en",), "en", (), {}, ())
    def load(self):
        pass
    def speak(self, request):
        import chime
        return Audio(chime.PCM, 16000)

class Family:
    name = "tone"
    def pins(self): return ["tone-v1"]
    def build(self, pin): return Engine()
"""


def wheel(folder: Path, name: str, files: Mapping[str, str]) -> Path:
    """A wheel of version 1.0 in ``folder``."""
    info = f"{name}-1.0.dist-info"
    every = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in (*every, f"{info}/RECORD"))
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in {**every, f"{info}/RECORD": record}.items():
            archive.writestr(inside, text)
    return path


def bare_python(folder: Path, *wheels: Path, python: Path = Path(sys.executable)) -> Path:
    """The interpreter of a new environment in ``folder`` with nothing but those wheels."""
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
    (packages,) = folder.glob("lib/python3*/site-packages")
    for one in wheels:
        zipfile.ZipFile(one).extractall(packages)
    return folder / "bin" / "python"


@dataclass(frozen=True)
class Outside:
    """The family as the worker's own Python sees it (``installed``), its wheels, and a folder for environments."""

    folder: Path

    @classmethod
    def in_folder(cls, folder: Path, requirements: str = REQUIREMENTS) -> Outside:
        outside = cls(folder)
        outside.wheels.mkdir(parents=True)
        family = {
            "tone/__init__.py": "",
            "tone/family.py": textwrap.dedent(FAMILY),
            "tone/requirements.txt": requirements,
        }
        entry = {"tone-1.0.dist-info/entry_points.txt": "[ringtrue.engines]\ntone = tone.family:Family\n"}
        zipfile.ZipFile(wheel(outside.wheels, "tone", family | entry)).extractall(outside.installed)
        wheel(outside.wheels, "chime", {"chime.py": CHIME})
        return outside

    @property
    def wheels(self) -> Path:
        return self.folder / "wheels"

    @property
    def installed(self) -> Path:
        return self.folder / "installed"

    @property
    def engines(self) -> Path:
        return self.folder / "engines"

    @property
    def environ(self) -> dict[str, str]:
        data = {"RINGTRUE_DATA": str(self.folder), "RINGTRUE_ENGINES": str(self.engines)}
        return {**os.environ, "PYTHONPATH": str(self.installed), **data}

    @property
    def from_disk(self) -> list[str]:
        return ["--no-index", "--find-links", str(self.wheels)]

    def python(self) -> Path:
        """A new one that can serve the family, made without the command."""
        return bare_python(self.folder / "made-by-hand", *self.wheels.iterdir())

    def command(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """``ringtrue engines``, to its end."""
        argv = [sys.executable, "-m", "ringtrue", "engines", *arguments]
        environ = self.environ | settings
        return subprocess.run(argv, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    def begun(self) -> list[Path]:
        """What lies in the folder of environments under a hidden name, locks apart."""
        return sorted(path for path in self.engines.glob(".*") if path.suffix != ".lock")
