"""One clip from claim to scores: what is recorded, who is told, what is dropped. Store in memory, a faked host."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.scorer.scoring import score_clips
from services.scorer.scoring.metric_host import MeasuringAbandoned
from services.scorer.scoring.score_clips import ScoringDeps
from shared.audio import Audio, silence
from shared.blobs.folder import FolderBlobs
from shared.catalog import Manifest
from shared.controls import Emotion
from shared.jobs import FacetStatus, Job, NewJob, SpeechInput, Spoken
from shared.ports import FacetName, Result, Submission
from shared.readings.lexicons import LexiconUsed
from shared.readings.pronunciation import Pronunciation
from shared.scheduling.slots import Slots
from shared.scores import Reason, Score, Scored, Unscored
from shared.voices import Recording
from tests.memory_store import MemoryJobStore, MemoryStudyStore
from tests.scorer.wake_ups import Sounds
from tests.shared.store.building import MANIFEST, NOW
from tests.shared.store.study_building import evaluate, own, speak_all

MEASURED: Mapping[str, Scored] = {
    "signal/duration_s": Score(0.5, "s", "lock"),
    "mos/nisqa_tts": Unscored(Reason.MODEL_NOT_PULLED),
}
YES = SpeechInput("Yes.", "en")
VOICE = b"\1\0" * 32_000
"""Two seconds at 16 kHz."""


class Host:
    """Answers as a metric host does, after ``meanwhile`` has happened."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.locks: Mapping[str, str] = {}
        self._meanwhile = meanwhile

    def measure_all(self, audio: Audio, **known: Any) -> tuple[Mapping[str, Scored], str]:
        self.asked.append({"audio": audio, **known})
        self._meanwhile()
        return MEASURED, "scorers"

    def names(self, asked: object) -> list[str]:
        return list(MEASURED)


@pytest.fixture
def store() -> MemoryJobStore:
    return MemoryJobStore()


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path)


@pytest.fixture
def recordings(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path / "recordings")


def deps_of(
    store: MemoryJobStore, blobs: FolderBlobs, host: Host, sounds: Sounds, recordings: FolderBlobs | None = None
) -> ScoringDeps:
    slots: Slots[Any] = Slots([host])
    return ScoringDeps(slots, store, blobs, recordings or blobs, sounds, sounds, "here", clock=lambda: 1000.0)


def spoken(store: MemoryJobStore, sha256: str, said: SpeechInput = YES) -> str:
    """A job whose audio is there."""
    new = NewJob("job_1", "ann", "p", "e", "l", {}, said, {}, {}, 0, 990.0, 9999.0, 60.0, estimated_s=1.0)
    manifest = Manifest("p", "e", "1", "l", 8000, ("en",), "en", (), {}, ())
    store.publish("w", [manifest], 990.0)
    store.add([Submission([new])])
    (job,) = store.claim("w", ["p"], [], 15.0, 995.0)
    store.begin(job.id, job.attempt)
    result = Result(Spoken(sha256, 0.5, 8000, 1, ()), {"queue_s": 0.1}, "env")
    assert store.finish(job.id, job.attempt, result, 996.0)
    return job.id


def job_of(store: MemoryJobStore, job_id: str) -> Job:
    return store.get([job_id])[job_id]


def test_scores_and_the_reasons_for_their_absence_are_recorded(store: MemoryJobStore, blobs: FolderBlobs) -> None:
    job_id = spoken(store, blobs.put(silence(0.5, 8000)))
    score_clips.run(deps_of(store, blobs, Host(), Sounds()))
    job = job_of(store, job_id)
    assert (job.scoring.status, job.scores, job.scorers_lock) == (FacetStatus.DONE, MEASURED, "scorers")
    assert job.timings["queue_s"] == 0.1
    assert "score_s" in job.timings


def test_a_clip_that_no_study_waits_for_wakes_no_analysis(store: MemoryJobStore, blobs: FolderBlobs) -> None:
    sounds = Sounds()
    spoken(store, blobs.put(silence(0.5, 8000)))
    score_clips.run(replace(deps_of(store, blobs, Host(), sounds), studies=MemoryStudyStore(store)))
    assert sounds.heard == ["scorer", "job_1 scored", "tracker"]


