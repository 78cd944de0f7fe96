"""Wake-ups and announcements that only remember."""

from __future__ import annotations


class Sounds:
    """Implements the ports to queues and events: which wake-ups and announcements were sent, in its order."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def wake_engine(self, family: str) -> None:
        self.heard.append(family)

    def wake_scoring(self) -> None:
        self.heard.append("scorer")

    def wake_tracking(self) -> None:
        self.heard.append("tracker")

    def wake_analysis(self) -> None:
        self.heard.append("judge")

    def announce(self, job_id: str, event: str) -> None:
        self.heard.append(f"{job_id} {event}")
