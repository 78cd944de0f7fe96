"""Keeps a set of children running: starts them in order, restarts those that die, stops them in reverse order.

Owns order, restarts and the end. Knows no Redis, MLflow or service: children are specs, and the tests supervise
one-line scripts.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.embedded.errors import ChildFailed
from services.embedded.processes.child import ChildSpec, SupervisedChild, fate
from services.embedded.processes.identity import Identity
from services.embedded.processes.interrupts import Interrupts
from services.embedded.processes.journal import Follower, View, turn_over

_STARTING_TICK_S = 0.05
_RUNNING_TICK_S = 0.5
WELCOME_AFTER_S = 60.0
"""Seconds that the message "all is ready" waits for a child that the others can do without."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before a child is restarted: doubled with each death, reset after it ran for
    ``good_while_s``."""

    first_s: float = 0.5
    longest_s: float = 30.0
    good_while_s: float = 30.0

    def delay_s(self, deaths: int) -> float:
        """Return the seconds before the start that follows death number ``deaths`` (from 1) in a row."""
        return float(min(self.first_s * 2 ** min(deaths - 1, 30), self.longest_s))


class _Post:
    """A child's place: its spec, and its current process, if any."""

    def __init__(self, spec: ChildSpec, log: Path) -> None:
        self.spec = spec
        self.log = log
        self.child: SupervisedChild | None = None
        self.follower: Follower | None = None
        self.last_words: deque[str] = deque(maxlen=3)
        self.ready = False
        self.was_ready = False
        self.deaths = 0
        self.start_not_before = 0.0
        self.patience_s = spec.ready_within_s
        """Seconds that the next process may take to be ready: twice as long as the one before, if that was given up."""

    @property
    def troubled(self) -> bool:
        """Whether it has died and is not ready again."""
        return self.deaths > 0 and not self.ready

    def start(self, env: Mapping[str, str]) -> None:
        turn_over(self.log)
        self.log.touch(mode=0o600)
        self.follower = Follower(self.log)
        self.child = SupervisedChild(self.spec, env, self.log)

    def words(self) -> list[str]:
        lines = self.follower.lines() if self.follower else []
        self.last_words.extend(line for line in lines if line and not line[0].isspace())  # the error, not its traceback
        return lines

    def reap(self) -> int:
        assert self.child
        assert self.follower
        returncode = self.child.reap()
        self.follower.close()
        self.child, self.follower, self.ready = None, None, False
        return returncode


