"""The voice data of espeak under lower-case names.

espeak puts the name of a voice into lower case before it looks for the file. Where case matters, it does not find
``gmw/en-US``, its default English, and then reads the heads of all its voices before each utterance: that takes longer
than a sentence. The sound is the same.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

_VOICES = "lang"
_DATA = "d"
"""A link to the voice data, so that the other links are short: long ones take a block of the disk each."""


class LowerCaseData:
    """A folder like the voice data, made of links to its files. It lives as long as this object.

    Where a file system knows no case or no links, it is the voice data itself.
    """

    def __init__(self, data: Path) -> None:
        self._made: TemporaryDirectory[str] | None = None
        self.path = data
        families = list(os.scandir(data / _VOICES))
        upper = {one.path for one in families if one.is_dir() and any(map(_is_missed, os.scandir(one.path)))}
        if not upper:
            return
        from tempfile import TemporaryDirectory  # takes 4 ms, for which the start of a host would wait

        made = TemporaryDirectory(prefix="espeak-", ignore_cleanup_errors=True)
        path = Path(made.name, data.name)
        try:
            os.symlink(data, path.with_name(_DATA))
            _link(data, path, f"../{_DATA}", others_than=_VOICES)
            (path / _VOICES).mkdir()
            for family in families:
                to, there = path / _VOICES / family.name, f"../../{_DATA}/{_VOICES}/{family.name}"
                if family.path in upper:
                    _link(Path(family.path), to, f"../{there}", lower=True)
                else:
                    os.symlink(there, to)
        except OSError:  # Windows lets few users make links
            made.cleanup()
            return
        self._made, self.path = made, path


def _is_missed(file: os.DirEntry[str]) -> bool:
    return file.name != file.name.lower() and not Path(file.path).with_name(file.name.lower()).exists()


def _link(folder: Path, to: Path, there: str, *, others_than: str = "", lower: bool = False) -> None:
    """Make the folder ``to`` with a link to each file of ``folder``, which is ``there`` as seen from ``to``."""
    to.mkdir()
    for name in os.listdir(folder):
        if name != others_than:
            os.symlink(f"{there}/{name}", f"{to}/{name.lower() if lower else name}")
