"""The environment that a clip is spoken in: recorded once, and named with every clip.

Owns how it is put together from that of the worker and that of the host.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.machine.environment import comparable, environment_id
from shared.ports import JobStore

Environment = Mapping[str, Any]


def comparable_part(here: Environment | None, host_environment: Environment) -> Environment | None:
    """Return the part of a host's environment that can change a sample, or `None` if ``here``, the worker's, is
    unknown."""
    return None if here is None else comparable({**here, **host_environment})


class EnvironmentRecord:
    """Records environments in the store. Any thread may call it."""

    def __init__(self, store: JobStore, here: Environment) -> None:
        """``here``: this worker's environment."""
        self._store = store
        self._here = here
        self._recorded: set[str] = set()

    def of(self, host_environment: Environment) -> str:
        """Return the id of the environment of a host: ours, with the host's part. Records it first if needed."""
        environment = {**self._here, **host_environment}
        id_ = environment_id(environment)
        if id_ not in self._recorded:
            self._store.record_environment(id_, environment)
            self._recorded.add(id_)
        return id_
