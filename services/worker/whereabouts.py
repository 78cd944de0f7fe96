"""The environment that a clip is spoken in, put on record once and named with every clip after it.

Owns that a host in another Python has another environment than the worker around it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.environment import comparable, environment_id
from shared.ports import JobStore

Environment = Mapping[str, Any]


def comparable_part(here: Environment | None, surroundings: Environment) -> Environment | None:
    """What can move a sample in a host with these surroundings. ``here``: the worker's environment, where known."""
    return None if here is None else comparable({**here, **surroundings})


class Whereabouts:
    """For any thread."""

    def __init__(self, store: JobStore, here: Environment) -> None:
        """``here``: this worker's environment."""
        self._store = store
        self._here = here
        self._recorded: set[str] = set()

    def of(self, surroundings: Environment) -> str:
        """Id of the environment of a host with these surroundings."""
        environment = {**self._here, **surroundings}
        id_ = environment_id(environment)
        if id_ not in self._recorded:
            self._store.record_environment(id_, environment)
            self._recorded.add(id_)
        return id_
