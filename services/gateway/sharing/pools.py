"""The thread pools of a gateway for work that takes time, one for each kind of work, shared fairly between users.

Owns how many threads each kind has, how many of them one user may hold, and how much of one user's work may wait. Below
the limits no user notices them. Beyond them, `rate_limited` says what is allowed.
"""

from __future__ import annotations

from services.gateway.sharing.fair_slots import FairSlots
from services.gateway.sharing.fair_threads import FairThreads
from services.gateway.sharing.group_commit import DEADLINE_S

LIST_STATEMENT_S = 5.0
"""Seconds that a statement of a list may take."""
UPLOADS_AT_ONCE = 3
"""Uploads decoded at a time, each by a process of its own."""


class Pools:
    """All pools of one gateway. For use from one event loop."""

    def __init__(self) -> None:
        self.checking = FairThreads("checking", 2, of_one_user=2, most=16, doing="large requests")
        """Parsing and checking of large bodies: batches, suites, rules. One is checked while another is committed; more
        at a time would only take memory."""
        self.listing = FairThreads("listing", 8, of_one_user=1, most=32, doing="lists", deadline_s=2 * DEADLINE_S)
        """Pages of lists. One user's slow pages hold up that user's other pages only."""
        self.asking = FairThreads("asking", 8, of_one_user=2, most=64, doing="requests", deadline_s=DEADLINE_S)
        """All other work that reads or writes one thing in the store."""
        self.files = FairThreads("files", 8, of_one_user=2, most=64, doing="downloads")
        """Reading and hashing of files that are sent."""
        self.uploads = FairSlots(UPLOADS_AT_ONCE, of_one_user=2, most=8, doing="uploads")
        """Recordings that are being received, wait to be decoded, or are being decoded."""

    def close(self) -> None:
        """End the threads."""
        for threads in (self.checking, self.listing, self.asking, self.files):
            threads.close()
