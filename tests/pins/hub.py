"""A model hub on loopback, for the hubs' real clients: Hugging Face's protocol, ModelScope's, and plain files.

    with Hub() as hub:
        voice = hub.repo("team/voice")
        v1 = voice.commit({"config.json": b"{}", "model.bin": b"..."})        # moves `main` and `master`
        voice.commit({"config.json": b"{ }", "model.bin": b"..."})            # the branch has moved on
        hub.fail("model.bin", Fault.TRUNCATED)                                # until hub.mend()
        hub.fail("model.bin", Fault.BROKEN, times=1)                          # the next request for it alone

Endpoints: ``hub.url`` for both kinds of clients (``HF_ENDPOINT``, ``MODELSCOPE_ENDPOINT``), ``hub.plain("team/voice")``
for files below a URL, ``hub.url`` again for another Ringtrue's store. ``hub.requests`` keeps every request with its
headers and how many bytes of a file it was sent.

Faults of a file, by its path in a repository (``"*"``: every file):

    TRUNCATED   all bytes are announced, the connection is cut before the last half of the file
    SHORT       a whole answer with half the file: nothing in it says that the rest is missing
    EMPTY       a whole answer with nothing
    WRONG       right size, a byte differs
    TOO_LONG    a byte more than there should be, its length not announced
    STALLED     half the file, then silence until the hub ends
    MISSING     404
    BROKEN      503
    REDIRECTED  302 to another host (``hub.elsewhere``), which has it
    NO_RANGES   right, but always from the first byte
    SLOW        right, at ``hub.slow_rate`` bytes a second

Of a repository: ``repo.delete(commit)`` (that commit is gone), ``repo.commit(...)`` (the branch moves),
``hub.fail_api(503)`` (listings fail; ``None`` mends it), ``hub.fail_api("stall")`` (they are never answered).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property
from types import TracebackType
from typing import Literal

LFS_FROM = 1 << 10
"""Files of so many bytes and more are kept as LFS: the hub knows their SHA-256."""


class Fault(Enum):
    TRUNCATED = auto()
    SHORT = auto()
    EMPTY = auto()
    WRONG = auto()
    TOO_LONG = auto()
    STALLED = auto()
    MISSING = auto()
    BROKEN = auto()
    REDIRECTED = auto()
    NO_RANGES = auto()
    SLOW = auto()


@dataclass(slots=True)
class Request:
    method: str
    path: str
    host: str
    headers: Mapping[str, str]
    sent: int = 0


@dataclass(frozen=True)
class HubFile:
    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def oid(self) -> str:
        """What git calls it."""
        return hashlib.sha1(b"blob %d\0" % self.size + self.content).hexdigest()

    @property
    def is_lfs(self) -> bool:
        return self.size >= LFS_FROM


@dataclass(slots=True)
class Repo:
    name: str
    commits: dict[str, dict[str, HubFile]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    _made: int = 0

    def commit(self, files: Mapping[str, bytes], branches: tuple[str, ...] = ("main", "master")) -> str:
        """A commit with just these files; the branches (or tags) are moved to it. Returns its id."""
        self._made += 1
        tree = {path: HubFile(content) for path, content in files.items()}
        seed = f"{self.name} {self._made} {[(path, file.oid) for path, file in sorted(tree.items())]}"
        commit = hashlib.sha1(seed.encode()).hexdigest()
        self.commits[commit] = tree
        self.refs.update(dict.fromkeys(branches, commit))
        return commit

    def delete(self, commit: str) -> None:
        """As after a rewritten history: the commit is gone; branches that were at it too."""
        del self.commits[commit]
        self.refs = {name: at for name, at in self.refs.items() if at != commit}

    def resolve(self, revision: str) -> str | None:
        commit = self.refs.get(revision, revision)
        return commit if commit in self.commits else None


class Hub:
    """Runs in threads of this process while it is entered."""

    def __init__(self, *, token: str | None = None) -> None:
        from tests.pins.hub_http import serve

        self.token = token
        """With one, requests without it are refused with 401."""
        self.repos: dict[str, Repo] = {}
        self.requests: list[Request] = []
        self.slow_rate = 1 << 20
        self.api_failure: int | Literal["stall"] | None = None
        self.ended = threading.Event()
        self._faults: list[tuple[str, Fault, int | None]] = []
        self._guard = threading.Lock()
        self._servers = [serve(self, "127.0.0.1"), serve(self, "localhost")]

    def __enter__(self) -> Hub:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Gone from the net: connections are refused from now on."""
        self.ended.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._servers[0].server_port}"

    @property
    def elsewhere(self) -> str:
        """Another host, as redirects see it: files by SHA-256, for everyone."""
        return f"http://localhost:{self._servers[1].server_port}"

    def plain(self, repo: str) -> str:
        """A URL that the files of a repository's `main` lie below."""
        return f"{self.url}/plain/{repo}"

    def repo(self, name: str) -> Repo:
        return self.repos.setdefault(name, Repo(name))

    def fail(self, path: str, fault: Fault, *, times: int | None = None) -> None:
        """Have requests for a file fail: the next ``times``, or all. Later faults come first."""
        with self._guard:
            self._faults.insert(0, (path, fault, times))

    def fail_api(self, failure: int | Literal["stall"] | None) -> None:
        self.api_failure = failure

    def mend(self) -> None:
        """No more faults."""
        with self._guard:
            self._faults.clear()
        self.api_failure = None

    def fault_for(self, path: str) -> Fault | None:
        """The fault that the next answer for a file has; it is used up."""
        with self._guard:
            for place, (which, fault, times) in enumerate(self._faults):
                if which in (path, "*"):
                    if times is not None:
                        self._faults[place] = (which, fault, times - 1)
                    if times is None or times > 0:
                        return fault
        return None

    def asked(self, part: str, method: str = "GET") -> list[Request]:
        """Requests whose path contains ``part``."""
        return [request for request in self.requests if part in request.path and request.method == method]

    def sent(self, part: str) -> int:
        """Bytes of a file that were sent in all."""
        return sum(request.sent for request in self.asked(part))

    def by_sha256(self, sha256: str) -> HubFile | None:
        files = (file for repo in self.repos.values() for tree in repo.commits.values() for file in tree.values())
        return next((file for file in files if file.sha256 == sha256), None)
