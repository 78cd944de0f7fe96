"""What a pull reports its progress to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.weights.lock import LockedFile


class PullProgress(Protocol):
    """Receives the progress of a pull. Called from several threads."""

    def expects(self, missing: Sequence[LockedFile], /) -> None:
        """These files will be fetched. Called once, before the other methods."""

    def begins(self, file: LockedFile, there: int, /) -> None:
        """A download begins, or continues after the bytes that are ``there``."""

    def moves(self, file: LockedFile, count: int, /) -> None:
        """``count`` more bytes have come. Negative if some were thrown away."""

    def ends(self, file: LockedFile, source_name: str | None, /) -> None:
        """The file is in the store. ``source_name`` is ``None`` if no source was asked."""

    def says(self, line: str, /) -> None:
        """Something for a person to know: a wait, or a source that failed and why."""
