"""Writes cpu.txt and cuda.txt: the complete closure of ``ringtrue[dev]`` at exact versions, without naming any index.

The local part of a version (``+cpu``) is cut off: it names a build, and which build fits is decided at install.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
UV = Path(sys.executable).with_name("uv")
COMPILE = [
    str(UV), "pip", "compile", str(HERE.parent / "pyproject.toml"), "--extra", "dev", "--python-version", "3.11",
    "--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "--quiet",
]  # fmt: skip


def resolve(environ: dict[str, str], *more: str) -> list[str]:
    """Pins, one line each, sorted as uv sorts them."""
    answer = subprocess.run([*COMPILE, *more], env=environ, check=True, capture_output=True, text=True).stdout
    pins = [re.sub(r"\+[a-z0-9.]+$", "", line) for line in answer.splitlines()]
    return [pin for pin in pins if not pin.startswith("ringtrue")]


def main() -> None:
    environ = {name: value for name, value in os.environ.items() if name not in ("UV_FIND_LINKS", "UV_TORCH_BACKEND")}
    cuda = resolve(environ, "--python-platform", "x86_64-unknown-linux-gnu")
    # The CPU build differs by what it does not bring along; where it lies differs from place to place.
    brought = re.compile(r"(nvidia-|cuda-|triton==)")
    cpu = [pin for pin in cuda if not brought.match(pin)]
    (HERE / "cuda.txt").write_text("\n".join(cuda) + "\n")
    (HERE / "cpu.txt").write_text("\n".join(cpu) + "\n")


if __name__ == "__main__":
    main()
