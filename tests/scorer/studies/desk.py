"""A store in which evaluations are asked for, spoken, scored and logged, each step through the store's own methods."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from services.scorer.studies import compute_studies
from services.scorer.studies.compute_studies import ComputeDeps
from services.scorer.tracking import track_clips, track_studies
from services.scorer.tracking.parent_runs import ParentRuns
from services.scorer.tracking.runs import StudyTracker
from services.scorer.tracking.track_clips import ClipTrackingDeps
from services.scorer.tracking.track_studies import StudyTrackingDeps
from shared.audio import Audio, silence
from shared.blobs.folder import FolderBlobs
from shared.catalog import Manifest, Support
from shared.errors import FailureCode
from shared.jobs import FacetStatus, Job, JobError, JobIds, NewJob, SpeechInput, Spoken
from shared.ports import FacetName, Result, Submission
from shared.scheduling.slots import Slots
from shared.scores import Reason, Score, Scored, Unscored
from shared.studies import Kind, NewStudy, Study, StudyClip, StudyFilter, StudyIds
from shared.suites.suite import Item, Suite
from tests.memory_store import MemoryJobStore, MemoryStudyStore
from tests.scorer.wake_ups import Sounds

NOW = 1_750_000_000.0
RATE = 8000
ENVIRONMENT = {"architecture": "x86_64", "gpu": None, "cuda": None, "precision": "float32", "commit": "c" * 40}
MOS, WER, RTF = "mos/dnsmos_ovrl", "asr/wer", "cost/rtf"
PINS = {"tts-v1": "1" * 64, "tts-v2": "2" * 64}

Measure = Callable[[str, int], Mapping[str, Scored] | None]
"""(item, seed) -> what is scored; None is a job that fails."""


def suite_of(items: int = 3) -> Suite:
    made = tuple(
        Item(f"item-{n}", f"Sentence number {n}.", "en", emotion=("happy", "sad")[n % 2], tags=("short",))
        for n in range(items)
    )
    return Suite("little", "1", "A little suite", "CC0-1.0", made)


def scored(item: str, seed: int, *, better: float = 0.0) -> Mapping[str, Scored]:
    number = int(item.partition("-")[2])
    return {
        MOS: Score(3.0 + number / 16 + seed / 64 + better, "MOS", "d" * 64),
        WER: Unscored(Reason.LANGUAGE_NOT_COVERED) if number == 1 else Score(number / 8, "1", "e" * 64),
        RTF: Score(0.25, "1", "c" * 64),
    }


def _asked(pin: str, suite: Suite) -> dict[str, Any]:
    return {
        "suite": suite.to_json(),
        "pin": pin,
        "alias": None,
        "engine": "tts",
        "lock_sha256": PINS[pin],
        "score": ["dnsmos", "asr", "cost"],
        "params": {"speed": 1.25, "options": {"gap ms": 10}},
        "preprocessing": "none",
    }


class NoPictures:
    def draw(self, audio: Audio, *, title: str, pieces: Sequence[Any] = ()) -> bytes | None:
        return None


@dataclass
class Desk:
    """Ann asks for studies, and a worker and scorers do their part when they are told to."""

    folder: Path
    store: MemoryJobStore = field(default_factory=MemoryJobStore)
    now: float = NOW

    def __post_init__(self) -> None:
        self.studies = MemoryStudyStore(self.store)
        self.blobs = FolderBlobs(self.folder)
        self.sounds = Sounds()
        self._ids = {kind: StudyIds(kind) for kind in Kind}
        self._job_ids = JobIds()
        self._levels = itertools.count(1)
        manifests = [
            Manifest(pin, "tts", "1", lock, RATE, ("en",), "en", (), {"seed": Support.NATIVE}, (), licence="CC0-1.0")
            for pin, lock in PINS.items()
        ]
        self.store.publish("worker", manifests, self.now)
        self.store.record_environment("here", ENVIRONMENT)

    # -- what is asked for -------------------------------------------------------------------------------------
    def evaluation(
        self,
        pin: str = "tts-v1",
        items: int = 3,
        seeds: Sequence[int] = (0,),
        cached: Sequence[StudyClip] = (),
        **asked: Any,
    ) -> str:
        """``cached``: clips of another evaluation that are taken as they are."""
        suite = suite_of(items)
        taken = {(clip.item, clip.seed): replace(clip, cached=True) for clip in cached}
        places = [(item.id, seed) for item in suite.items for seed in seeds]
        clips = tuple(taken.get(place) or StudyClip(*place, self._job_ids.next(), "") for place in places)
        new = NewStudy(
            id=self._ids[Kind.EVALUATION].next(),
            user="ann",
            kind=Kind.EVALUATION,
            asked={**_asked(pin, suite), "seeds": list(seeds), **asked},
            stands_on=(),
            created_at=self.now,
            pin=pin,
            lock_sha256=PINS[pin],
            suite=suite.name,
            suite_sha256=suite.sha256,
            clips=clips,
        )
        jobs = [self._job(clip, pin, suite) for clip in clips if not clip.cached]
        assert self.store.add([Submission(jobs, None, new)]) == [True]
        return new.id

    def comparison(self, baseline: str, candidate: str, allow: Sequence[str] = ()) -> str:
        asked = {"baseline": baseline, "candidate": candidate, "allow": list(allow)}
        return self._study(Kind.COMPARISON, asked, (baseline, candidate))

    def gate(self, comparison: str, rules: Mapping[str, Any]) -> str:
        return self._study(Kind.GATE, {"comparison": comparison, "rules": rules}, (comparison,))

    def _study(self, kind: Kind, asked: Mapping[str, Any], stands_on: tuple[str, ...]) -> str:
        new = NewStudy(self._ids[kind].next(), "ann", kind, asked, stands_on, self.now)
        assert self.store.add([Submission([], None, new)]) == [True]
        return new.id

    def _job(self, clip: StudyClip, pin: str, suite: Suite) -> NewJob:
        item = next(item for item in suite.items if item.id == clip.item)
        said = SpeechInput(item.text, item.language, seed=clip.seed, score=("dnsmos", "asr", "cost"))
        asked, expires = {"text": item.text}, self.now + 86_400
        return NewJob(
            clip.job_id, "ann", pin, "tts", PINS[pin], asked, said, {}, {}, 0, self.now, expires, 60.0, estimated_s=1.0
        )

    # -- what is done ------------------------------------------------------------------------------------------
    def speak(self, measure: Measure = scored, environment: str = "here") -> None:
        """Every queued job is spoken and scored, or fails."""
        evaluations = self.studies.find(StudyFilter("ann", Kind.EVALUATION, limit=100))
        places = {clip.job_id: (clip.item, clip.seed) for study in evaluations for clip in self.clips(study.id)}
        measured: dict[str, Mapping[str, Scored]] = {}
        for job in self._claimed():
            found = measure(*places[job.id])
            if found is None:
                error = JobError(FailureCode.ENGINE_ERROR, "it broke")
                assert self.store.fail(job.id, job.attempt, error, self.now, final=True)
                continue
            measured[job.id] = found
            pcm = self.blobs.put(silence(0.5, RATE)[:-2] + next(self._levels).to_bytes(2, "little"))
            audio = Spoken(pcm, 0.5, RATE, 1, ())
            assert self.store.finish(job.id, job.attempt, Result(audio, {"rtf": 0.25}, environment), self.now)
        for job in self.store.claim_facet(FacetName.SCORING, "scorer", 60, self.now, limit=1000):
            assert self.store.finish_scoring(job.id, job.scoring.attempt, measured[job.id], "f" * 64, 0.5)

    def _claimed(self) -> list[Job]:
        found = []
        while some := self.store.claim("worker", [*PINS], [], 60, self.now, dict.fromkeys(PINS, 100)):
            for job in some:
                assert self.store.begin(job.id, job.attempt)
            found += some
        return found

    def log_jobs(self, tracker: StudyTracker, parents: ParentRuns | None = None, in_flight: int = 4) -> int:
        """Every job that is due is logged, below the run of its evaluation; how many were recorded."""
        deps = ClipTrackingDeps(
            trackers=Slots([tracker]),
            store=self.store,
            blobs=self.blobs,
            pictures=NoPictures(),
            holder="scorer",
            clock=lambda: self.now,
            in_flight=in_flight,
            announcer=self.sounds,
            wake_ups=self.sounds,
            studies=self.studies,
            parents=parents or ParentRuns(self.studies, tracker),
        )
        return track_clips.log_due(deps, tracker)

    def compute(self, analyzer: Any = None, tracker: StudyTracker | None = None) -> None:
        """Every study that is due is computed, and logged where there is a ``tracker``."""
        compute_studies.run(self.computing(analyzer))
        if tracker is not None:
            track_studies.run(self.logging(tracker))

    def computing(self, analyzer: Any = None) -> ComputeDeps:
        return ComputeDeps(
            analyzers=Slots([analyzer or NoAnalyzer()]),
            pin_lock=lambda pin, lock_sha256: {"name": pin, "lock_sha256": lock_sha256},
            **self._deps(),
        )

    def logging(self, tracker: StudyTracker) -> StudyTrackingDeps:
        return StudyTrackingDeps(trackers=Slots([tracker]), parents=ParentRuns(self.studies, tracker), **self._deps())

    def _deps(self) -> dict[str, Any]:
        return {
            "studies": self.studies,
            "store": self.store,
            "blobs": self.blobs,
            "wake_ups": self.sounds,
            "announcer": self.sounds,
            "holder": "scorer",
            "clock": lambda: self.now,
        }

    # -- what is there -----------------------------------------------------------------------------------------
    def study(self, id_: str) -> Study:
        return self.studies.get([id_])[id_]

    def outcome(self, id_: str) -> Mapping[str, Any]:
        outcome = self.study(id_).outcome
        assert outcome is not None
        return outcome

    def file(self, id_: str, path: str) -> bytes:
        return self.blobs.get(self.outcome(id_)["files"][path])

    def clips(self, id_: str) -> list[StudyClip]:
        return self.studies.clips(id_)

    def jobs(self, id_: str) -> list[Job]:
        found = self.store.get([clip.job_id for clip in self.clips(id_)])
        return [found[clip.job_id] for clip in self.clips(id_)]


def two_evaluations(desk: Desk, seeds: tuple[int, ...] = (0,)) -> tuple[str, str]:
    """Spoken and scored, the second a little better; their results are not computed yet."""
    baseline = desk.evaluation("tts-v1", seeds=seeds)
    desk.speak()
    candidate = desk.evaluation("tts-v2", seeds=seeds)
    desk.speak(partial(scored, better=0.5))
    return baseline, candidate


class NoAnalyzer:
    """For evaluations, which need none."""

    def close(self) -> None: ...


def logged(desk: Desk, tracker: StudyTracker, id_: str) -> str:
    """An evaluation with its clips taken all the way; the id of its run."""
    desk.speak()
    desk.log_jobs(tracker)
    desk.compute(tracker=tracker)
    run_id = desk.study(id_).run_id
    assert run_id is not None
    assert desk.study(id_).tracking.status is FacetStatus.DONE
    return run_id
