"""The files of an evaluation: its items table, the hashes of all it was made of, and the environments it was spoken in.

Owns their form, and the lookup of a pin's files in ``catalog.lock``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.studies.items_table import items_table
from shared.weights.errors import CatalogInvalid
from shared.weights.lock import read_locks

LOCK, ENVIRONMENT = "lock.json", "environment.json"

log = logging.getLogger(__name__)


def pin_lock_in(lock_file: Path, pin: str, lock_sha256: str) -> Mapping[str, Any] | None:
    """Return the lock of a pin as JSON.

    ``None`` if the file on this machine does not have the pin, or has another lock than the one that was spoken with.
    """
    try:
        lock = read_locks(lock_file).get(pin)
    except CatalogInvalid as error:
        log.warning("the report does not list the files of %s: %s", pin, error)
        return None
    return lock.to_json() if lock is not None and lock.sha256 == lock_sha256 else None


def evaluation_files(
    evaluated: Evaluated, scorer_locks: Mapping[str, str], pin_lock: Mapping[str, Any] | None
) -> dict[str, bytes]:
    """Return the content of each file by its path. ``pin_lock``: the pin's lock, if it is at hand."""
    suite = evaluated.suite
    lock = {
        "pin": {
            "name": evaluated.pin,
            "engine": evaluated.engine,
            "lock_sha256": evaluated.lock_sha256,
            "licence": evaluated.licence,
            "lock": pin_lock,
        },
        "suite": {"name": suite.name, "version": suite.version, "sha256": suite.sha256},
        "scorers": scorer_locks,
    }
    return {**items_table(evaluated), LOCK: _text(lock), ENVIRONMENT: _text(evaluated.environments)}


def _text(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode()
