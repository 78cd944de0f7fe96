"""Draws pictures of clips in a child process, so that numpy, pyworld and matplotlib stay out of the scorer's own.

Owns the life of that child. What is in a picture is decided in picture_drawing.py.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from shared.audio import Audio
from shared.jobs import Piece
from shared.processes.hosting import Child, HostCrashed, HostTimeout
from shared.processes.interpreter import run_module

HOST = run_module("services.scorer.pictures.picture_host")
_START_S = 120.0
"""Seconds for imports and, on a fresh machine, matplotlib's list of fonts."""

log = logging.getLogger(__name__)


class Pictures:
    """Draws one picture at a time. Safe to call from several threads. The first picture starts the child."""

    def __init__(self, host: Sequence[str] = HOST, deadline_s: float = 20.0) -> None:
        self._argv = tuple(host)
        self._deadline_s = deadline_s
        self._child: Child | None = None
        self._lock = threading.Lock()

    def draw(self, audio: Audio, *, title: str, pieces: Sequence[Piece] = ()) -> bytes | None:
        """Return a PNG, 900 px wide, or `None` if it fails or takes too long: a picture is never worth losing a run."""
        header = {
            "op": "draw",
            "title": title,
            "sample_rate": audio.sample_rate,
            "pieces": [[piece.start_s, piece.end_s] for piece in pieces],
        }
        with self._lock:
            try:
                child = self._started()
                answer = child.ask(header, audio.pcm, timeout_s=self._deadline_s)
            except (HostCrashed, HostTimeout) as error:
                log.warning("no picture of %r: %s", title, error)
                self._end()
                return None
        if "error" in answer.header:
            log.warning("no picture of %r: %s", title, answer.header["error"])
            return None
        return bytes(answer.payload)

    def close(self) -> None:
        """End the child. The next picture starts another one."""
        with self._lock:
            self._end()

    def _started(self) -> Child:
        if self._child is None or not self._child.alive:
            self._end()
            self._child = Child(self._argv)
            self._child.ask({"op": "ready"}, timeout_s=_START_S)
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None
