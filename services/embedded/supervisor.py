"""Keeps a set of children running: starts them in order, brings back what dies, stops them in reverse.

Owns order, restarts and the end. Knows no Redis, MLflow or service: children are specs, and the tests supervise
one-line scripts.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.embedded.child import Child, ChildSpec, fate
from services.embedded.errors import ChildFailed
from services.embedded.identity import Identity
from services.embedded.interrupts import Interrupts
from services.embedded.journal import Follower, View, turn_over

_STARTING_TICK_S = 0.05
_RUNNING_TICK_S = 0.5


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before a child is started again: doubled from death to death, forgotten after a good while."""

    first_s: float = 0.5
    longest_s: float = 30.0
    good_while_s: float = 30.0

    def delay_s(self, deaths: int) -> float:
        """Before the start that follows death number ``deaths`` (from 1) in a row."""
        return float(min(self.first_s * 2 ** min(deaths - 1, 30), self.longest_s))


class _Post:
    """A child's place: the spec, and the process that holds it at present, if any."""

    def __init__(self, spec: ChildSpec, log: Path) -> None:
        self.spec = spec
        self.log = log
        self.child: Child | None = None
        self.follower: Follower | None = None
        self.last_words: deque[str] = deque(maxlen=3)
        self.ready = False
        self.was_ready = False
        self.deaths = 0
        self.start_not_before = 0.0

    def start(self, env: Mapping[str, str]) -> None:
        turn_over(self.log)
        self.log.touch(mode=0o600)
        self.follower = Follower(self.log)
        self.child = Child(self.spec, env, self.log)

    def words(self) -> list[str]:
        lines = self.follower.lines() if self.follower else []
        self.last_words.extend(line for line in lines if line and not line[0].isspace())  # not of where, but of what
        return lines

    def reap(self) -> int:
        assert self.child
        assert self.follower
        returncode = self.child.reap()
        self.follower.close()
        self.child, self.follower, self.ready = None, None, False
        return returncode


class Supervisor:
    """Runs until interrupted, or until a child fails before it was ever ready."""

    def __init__(
        self,
        specs: Sequence[ChildSpec],
        *,
        env: Mapping[str, str],
        logs: Path,
        view: View,
        interrupts: Interrupts,
        changed: Callable[[Mapping[str, Identity], bool], None],
        backoff: Backoff | None = None,
    ) -> None:
        """``env``: the whole environment of the children. ``changed`` is told who runs, and whether all were ready,
        whenever that changes; a child is told of as soon as it has a pid.
        """
        self._posts = [_Post(spec, logs / f"{spec.name}.log") for spec in specs]
        self._env = env
        self._view = view
        self._interrupts = interrupts
        self._changed = changed
        self._backoff = backoff or Backoff()
        self._all_were_ready = False

    def run(self, when_ready: Callable[[], None]) -> None:
        """Start all, call ``when_ready`` once, keep them running until interrupted, stop all. `ChildFailed`."""
        try:
            while not self._interrupts.count:
                for post in self._posts:
                    self._attend(post)
                if not self._all_were_ready and all(post.ready for post in self._posts):
                    self._all_were_ready = True
                    self._tell()
                    when_ready()
                settled = all(post.ready for post in self._posts)
                self._interrupts.wait(_RUNNING_TICK_S if settled else _STARTING_TICK_S)
        finally:
            self._stop()

    def _attend(self, post: _Post) -> None:
        if post.child is None:
            if self._may_start(post):
                self._start(post)
            return
        ended = post.child.ended()  # asked before its words are read, so that the last of them are heard
        words = self._listen(post)
        if ended:
            self._mourn(post, fate)
        elif not post.ready and post.spec.ready(words):
            self._welcome(post)
        elif not post.ready and post.child.ran_s > post.spec.ready_within_s:
            self._mourn(post, lambda _: f"was not ready within {post.spec.ready_within_s:g} s")

    def _may_start(self, post: _Post) -> bool:
        waits_for = [other for other in self._posts if other.spec.name in post.spec.after]
        # One that comes back does not wait: those before it may be away as well, and it can bear that.
        return time.monotonic() >= post.start_not_before and (post.was_ready or all(other.ready for other in waits_for))

    def _start(self, post: _Post) -> None:
        self._view.say(f"starting {post.spec.name}" + (" again" if post.deaths else ""))
        try:
            post.start(self._env)
        except OSError as error:
            if not post.was_ready:
                raise ChildFailed(f"{post.spec.name} cannot be started: {error}", None) from error
            self._start_later(post, f"cannot be started: {error}", ran_s=0)
        self._tell()

    def _listen(self, post: _Post) -> list[str]:
        words = post.words()
        if post.spec.in_view:
            self._view.hear(post.spec.name, words)
        return words

    def _welcome(self, post: _Post) -> None:
        if post.was_ready:
            self._view.say(f"{post.spec.name} is back")
        post.ready = post.was_ready = True

    def _mourn(self, post: _Post, how: Callable[[int], str]) -> None:
        assert post.child
        ran_s = post.child.ran_s
        returncode = post.reap()
        self._tell()
        if not post.was_ready:
            words = " / ".join(post.last_words) or "it said nothing"
            raise ChildFailed(f"{post.spec.name} {how(returncode)}: {words} ({post.log})", returncode)
        self._start_later(post, how(returncode), ran_s)

    def _start_later(self, post: _Post, why: str, ran_s: float) -> None:
        post.deaths = 1 if ran_s >= self._backoff.good_while_s else post.deaths + 1
        delay_s = self._backoff.delay_s(post.deaths)
        post.start_not_before = time.monotonic() + delay_s
        self._view.say(f"{post.spec.name} {why}, starts again in {delay_s:g} s ({post.log})")

    def _tell(self) -> None:
        running = {post.spec.name: post.child.identity for post in self._posts if post.child}
        self._changed(running, self._all_were_ready)

    def _stop(self) -> None:
        """One by one, the last started first, so that none loses what it stands on; a new interrupt hurries."""
        before = self._interrupts.count
        for post in reversed(self._posts):
            if post.child is None:
                continue
            self._view.say(f"stopping {post.spec.name}")
            post.child.terminate()
            deadline = time.monotonic() + post.spec.grace_s
            while not post.child.ended() and time.monotonic() < deadline and self._interrupts.count == before:
                self._interrupts.wait(_STARTING_TICK_S)
                self._listen(post)
            if not post.child.ended():
                self._view.say(f"killing {post.spec.name}")
            self._listen(post)
            post.reap()
            self._tell()
