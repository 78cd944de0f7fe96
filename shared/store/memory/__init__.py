"""Jobs, studies, aliases, keys and voices as dictionaries: what tests use in place of SQL, held to the same suite.

Knows nothing of durability.
"""

from shared.store.memory.aliases import MemoryAliasStore
from shared.store.memory.gateway import GatewaySide
from shared.store.memory.keys import MemoryKeyStore
from shared.store.memory.scorer import ScorerSide
from shared.store.memory.studies import MemoryStudyStore
from shared.store.memory.sweeper import SweeperSide
from shared.store.memory.voices import MemoryVoiceStore
from shared.store.memory.worker import WorkerSide

__all__ = ["MemoryAliasStore", "MemoryJobStore", "MemoryKeyStore", "MemoryStudyStore", "MemoryVoiceStore"]


class MemoryJobStore(GatewaySide, WorkerSide, ScorerSide, SweeperSide):
    """Implements ``shared.ports.JobStore``."""
