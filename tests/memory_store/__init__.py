"""Jobs, studies, aliases, keys and voices as dictionaries: what tests use in place of SQL, held to the same suite.

Knows nothing of durability.
"""

from tests.memory_store.aliases import MemoryAliasStore
from tests.memory_store.gateway import MemoryGatewaySide
from tests.memory_store.keys import MemoryKeyStore
from tests.memory_store.scorer import MemoryScorerSide
from tests.memory_store.studies import MemoryStudyStore
from tests.memory_store.sweeper import MemorySweeperSide
from tests.memory_store.voices import MemoryVoiceStore
from tests.memory_store.worker import MemoryWorkerSide

__all__ = ["MemoryAliasStore", "MemoryJobStore", "MemoryKeyStore", "MemoryStudyStore", "MemoryVoiceStore"]


class MemoryJobStore(MemoryGatewaySide, MemoryWorkerSide, MemoryScorerSide, MemorySweeperSide):
    """Implements ``shared.ports.JobStore``."""