def test_the_last_clip_of_an_evaluation_wakes_analysis(store: MemoryJobStore, blobs: FolderBlobs) -> None:
    sounds = Sounds()
    store.publish("worker", [MANIFEST], NOW)
    evaluate(store, own(1), own(2))
    speak_all(store)
    deps = replace(deps_of(store, blobs, Host(), sounds), studies=MemoryStudyStore(store), clock=lambda: NOW)
    score_clips.run(deps)
    assert [sound.split()[-1] for sound in sounds.heard if sound != "scorer"] == [
        *("scored", "tracker"),
        *("scored", "tracker", "judge"),
    ]


def test_a_clip_whose_host_was_given_up_is_another_scorers_at_once(store: MemoryJobStore, blobs: FolderBlobs) -> None:
    def given_up() -> None:
        raise MeasuringAbandoned("this scorer stops")

    job_id = spoken(store, blobs.put(silence(0.5, 8000)))
    deps = deps_of(store, blobs, Host(given_up), Sounds())
    (claimed,) = store.claim_facet(FacetName.SCORING, "here", 30.0, 1000.0)
    score_clips.score(deps, Host(given_up), claimed)  # type: ignore[arg-type]
    assert job_of(store, job_id).scoring.status is FacetStatus.PENDING
    assert job_of(store, job_id).scores == {}
    score_clips.run(deps_of(store, blobs, Host(), Sounds()))
    assert job_of(store, job_id).scores == MEASURED


def test_the_host_is_told_what_is_known_of_the_clip(store: MemoryJobStore, blobs: FolderBlobs) -> None:
    host = Host()
    spoken(store, blobs.put(silence(0.5, 8000)))
    score_clips.run(deps_of(store, blobs, host, Sounds()))
    (asked,) = host.asked
    assert asked["audio"] == Audio(silence(0.5, 8000), 8000)
    assert (asked["text"], asked["language"], asked["families"]) == ("Yes.", "en", True)
    assert asked["emotion"] is None
    assert asked["pronunciation"] is None
    assert asked["cost"]["queue_s"] == 0.1


def test_a_clip_is_compared_with_its_text_as_it_was_written(store: MemoryJobStore, blobs: FolderBlobs) -> None:
    host = Host()
    said = replace(YES, text="ring true", written="Ringtrue", lexicon=LexiconUsed("ours", "3", "a" * 64))
    spoken(store, blobs.put(silence(0.5, 8000)), said)
    score_clips.run(deps_of(store, blobs, host, Sounds()))
    assert [asked["text"] for asked in host.asked] == ["Ringtrue"]


@pytest.mark.parametrize(
    ("emotion", "told"),
    [
        (Emotion("angry", strength=0.3), "angry"),
        (Emotion("indextts2:calm"), "indextts2:calm"),
        (Emotion(text="as if it rained"), None),
    ],
    ids=["canonical", "the engine's own", "no name"],
)
def test_the_host_is_told_the_name_of_the_emotion_that_was_asked_for(
    emotion: Emotion, told: str | None, store: MemoryJobStore, blobs: FolderBlobs
) -> None:
    host = Host()
    spoken(store, blobs.put(silence(0.5, 8000)), SpeechInput("Yes.", "en", emotion=emotion))
    score_clips.run(deps_of(store, blobs, host, Sounds()))
    assert host.asked[0]["emotion"] == told


def test_the_host_is_told_how_a_part_of_the_text_is_pronounced(store: MemoryJobStore, blobs: FolderBlobs) -> None:
    host, judged = Host(), Pronunciation("Yes", ("yess",), ("eyes",))
    spoken(store, blobs.put(silence(0.5, 8000)), SpeechInput("Yes.", "en", pronunciation=judged))
    score_clips.run(deps_of(store, blobs, host, Sounds()))
    assert host.asked[0]["pronunciation"] == judged


def test_the_host_is_given_the_reference_voice_as_it_was_recorded(
    store: MemoryJobStore, blobs: FolderBlobs, recordings: FolderBlobs
) -> None:
    host = Host()
    recording = Recording(recordings.put(VOICE), 16_000, 2.0)
    other = Recording("e" * 64, 8000, 1.0)
    said = SpeechInput("Yes.", "en", reference="voice_1", recordings={"voice_0": other, "voice_1": recording})
    spoken(store, blobs.put(silence(0.5, 8000)), said)
    score_clips.run(deps_of(store, blobs, host, Sounds(), recordings))
    assert host.asked[0]["reference"] == Audio(VOICE, 16_000)


