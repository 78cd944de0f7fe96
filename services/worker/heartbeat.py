"""A worker's heartbeat: its manifests, published to the store every `PUBLISH_EVERY_S` seconds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from shared.catalog import Manifest
from shared.errors import StoreUnavailable
from shared.ports import JobStore

PUBLISH_EVERY_S = 5.0

log = logging.getLogger(__name__)


class Heartbeat:
    """Publishes manifests from its own thread for the length of a block. Afterwards the worker is removed from the
    store."""

    def __init__(
        self, store: JobStore, worker: str, manifests: Callable[[], Sequence[Manifest]], clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._worker = worker
        self._manifests = manifests
        self._clock = clock
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._publish_for_ever, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        """Publish once, then start the thread. Raises ``StoreUnavailable`` if the first publication fails."""
        self._store.publish(self._worker, self._manifests(), self._clock())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and remove this worker from the store."""
        self._over.set()
        self._thread.join()
        try:
            self._store.retire(self._worker)
        except StoreUnavailable as error:
            log.warning("could not remove this worker from the store: %s", error)

    def _publish_for_ever(self) -> None:
        while not self._over.wait(PUBLISH_EVERY_S):
            try:
                self._store.publish(self._worker, self._manifests(), self._clock())
            except StoreUnavailable as error:
                log.warning("heartbeat not published: %s", error)
            except Exception:  # without a heartbeat, a worker that still speaks gets no jobs for some pins
                log.exception("heartbeat not published because of an unexpected error")
