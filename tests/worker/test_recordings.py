"""An engine gets uploaded voices as files that are named by what they are, and nothing of them stays afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest
import soundfile  # type: ignore[import-untyped]

from services.worker.environment_record import EnvironmentRecord
from services.worker.loader import Loader
from services.worker.memory.amounts import NOTHING, Amount
from services.worker.recordings import Recordings
from services.worker.synthesis import Slot, SynthesisDeps, speak
from shared.audio import Audio
from shared.blobs.folder import FolderBlobs
from shared.catalog import Manifest
from shared.controls import Emotion
from shared.errors import FailureCode
from shared.jobs import Job, JobIds, NewJob, SpeechInput, Status
from shared.ports import Submission
from shared.scheduling.slots import Slots
from shared.voices import Recording
from tests.memory_store import MemoryJobStore
from tests.shared.store.building import MANIFEST, NOW
from tests.worker.workshop import Sounds

CALM, GLAD = (bytes((number, 0)) * 8_000 for number in (1, 2))


@dataclass
class Parrot:
    """A host, and the loader that has it: keeps what it was asked, and the sound that its files had then."""

    lock_sha256: str = MANIFEST.lock_sha256
    peak: Amount = NOTHING
    cpu_s: float = 7.0
    """Spent on what was spoken before."""
    host_environment: Mapping[str, Any] = field(default_factory=dict)
    asked: list[Any] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)

    @property
    def served_pins(self) -> Parrot:
        return self

    def manifest(self, pin: str) -> Manifest:
        return replace(MANIFEST, max_piece_chars=20)

    @contextmanager
    def lent(self, *_: object, **__: object) -> Iterator[Parrot]:
        yield self

    def speak(self, request: Any, **_: object) -> Audio:
        self.asked.append(request)
        self.cpu_s += 0.25
        for path in (request.reference, request.emotion.audio if request.emotion else None):
            if path is not None:
                samples, _rate = soundfile.read(path, dtype="int16")
                self.heard.append(samples.tobytes())
        return Audio(b"\x01\0" * 8_000, 16_000)


@dataclass
class Studio:
    """A flow whose one slot has a parrot."""

    folder: Path
    parrot: Parrot = field(default_factory=Parrot)
    store: MemoryJobStore = field(default_factory=MemoryJobStore)

    def __post_init__(self) -> None:
        self.store.publish("here", [MANIFEST], NOW)
        self.recorded = FolderBlobs(self.folder / "recordings")
        self.slot = Slot("here/0", cast(Loader, self.parrot))
        self.deps = SynthesisDeps(
            slots=Slots([self.slot]),
            store=self.store,
            blobs=FolderBlobs(self.folder / "blobs"),
            wake_ups=Sounds(),
            announcer=Sounds(),
            environment_record=EnvironmentRecord(self.store, {}),
            families=[MANIFEST.engine],
            recordings=Recordings(self.recorded, self.folder / "spoken-with"),
            clock=lambda: NOW,
        )

    def upload(self, pcm: bytes, rate: int = 16_000) -> Recording:
        return Recording(self.recorded.put(pcm), rate, len(pcm) / 2 / rate)

    def spoken(self, text: str, **how: Any) -> Job:
        """A job of that input, as it is once the slot has spoken it."""
        new = NewJob(
            *(JobIds().next(), "ann", MANIFEST.pin, MANIFEST.engine, MANIFEST.lock_sha256, {}),
            *(SpeechInput(text, "en", score=False, **how), {}, {}, 0, NOW, NOW + 60, 60.0, 1.0),
        )
        self.store.add([Submission([new])])
        (job,) = self.store.claim("here/0", [MANIFEST.pin], [], 60.0, NOW)
        speak(self.deps, self.slot, [job])
        return self.store.get([new.id])[new.id]


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def test_the_engine_hears_the_recording_that_the_job_named(studio: Studio) -> None:
    calm, glad = studio.upload(CALM), studio.upload(GLAD)
    felt = Emotion(audio="voice_b", strength=0.5)
    job = studio.spoken("Hello.", reference="voice_a", emotion=felt, recordings={"voice_a": calm, "voice_b": glad})
    assert job.status is Status.SUCCEEDED
    assert studio.parrot.heard == [CALM, GLAD]
    assert studio.parrot.asked[0].emotion.strength == 0.5


def test_one_recording_is_one_path_for_every_job_and_another_one_another(studio: Studio) -> None:
    calm, glad, fast = studio.upload(CALM), studio.upload(GLAD), studio.upload(CALM, 48_000)
    for recording in (calm, calm, glad, fast):
        studio.spoken("Hello.", reference="voice_a", recordings={"voice_a": recording})
    first, again, other, faster = (request.reference for request in studio.parrot.asked)
    assert first == again
    assert len({first, other, faster}) == 3


def test_every_piece_of_a_long_text_is_spoken_with_it(studio: Studio) -> None:
    calm = {"voice_a": studio.upload(CALM)}
    job = studio.spoken("One is here. Two is there. Three.", reference="voice_a", recordings=calm)
    assert len(studio.parrot.heard) > 1
    assert job.timings["cpu_s"] == 0.25 * len(studio.parrot.heard)
    assert set(studio.parrot.heard) == {CALM}


def test_nothing_of_a_voice_stays_after_the_job(studio: Studio) -> None:
    studio.spoken("Hello.", reference="voice_a", recordings={"voice_a": studio.upload(CALM)})
    assert not [path for path in (studio.folder / "spoken-with").rglob("*") if path.is_file()]


def test_a_job_whose_voice_was_taken_back_fails_and_says_so(studio: Studio) -> None:
    calm = studio.upload(CALM)
    studio.recorded.delete(calm.pcm_sha256)
    job = studio.spoken("Hello.", reference="voice_a", recordings={"voice_a": calm})
    assert job.error is not None
    assert (job.status, job.error.code) == (Status.FAILED, FailureCode.VOICE_NOT_FOUND)
    assert "voice_a" in job.error.message
    assert studio.parrot.asked == []


def test_a_job_without_uploaded_voices_has_none(studio: Studio) -> None:
    job = studio.spoken("Hello.", emotion=Emotion("happy"))
    assert job.status is Status.SUCCEEDED
    assert studio.parrot.asked[0].reference is None
    assert studio.parrot.asked[0].emotion == Emotion("happy")
