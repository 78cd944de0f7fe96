"""Bells and announcements that only remember."""

from __future__ import annotations


class Sounds:
    """Implements the doors to queues and events: what was rung and announced, in its order."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def ring_engine(self, family: str) -> None:
        self.heard.append(family)

    def ring_scorer(self) -> None:
        self.heard.append("scorer")

    def ring_tracker(self) -> None:
        self.heard.append("tracker")

    def ring_judge(self) -> None:
        self.heard.append("judge")

    def announce(self, job_id: str, event: str) -> None:
        self.heard.append(f"{job_id} {event}")
