"""A folder that holds a module of every name that Python could look for: whoever starts a process in it is watched.

What is planted writes its name into a book when it is imported, and fails.
"""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

_PLANTED = "open({book!r}, 'a').write(__name__ + '\\n')\nraise ImportError('planted')\n"


def planted_names() -> list[str]:
    """Of the standard library, of every installed distribution and of ours, and those that Python tries by itself."""
    ours = ["ringtrue", "shared", "services", "demo", "sitecustomize", "usercustomize", "celeryconfig", "gunicorn_conf"]
    return sorted({*sys.stdlib_module_names, *importlib.metadata.packages_distributions(), *ours})


def plant(folder: Path) -> Path:
    """Fill ``folder``; the book."""
    folder.mkdir(exist_ok=True)
    book = folder / "book.txt"
    book.touch()
    for name in planted_names():
        if "/" not in name:
            (folder / f"{name}.py").write_text(_PLANTED.format(book=str(book)))
    return book
