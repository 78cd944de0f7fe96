"""The database connections of a gateway: separate ones for requests, for lists and for the gateway itself.

Owns the time limits of each. A request that has to wait for the database is refused within seconds
(`store_unavailable`). What the gateway does for itself has no such limit. Knows no table.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.gateway.sharing.pools import LIST_STATEMENT_S
from shared.ports import JobStore
from shared.store.sql import Database, SqlJobStore, SqlStudyStore, SqlVoiceStore
from shared.store.sql.connection.database import TimeLimits
from shared.studies import StudyStore
from shared.voices import VoiceStore

REQUESTS = TimeLimits(statement_s=30.0, lock_s=3.0)
"""A commit of a thousand long jobs takes a while on a busy disk. No live client holds one of their locks for long."""
LISTS = TimeLimits(statement_s=LIST_STATEMENT_S, lock_s=1.0)


@dataclass(frozen=True, slots=True)
class Lists:
    """The stores that answer list queries."""

    jobs: JobStore
    studies: StudyStore
    voices: VoiceStore


class Databases:
    """The three connections. ``own``: the gateway's own, already migrated. Requests and lists get others to the same
    ``url``."""

    def __init__(self, own: Database, url: str) -> None:
        self.own = own
        self.requests = Database(url, limits=REQUESTS)
        self._lists = Database(url, limits=LISTS)

    @property
    def lists(self) -> Lists:
        of = self._lists
        return Lists(SqlJobStore(of), SqlStudyStore(of), SqlVoiceStore(of))

    def damage(self) -> str | None:
        """Return a reason code if any connection found that the database is damaged, else None."""
        known = any(database.damage for database in (self.own, self.requests, self._lists))
        return "database_damaged" if known else None

    def close(self) -> None:
        for database in (self._lists, self.requests, self.own):
            database.close()
