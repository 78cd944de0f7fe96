"""The stores of jobs, studies, aliases, keys and voices in SQLite or PostgreSQL, on SQLAlchemy Core."""

from shared.store.sql.aliases import SqlAliasStore
from shared.store.sql.connection.clock import DatabaseClock
from shared.store.sql.connection.database import Database
from shared.store.sql.connection.migrate import migrate
from shared.store.sql.connection.opening import ACCEPT_EMPTY, open_database
from shared.store.sql.jobs.served import is_served, name_of
from shared.store.sql.jobs.sweeper import SweeperSide
from shared.store.sql.keys import SqlKeyStore
from shared.store.sql.studies.study_scorer import StudyScorerSide
from shared.store.sql.voices import SqlVoiceStore

__all__ = [
    "ACCEPT_EMPTY",
    "Database",
    "DatabaseClock",
    "SqlAliasStore",
    "SqlJobStore",
    "SqlKeyStore",
    "SqlStudyStore",
    "SqlVoiceStore",
    "is_served",
    "migrate",
    "name_of",
    "open_database",
]


class SqlJobStore(SweeperSide):
    """Implements ``shared.ports.JobStore``. Each side extends the one before it: gateway, worker, scorer, sweeper."""


class SqlStudyStore(StudyScorerSide):
    """Implements ``shared.studies.StudyStore`` in the same way. `SqlJobStore.add` adds studies."""
