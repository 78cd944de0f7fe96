"""Several users who submit and never take no for an answer: the same request again until it is accepted."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from tests.whole.chaos.deployment import Deployment

TEXTS = (
    "The ferry left at noon.",
    "Platform seven is closed.",
    "Nobody saw the lighthouse.",
    "Mind the gap.",
)
PINS = ("espeak-v2", "espeak-v1")
SLOW_SHARE, SLOW_PIN = 0.2, "wobble-slow"
"""So many jobs take a second or two: there has to be something to interrupt."""


@dataclass
class Load:
    """``jobs`` in all, by users with these ``keys`` in turn, within about ``seconds``."""

    deployment: Deployment
    keys: Sequence[str]
    jobs: int
    seconds: float
    seed: int
    accepted: dict[str, str] = field(default_factory=dict)
    """Job -> its user's key."""
    refused: list[str] = field(default_factory=list)
    """Answers that are neither 202 nor to be tried again."""
    giving_up: threading.Event = field(default_factory=threading.Event)

    def start(self) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._user, args=(number,), daemon=True) for number in range(len(self.keys))]
        for thread in threads:
            thread.start()
        return threads

    def _user(self, number: int) -> None:
        choice = random.Random(self.seed * 1000 + number)
        share = range(number, self.jobs, len(self.keys))
        began = time.monotonic()
        with httpx.Client(timeout=10, headers={"Authorization": f"Bearer {self.keys[number]}"}) as http:
            for done, job in enumerate(share):
                if self.giving_up.is_set():
                    return
                self._submit(http, choice, self.keys[number], job)
                ahead = self.seconds * (done + 1) / len(share) - (time.monotonic() - began)
                if ahead > 0:
                    time.sleep(ahead)

    def _submit(self, http: httpx.Client, choice: random.Random, key: str, number: int) -> None:
        body: dict[str, object] = {
            "text": f"{choice.choice(TEXTS)} Number {number}.",
            "pin": choice.choice(PINS),
            "score": ["signal"],
            "priority": choice.randint(-2, 2),
            "metadata": {"number": str(number)},
        }
        if choice.random() < SLOW_SHARE:
            body |= {"pin": SLOW_PIN, "options": {"sleep_s": choice.uniform(0.5, 2.5)}}
        same = {"Idempotency-Key": uuid.uuid4().hex}
        while not self.giving_up.is_set():
            gateway = choice.choice(self.deployment.of_kind("gateway"))
            try:
                answer = http.post(f"{self.deployment.url(gateway)}/v1/jobs", json=body, headers=same)
            except httpx.TransportError:
                time.sleep(0.2)
                continue
            if answer.status_code in (201, 202):
                self.accepted[answer.json()["id"]] = key
                return
            if answer.status_code not in (409, 429, 503):
                self.refused.append(f"{answer.status_code} {answer.text[:200]}")
            time.sleep(0.2)
