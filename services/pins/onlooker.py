"""Who is told how a pull goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.weights.lock import LockedFile


class Onlooker(Protocol):
    """Called from several threads."""

    def expects(self, missing: Sequence[LockedFile], /) -> None:
        """These files are to come; told once, before the others."""

    def begins(self, file: LockedFile, there: int, /) -> None:
        """A download begins, or goes on with the bytes that are ``there``."""

    def moves(self, file: LockedFile, count: int, /) -> None:
        """So many bytes more; fewer where some were thrown away."""

    def ends(self, file: LockedFile, whence: str | None, /) -> None:
        """The file is in the store; ``None``: nobody was asked for it."""

    def says(self, line: str, /) -> None:
        """Something that a person should know: a wait, a source that failed and why."""