class Supervisor:
    """Runs until interrupted, or until a vital child ends by itself before it was ever ready.

    Being slow ends nothing, because the machine may be busy. A child that is not ready in time is restarted and given
    twice as long; if a restart would undo its work, it is waited for. All other children go on meanwhile.
    """

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
        welcome_after_s: float = WELCOME_AFTER_S,
    ) -> None:
        """Make a supervisor; `run` starts it.

        ``env``: the whole environment of the children. ``changed`` is called with the running processes, and whether
        all were
        ready, whenever that changes; a child is included as soon as it has a pid.
        """
        self._posts = [_Post(spec, logs / f"{spec.name}.log") for spec in specs]
        self._env = env
        self._view = view
        self._interrupts = interrupts
        self._changed = changed
        self._backoff = backoff or Backoff()
        self._welcome_after_s = welcome_after_s
        self._all_were_ready = False

    def run(self, when_ready: Callable[[], None]) -> None:
        """Start all, call ``when_ready`` once, keep them running until interrupted, then stop all. Raises
        `ChildFailed`."""
        began = time.monotonic()
        try:
            while not self._interrupts.count:
                for post in self._posts:
                    self._attend(post)
                if not self._all_were_ready and self._may_welcome(time.monotonic() - began):
                    self._all_were_ready = True
                    self._tell()
                    when_ready()
                    self._say_who_is_missing()
                settled = all(post.ready for post in self._posts)
                self._interrupts.wait(_RUNNING_TICK_S if settled else _STARTING_TICK_S)
        finally:
            self._stop()

    def _may_welcome(self, waited_s: float) -> bool:
        """Return whether every child is ready, or the missing ones are not vital and have been waited for."""
        missing = [post for post in self._posts if not post.ready]
        waited = waited_s >= self._welcome_after_s
        return all(not post.spec.vital and (waited or post.troubled) for post in missing)

    def _say_who_is_missing(self) -> None:
        for post in self._posts:
            if not post.ready:
                self._view.say(
                    f"{post.spec.name} is not ready yet; parts that need it wait, everything else runs ({post.log})"
                )

    def _attend(self, post: _Post) -> None:
        if post.child is None:
            if self._may_start(post):
                self._start(post)
            return
        ended = post.child.ended()  # before its lines are read, so that the last of them are read too
        words = self._listen(post)
        if ended:
            self._mourn(post, fate)
        elif not post.ready and post.spec.ready(words):
            self._welcome(post)
        elif not post.ready and post.child.ran_s > post.patience_s:
            self._say_late(post) if post.spec.waited_for else self._give_up(post)

    def _may_start(self, post: _Post) -> bool:
        if post.spec.once and post.was_ready:
            return False
        waits_for = [other for other in self._posts if other.spec.name in post.spec.after]
        # A child that is restarted does not wait: the children before it may be away too, and it can cope with that.
        return time.monotonic() >= post.start_not_before and (post.was_ready or all(other.ready for other in waits_for))

    def _start(self, post: _Post) -> None:
        self._view.say(f"starting {post.spec.name}" + (" again" if post.deaths else ""))
        try:
            post.start(self._env)
        except OSError as error:
            if post.spec.vital and not post.was_ready:
                raise ChildFailed(f"{post.spec.name} cannot be started: {error}", None) from error
            self._start_later(post, f"cannot be started: {error}", ran_s=0)
        self._tell()

    def _listen(self, post: _Post) -> list[str]:
        words = post.words()
        if post.spec.in_view:
            self._view.hear(post.spec.name, words, every=post.spec.once)
        return words

    def _welcome(self, post: _Post) -> None:
        if post.was_ready or post.troubled:
            self._view.say(f"{post.spec.name} is back")
        elif self._all_were_ready:
            self._view.say(f"{post.spec.name} is ready")
        post.ready = post.was_ready = True
        post.patience_s = post.spec.ready_within_s

    def _mourn(self, post: _Post, how: Callable[[int], str]) -> None:
        assert post.child
        ran_s = post.child.ran_s
        returncode = post.reap()
        self._tell()
        if post.spec.vital and not post.was_ready:
            words = " / ".join(post.last_words) or "no output"
            raise ChildFailed(f"{post.spec.name} {how(returncode)}: {words} ({post.log})", returncode)
        if post.spec.once:
            self._finish(post, returncode)
        else:
            self._start_later(post, how(returncode), ran_s)

    def _finish(self, post: _Post, returncode: int) -> None:
        """A child that does one thing has ended: nobody waits for it any more."""
        post.ready = post.was_ready = True
        if returncode:
            words = post.last_words[-1] if post.last_words else "no output"
            self._view.say(f"{post.spec.name} {fate(returncode)}: {words}; the rest runs without it ({post.log})")
        else:
            self._view.say(f"{post.spec.name} is done")

    def _say_late(self, post: _Post) -> None:
        late = f"{post.spec.name} is not ready after {post.patience_s:g} s"
        self._view.say(f"{late}; it keeps starting, parts that need it wait, everything else runs ({post.log})")
        post.patience_s *= 2

    def _give_up(self, post: _Post) -> None:
        assert post.child
        took_s, ran_s = post.patience_s, post.child.ran_s
        post.reap()
        self._tell()
        post.patience_s = 2 * took_s
        self._start_later(post, f"was not ready within {took_s:g} s and gets {post.patience_s:g} s next time", ran_s)

    def _start_later(self, post: _Post, why: str, ran_s: float) -> None:
        post.deaths = 1 if ran_s >= self._backoff.good_while_s else post.deaths + 1
        delay_s = self._backoff.delay_s(post.deaths)
        post.start_not_before = time.monotonic() + delay_s
        self._view.say(f"{post.spec.name} {why}; starting it again in {delay_s:g} s ({post.log})")

    def _tell(self) -> None:
        running = {post.spec.name: post.child.identity for post in self._posts if post.child}
        self._changed(running, self._all_were_ready)

    def _stop(self) -> None:
        """Stop the children one by one, the last started first, so that none loses what it needs. A new interrupt
        hurries."""
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
