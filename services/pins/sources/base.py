"""What a source of files is, what it may be asked, and how it fails.

Owns the words. Knows no hub and believes none: whether the bytes are right is asked when the store adopts them.

    SourceFailed            a source did not deliver; the message names source and reason
    ├── Gone                the commit or the file does not exist there: asking again is no use
    └── NotListed           this kind of source cannot say which files it has
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shared.errors import RingtrueError
from shared.weights.hashing import OnBytes
from shared.weights.lock import LockedFile


class SourceFailed(RingtrueError):
    """Out of reach, refused, gone, too slow or cut off; the message names source and reason."""


class Gone(SourceFailed):
    """The commit or the file does not exist there."""


class NotListed(SourceFailed):
    """This kind of source cannot say which files it has; they must be named."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as a source lists it."""

    path: str
    size: int
    sha256: str | None = None
    """Where the source is known to say it."""
    git_sha1: str | None = None
    """What git calls the bytes: all that a hub says of small files."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a source is waited for, and how often it is asked again."""

    answer_s: float = 10.0
    """To be connected, and for the answer to a question."""
    stall_s: float = 30.0
    """No byte for so long, and the stream counts as stalled."""
    attempts: int = 3
    """In a row that brought next to nothing."""
    pause_s: float = 1.0
    """Before the second attempt; doubled before each further one."""


@dataclass(frozen=True, slots=True)
class Access:
    """What the environment says of reaching sources: endpoints in the order to try them, and keys."""

    huggingface: Sequence[str] = ("https://huggingface.co",)
    huggingface_token: str | None = None
    modelscope: Sequence[str] = ("https://www.modelscope.cn",)
    modelscope_token: str | None = None
    ringtrue_key: str | None = None
    """For the stores of other nodes."""
    patience: Patience = Patience()


class ModelSource(Protocol):
    """One place that can deliver the files of one component. Used from several threads."""

    @property
    def name(self) -> str:
        """As people are told: ``huggingface IndexTeam/IndexTTS-2@1a2b3c4d5e6f at https://hf-mirror.com``."""

    def resolve(self) -> str | None:
        """The full commit that the wanted revision is now; ``None``: this kind of source has no commits."""

    def listed(self) -> Sequence[Listed]:
        """Every file at that revision. `NotListed` where the source cannot say."""

    def fetch(self, file: LockedFile, into: Path, on_bytes: OnBytes) -> None:
        """Bring ``file.at_source`` into ``into``, going on after the bytes that are there.

        Returns when the source has delivered all it has: `into` may be shorter than ``file.size``, never longer.
        ``on_bytes`` hears of bytes as they are added, and of a negative count where some are thrown away.
        `SourceFailed` leaves what has arrived; `OSError` is the disk's.
        """
