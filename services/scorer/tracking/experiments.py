"""The experiments that runs are kept in. They are found by name, whatever people do to them in MLflow's page.

Owns that each experiment exists and is active: it is created if missing and restored if deleted. An id is remembered
for a short while only, because a server whose database was made anew gives the same ids to other experiments. Reaches
the server only through the port `Requests`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from services.scorer.tracking.registry import Requests
from services.scorer.tracking.runs import EnvironmentNote, TrackerRefused

REMEMBERED_S = 30.0
_TRIES = 3
"""Between a lookup and the action that follows, another client may have done the same."""

_T = TypeVar("_T")

log = logging.getLogger(__name__)


class Experiments:
    """Finds, creates and restores experiments. Safe to call from several threads.

    ``longest_tag``: the number of characters of a description that the server accepts. Every method raises
    `TrackerUnavailable` or `TrackerRefused`.
    """

    def __init__(self, server: Requests, longest_tag: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._server = server
        self._longest_tag = longest_tag
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, float]] = {}
        self._described: set[tuple[str, str]] = set()

    def within(self, name: str, work: Callable[[str], _T], environment: EnvironmentNote | None = None) -> _T:
        """Return the result of ``work``, which gets the experiment's id. If the experiment was deleted, do the work
        again.

        ``environment`` is described in the experiment first.
        """

        def done() -> _T:
            experiment_id = self.id_of(name)
            if environment is not None:
                self._describe(experiment_id, environment)
            return work(experiment_id)

        believed = self.id_of(name)
        try:
            return done()
        except TrackerRefused:
            self.forget()
            found = self._found(name)
            if found is not None and _is_active(found) and found["experiment_id"] == believed:
                raise  # the experiment is not the reason
            return done()

    def id_of(self, name: str) -> str:
        """Return the id of an active experiment, created or restored if needed. No request while the id is
        remembered."""
        with self._lock:
            known, until = self._known.get(name, ("", 0.0))
            if not known or self._clock() >= until:
                known = self._active(name)
                self._known[name] = (known, self._clock() + REMEMBERED_S)
            return known

    def bring_back(self, experiment_id: str) -> None:
        """Restore the experiment if it was deleted."""
        found = self._server.get("experiments/get", {"experiment_id": experiment_id})["experiment"]
        if not _is_active(found):
            self._restore(found)

    def forget(self) -> None:
        """Forget all ids. If one experiment is not as remembered, others are seldom either."""
        with self._lock:
            self._known.clear()
            self._described.clear()

    def _active(self, name: str) -> str:
        for last in (False,) * (_TRIES - 1) + (True,):
            found = self._found(name)
            try:
                if found is None:
                    return str(self._server.post("experiments/create", {"name": name})["experiment_id"])
                if not _is_active(found):
                    self._restore(found)
                return str(found["experiment_id"])
            except TrackerRefused:
                if last:
                    raise
        raise AssertionError("the last try returns or raises")

    def _restore(self, experiment: dict[str, Any]) -> None:
        self._server.post("experiments/restore", {"experiment_id": experiment["experiment_id"]})
        log.warning(
            "experiment %s was deleted in MLflow and is restored with its runs, because new runs belong to it;"
            " to remove old runs, delete the runs",
            experiment["name"],
        )

    def _found(self, name: str) -> dict[str, Any] | None:
        """Find an experiment by name, also a deleted one: it keeps its name."""
        query = {"filter": f"name = '{name}'", "view_type": "ALL", "max_results": 1}
        found: list[dict[str, Any]] = self._server.post("experiments/search", query).get("experiments", [])
        return found[0] if found else None

    def _describe(self, experiment_id: str, environment: EnvironmentNote) -> None:
        """Write an environment's description to the experiment, once."""
        key = (experiment_id, environment.id)
        with self._lock:
            if key in self._described:
                return
            value = environment.description[: self._longest_tag]
            tag = {"key": f"tts.environment.{environment.id}", "value": value}
            self._server.post("experiments/set-experiment-tag", {"experiment_id": experiment_id, **tag})
            self._described.add(key)


def _is_active(experiment: dict[str, Any]) -> bool:
    return bool(experiment.get("lifecycle_stage", "active") == "active")