@pytest.mark.parametrize(
    "said",
    [
        YES,
        SpeechInput("Yes.", "en", reference="voice_1", recordings={"voice_1": Recording("e" * 64, 16_000, 2.0)}),
    ],
    ids=["none named", "taken back"],
)
def test_without_a_reference_voice_the_clip_is_measured_all_the_same(
    said: SpeechInput, store: MemoryJobStore, blobs: FolderBlobs, recordings: FolderBlobs
) -> None:
    host = Host()
    job_id = spoken(store, blobs.put(silence(0.5, 8000)), said)
    score_clips.run(deps_of(store, blobs, host, Sounds(), recordings))
    assert host.asked[0]["reference"] is None
    assert job_of(store, job_id).scoring.status is FacetStatus.DONE


def test_the_tracker_is_told_once_scores_are_there(store: MemoryJobStore, blobs: FolderBlobs) -> None:
    sounds = Sounds()
    job_id = spoken(store, blobs.put(silence(0.5, 8000)))
    score_clips.run(deps_of(store, blobs, Host(), sounds))
    assert sounds.heard[-3:] == [f"{job_id} scored", "tracker", "judge"]


def test_by_what_is_scored_is_published_once_and_again_when_more_is_loaded(
    store: MemoryJobStore, blobs: FolderBlobs
) -> None:
    class Counts(MemoryStudyStore):
        times = 0

        def publish_scorers(self, locks: Mapping[str, str], now: float) -> None:
            self.times += 1
            super().publish_scorers(locks, now)

    host, studies = Host(), Counts(store)
    deps = deps_of(store, blobs, host, Sounds())
    deps.studies = studies
    for loaded in ({"signal/duration_s": "lock"}, {"signal/duration_s": "lock"}, {"mos/utmos": "other"}):
        host.locks = {**host.locks, **loaded}
        deps.publish(host.locks)
    assert studies.times == 2
    assert studies.scorer_locks() == {"signal/duration_s": "lock", "mos/utmos": "other"}


def test_a_family_that_a_clip_has_loaded_is_published(store: MemoryJobStore, blobs: FolderBlobs) -> None:
    host, studies = Host(), MemoryStudyStore(store)
    host.locks = {"signal/duration_s": "lock"}
    deps = deps_of(store, blobs, host, Sounds())
    deps.studies = studies
    spoken(store, blobs.put(silence(0.5, 8000)))
    score_clips.run(deps)
    assert studies.scorer_locks() == host.locks


def test_audio_that_is_gone_is_said_and_does_not_come_back_for_ever(store: MemoryJobStore, blobs: FolderBlobs) -> None:
    job_id = spoken(store, "0" * 64)
    score_clips.run(deps_of(store, blobs, Host(), Sounds()))
    job = job_of(store, job_id)
    assert job.scoring.status is FacetStatus.DONE
    assert {value.reason for value in job.scores.values() if isinstance(value, Unscored)} == {Reason.SCORER_ERROR}


def test_scores_of_a_lease_that_ran_out_are_dropped(store: MemoryJobStore, blobs: FolderBlobs) -> None:
    def somebody_else_takes_it() -> None:
        store.sweep(2000.0, tracking_budget_s=1e9, idempotency_s=1e9)
        store.claim_facet(FacetName.SCORING, "elsewhere", 1e9, 2000.0)

    sounds = Sounds()
    job_id = spoken(store, blobs.put(silence(0.5, 8000)))
    score_clips.run(deps_of(store, blobs, Host(somebody_else_takes_it), sounds))
    assert job_of(store, job_id).scoring.status is FacetStatus.RUNNING
    assert f"{job_id} scored" not in sounds.heard


def test_a_long_measurement_keeps_its_lease(store: MemoryJobStore, blobs: FolderBlobs) -> None:
    now, beaten = 1000.0, threading.Event()

    class Watched(MemoryJobStore):
        def beat_facet(self, *arguments: Any, **named: Any) -> bool:
            beaten.set()
            return super().beat_facet(*arguments, **named)

    watched = Watched()
    spoken(watched, blobs.put(silence(0.5, 8000)))
    deps = deps_of(watched, blobs, Host(lambda: assert_set(beaten)), Sounds())
    deps.lease_s = 0.05
    deps.clock = lambda: now
    score_clips.run(deps)
    assert beaten.is_set()


def assert_set(event: threading.Event) -> None:
    assert event.wait(5)
