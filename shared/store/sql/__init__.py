"""The job store, the studies, the aliases, the keys and the voices in SQLite or PostgreSQL, on SQLAlchemy Core."""

from shared.store.sql.aliases import SqlAliasStore
from shared.store.sql.database import Database
from shared.store.sql.keys import SqlKeyStore
from shared.store.sql.migrate import migrate
from shared.store.sql.study_scorer import StudyScorerSide
from shared.store.sql.sweeper import SweeperSide
from shared.store.sql.voices import SqlVoiceStore

__all__ = ["Database", "SqlAliasStore", "SqlJobStore", "SqlKeyStore", "SqlStudyStore", "SqlVoiceStore", "migrate"]


class SqlJobStore(SweeperSide):
    """Implements ``shared.ports.JobStore``. Each side stands on the one before: gateway, worker, scorer, sweeper."""


class SqlStudyStore(StudyScorerSide):
    """Implements ``shared.studies.StudyStore``, likewise. Studies are added with `SqlJobStore.add`."""
