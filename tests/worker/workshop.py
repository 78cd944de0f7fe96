"""A worker's flow over fakes and what tests do with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from services.worker.environment_record import EnvironmentRecord
from services.worker.loader import Loader
from services.worker.recordings import Recordings
from services.worker.synthesis import Slot, SynthesisDeps
from shared.blobs.folder import FolderBlobs
from shared.jobs import Job, JobIds, NewJob, SpeechInput
from shared.ports import Submission
from shared.scheduling.slots import Slots
from tests.memory_store import MemoryJobStore


@dataclass
class Sounds:
    """Wake-ups and announcements that only remember; implements ``WakeUps`` and ``Announcer``."""

    woken: list[str] = field(default_factory=list)
    announced: list[tuple[str, str]] = field(default_factory=list)

    def wake_engine(self, family: str) -> None:
        self.woken.append(family)

    def wake_scoring(self) -> None:
        self.woken.append("scorer")

    def wake_tracking(self) -> None:
        self.woken.append("tracker")

    def wake_analysis(self) -> None:
        self.woken.append("judge")

    def announce(self, job_id: str, event: str) -> None:
        self.announced.append((job_id, event))


@dataclass
class Workshop:
    """A flow and what a test does with it. Time stands where the test puts it."""

    deps: SynthesisDeps
    store: MemoryJobStore
    sounds: Sounds
    loader: Loader
    now: float = 1000.0
    ids: JobIds = field(default_factory=JobIds)

    @classmethod
    def around(cls, loader: Loader, folder: Path) -> Workshop:
        """A flow with one slot, and what it offers published. ``folder``: for the audio."""
        store, sounds = MemoryJobStore(), Sounds()
        deps = SynthesisDeps(
            slots=Slots([Slot("here/0", loader)]),
            store=store,
            blobs=FolderBlobs(folder / "blobs"),
            wake_ups=sounds,
            announcer=sounds,
            environment_record=EnvironmentRecord(store, {"os": "a test's"}),
            families=["espeak", "wobble"],
            recordings=Recordings(FolderBlobs(folder / "recordings"), folder / "spoken-with"),
        )
        workshop = cls(deps, store, sounds, loader)
        deps.clock = lambda: workshop.now
        workshop.publish()
        return workshop

    def publish(self) -> None:
        """Tell the store what is offered, as a worker does every few seconds."""
        self.store.publish("here", self.loader.served_pins.manifests(), self.now)

    def add(self, text: str, pin: str = "espeak-v2", **changes: object) -> str:
        manifest = next(m for m in self.loader.served_pins.manifests() if m.pin == pin)
        spoken = SpeechInput(text, "en", options={**{"sleep_s": 30.0}} if pin == "wobble-slow" else {}, score=True)
        given: dict[str, object] = {
            "id": self.ids.next(),
            "user": "ann",
            "pin": pin,
            "engine": manifest.engine,
            "lock_sha256": manifest.lock_sha256,
            "asked": {},
            "input": spoken,
            "controls": {},
            "metadata": {},
            "priority": 0,
            "created_at": self.now,
            "expires_at": self.now + 3600,
            "timeout_s": 60.0,
            "estimated_s": 1.0,
            **changes,
        }
        new = NewJob(**given)  # type: ignore[arg-type]
        assert self.store.add([Submission([new])]) == [True]
        return new.id

    def job(self, job_id: str) -> Job:
        return self.store.get([job_id])[job_id]
