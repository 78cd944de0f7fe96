"""The errors for files that are not recordings of a voice. The message says why; those that callers act on have types
of their own.
"""

from __future__ import annotations

from shared.errors import RingtrueError


class NotDecoded(RingtrueError):
    """The file is not a recording of a voice, as far as can be told without listening."""


class FormatUnsupported(NotDecoded):
    """The file is a sound file of another format."""


class CutShort(NotDecoded):
    """The file ends too early."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"it is cut short: {detail}")
