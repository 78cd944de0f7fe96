"""Aliases in MLflow's model registry: a registered model per model, a version per pin and lock, an alias on one.

Owns the names there and the order in which they are made. Reaches the server only through the port `Requests`. The
weights are not there: a version's source names the pin, its tags name the bytes that it is bound to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from services.scorer.tracking.runs import TrackerRefused
from shared.aliases import Alias

_RESERVED = re.compile(r"latest|v\d+")


class Requests(Protocol):
    """The REST API. Raises `TrackerUnavailable` or `TrackerRefused`."""

    def get(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]: ...

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]: ...


class ModelRegistry:
    """Implements ``services.scorer.tracking.alias_mirror.Registry``."""

    def __init__(self, server: Requests) -> None:
        self._server = server

    def takes(self, alias: Alias) -> bool:
        """Return False for names that MLflow reserves."""
        return _RESERVED.fullmatch(alias.word) is None

    def point(self, alias: Alias, pin: str, lock_sha256: str) -> None:
        """Make the alias mean the version of this pin and lock. May be repeated."""
        tags = {"tts.pin": pin, "tts.lock_sha256": lock_sha256}
        version = self._found(alias.model, tags) or self._made(alias.model, pin, tags)
        self._server.post("registered-models/alias", {"name": alias.model, "alias": alias.word, "version": version})

    def _found(self, model: str, tags: Mapping[str, str]) -> str | None:
        """Return the oldest version with these tags."""
        conditions = [f"name = '{model}'", *(f"tags.`{key}` = '{value}'" for key, value in tags.items())]
        query = {"filter": " and ".join(conditions), "max_results": 100}
        found = self._server.get("model-versions/search", query).get("model_versions", [])
        return min((str(entry["version"]) for entry in found), key=int, default=None)

    def _made(self, model: str, pin: str, tags: Mapping[str, str]) -> str:
        # Most likely the model exists already. If something else is wrong, the next request fails too.
        with suppress(TrackerRefused):
            self._server.post("registered-models/create", {"name": model})
        tagged = [{"key": key, "value": value} for key, value in tags.items()]
        body = {"name": model, "source": f"ringtrue:/{pin}", "tags": tagged}
        return str(self._server.post("model-versions/create", body)["model_version"]["version"])
