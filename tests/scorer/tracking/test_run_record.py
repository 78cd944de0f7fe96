"""What a job becomes in the tracking server: the names of the contract, and the same record every time."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from services.scorer.tracking.run_record import SuiteItem, feeling, picture_title, run_record
from services.scorer.tracking.runs import RunStatus, TrackerLimits
from shared.controls import Emotion
from shared.errors import FailureCode
from shared.jobs import JobError, Status
from shared.readings.lexicons import LexiconUsed
from shared.readings.pronunciation import Pronunciation
from shared.scores import Reason, Score, Unscored
from shared.voices import Recording
from tests.scorer.tracking.tracked_jobs import (
    ENVIRONMENT,
    ENVIRONMENT_ID,
    HAPPY,
    MANIFEST,
    SCORES,
    TIMINGS,
    ended_job,
    finished_job,
    spoken,
)


def test_a_run_has_the_params_of_the_contract() -> None:
    record = run_record(finished_job(replace(HAPPY, options={"gap_ms": 10})), ENVIRONMENT, MANIFEST)
    assert record.params == {
        "model_version": "espeak-v2",
        "engine": "espeak",
        "input_text": "今天的阳光真灿烂!",
        "language": "zh",
        "voice": "cmn+f2",
        "emotion": "happy",
        "emotion_strength": "0.8",
        "pitch_scale": "1.0",
        "speed": "1.0",
        "seed": "42",
        "sample_rate": "22050",
        "text_preprocessing": "nfc",
        "options.gap_ms": "10",
    }


def test_a_run_says_how_its_text_is_pronounced() -> None:
    judged = Pronunciation("重庆", ("崇庆",), ("众庆",))
    record = run_record(finished_job(replace(HAPPY, pronunciation=judged)), ENVIRONMENT, MANIFEST)
    assert record.params["pronunciation"] == '{"right": ["崇庆"], "target": "重庆", "wrong": ["众庆"]}'


def test_a_run_has_every_score_and_cost_as_a_metric() -> None:
    assert run_record(finished_job()).metrics == {
        "mos/nisqa_tts": 3.97,
        "mos/dnsmos_ovrl": 3.1,
        "semantic/similarity": 0.91,
        "cost/queue_s": 0.02,
        "cost/speak_s": 0.31,
        "cost/rtf": 0.08,
        "cost/peak_rss_mb": 120.0,
        "predicted_MOS": 3.97,
        "semantic_similarity": 0.91,
    }


def test_a_run_says_what_was_run_and_where() -> None:
    job = finished_job()
    tags = run_record(job, ENVIRONMENT, MANIFEST).tags
    assert tags["tts.job_id"] == job.id
    assert (tags["tts.pin"], tags["tts.lock_sha256"], tags["tts.pcm_sha256"]) == ("espeak-v2", "a" * 64, "b" * 64)
    assert (tags["tts.model.repo"], tags["tts.model.revision"]) == ("team/espeak", "d" * 40)
    assert (tags["tts.scorers_lock_sha256"], tags["tts.environment"]) == ("f" * 64, ENVIRONMENT_ID)
    assert tags["tts.controls"] == '{"emotion":"native","strength":"native"}'
    assert (tags["mlflow.user"], tags["mlflow.source.type"], tags["mlflow.source.name"]) == ("ann", "JOB", "ringtrue")
    assert tags["mlflow.source.git.commit"] == "c" * 40
    assert "tts.error" not in tags


def test_a_clip_that_was_spoken_in_a_batch_says_with_whom() -> None:
    job = finished_job()
    assert "tts.batch" not in run_record(job).tags
    assert job.audio is not None
    together = job.evolve(audio=replace(job.audio, batch=(job.id, "job_other")))
    assert run_record(together).tags["tts.batch"] == f"{job.id}, job_other"


def test_a_run_lasts_as_long_as_its_job_was_worked_on() -> None:
    record = run_record(finished_job())
    assert (record.start_ms, record.end_ms) == (1_750_000_001_000, 1_750_000_002_000)


def test_an_environment_is_described_whole_beside_its_id() -> None:
    note = run_record(finished_job(), ENVIRONMENT).environment
    assert note is not None
    assert note.id == ENVIRONMENT_ID
    assert json.loads(note.description) == ENVIRONMENT


def test_the_same_job_gives_the_same_record() -> None:
    job = finished_job()
    assert run_record(job, ENVIRONMENT, MANIFEST) == run_record(job, dict(ENVIRONMENT), MANIFEST)


def test_what_was_not_scored_is_a_tag_with_its_reason_and_no_metric() -> None:
    record = run_record(finished_job())
    assert record.tags["tts.unscored"] == "asr/wer: language_not_covered, mos/utmos: model_not_pulled"
    assert not {"asr/wer", "mos/utmos"} & set(record.metrics)


@pytest.mark.parametrize(
    ("missing", "primary"),
    [((), "mos/nisqa_tts"), (("mos/nisqa_tts",), "mos/dnsmos_ovrl")],
)
def test_the_predicted_mos_is_that_of_the_best_predictor_there_is(missing: tuple[str, ...], primary: str) -> None:
    scores = {**SCORES, **dict.fromkeys(missing, Unscored(Reason.MODEL_NOT_PULLED))}
    record = run_record(finished_job(scores=scores))
    score = scores[primary]
    assert isinstance(score, Score)
    assert record.tags["tts.primary_mos"] == primary
    assert record.metrics["predicted_MOS"] == score.value


def test_without_a_predictor_there_is_no_predicted_mos() -> None:
    record = run_record(finished_job(scores={}))
    assert "predicted_MOS" not in record.metrics
    assert "tts.primary_mos" not in record.tags


@pytest.mark.parametrize(
    ("scored", "primary"),
    [(("asr/cer_funasr", "asr/cer_whisper"), "asr/cer_whisper"), (("asr/cer_funasr",), "asr/cer_funasr")],
)
def test_the_character_error_rate_is_that_of_the_first_recogniser_that_gave_one(
    scored: tuple[str, ...], primary: str
) -> None:
    missing = dict.fromkeys(("asr/cer_whisper", "asr/cer_funasr"), Unscored(Reason.MODEL_NOT_PULLED))
    rates = {name: Score(0.01 * len(name), "1", "e" * 64) for name in scored}
    record = run_record(finished_job(scores={**SCORES, **missing, **rates}))
    assert record.tags["tts.primary_asr"] == primary
    assert record.metrics["asr/cer"] == rates[primary].value


def test_without_a_recogniser_that_counts_characters_there_is_no_rate_of_them() -> None:
    record = run_record(finished_job())
    assert "asr/cer" not in record.metrics
    assert "tts.primary_asr" not in record.tags


def test_values_are_cut_at_the_servers_limits() -> None:
    record = run_record(finished_job(replace(HAPPY, text="好" * 10_000)), limits=TrackerLimits(param=500, tag=100))
    assert record.params["input_text"] == "好" * 500
    assert max(map(len, record.tags.values())) == 100


@pytest.mark.parametrize(
    ("status", "error", "ended", "tag"),
    [
        (Status.FAILED, JobError(FailureCode.ENGINE_TIMEOUT, "300 s"), RunStatus.FAILED, "engine_timeout: 300 s"),
        (Status.CANCELED, None, RunStatus.KILLED, "canceled"),
        (Status.EXPIRED, JobError(FailureCode.TTL_EXPIRED, "late"), RunStatus.KILLED, "ttl_expired: late"),
    ],
)
def test_a_job_without_audio_says_how_it_ended(
    status: Status, error: JobError | None, ended: RunStatus, tag: str
) -> None:
    record = run_record(ended_job(status, error))
    assert (record.status, record.tags["tts.error"]) == (ended, tag)
    assert "tts.pcm_sha256" not in record.tags


def test_a_manifest_of_other_bytes_says_nothing_about_this_model() -> None:
    record = run_record(finished_job(), manifest=replace(MANIFEST, lock_sha256="9" * 64))
    assert "tts.model.repo" not in record.tags


def test_what_users_wrote_is_no_markup_in_the_note() -> None:
    job = finished_job(replace(HAPPY, text="# big\n![x](http://example.org/x.png)"))
    lines = run_record(job).tags["mlflow.note.content"].splitlines()
    assert "    # big ![x](http://example.org/x.png)" in lines


def test_an_item_of_a_suite_hangs_below_its_evaluation() -> None:
    record = run_record(finished_job(), suite=SuiteItem("emotions", "5" * 64, "happy-03", "6" * 32))
    assert record.experiment == "ringtrue/emotions"
    assert record.tags["mlflow.parentRunId"] == "6" * 32
    assert (record.tags["tts.suite"], record.tags["tts.suite_sha256"], record.tags["tts.item"]) == (
        "emotions",
        "5" * 64,
        "happy-03",
    )


@pytest.mark.parametrize(
    ("emotion", "word", "params"),
    [
        (None, "plain", {}),
        (Emotion("indextts2:melancholic"), "indextts2-melancholic", {"emotion": "indextts2:melancholic"}),
        (Emotion(vector=(0.0, 0.5)), "vector", {"emotion": "vector", "emotion_reference": "[0.0, 0.5]"}),
        (Emotion(audio="voice_1"), "audio", {"emotion": "audio", "emotion_reference": "voice_1"}),
        (Emotion(text="too late"), "text", {"emotion": "text", "emotion_reference": "too late"}),
    ],
)
def test_every_form_of_emotion_has_a_word_and_says_what_it_was_taken_from(
    emotion: Emotion | None, word: str, params: dict[str, str]
) -> None:
    job = finished_job(replace(HAPPY, emotion=emotion))
    found = {k: v for k, v in run_record(job).params.items() if k in ("emotion", "emotion_reference")}
    assert (feeling(job), found) == (word, params)


def test_the_recordings_a_job_was_spoken_with_are_named_by_hash() -> None:
    recordings = {"voice_1": Recording("1" * 64, 24_000, 5.0), "voice_2": Recording("2" * 64, 44_100, 3.0)}
    said = replace(HAPPY, voice=None, reference="voice_1", emotion=Emotion(audio="voice_2"), recordings=recordings)
    record = run_record(finished_job(said))
    assert (record.params["voice"], record.params["emotion_reference"]) == ("voice_1", "voice_2")
    assert record.tags["tts.reference.pcm_sha256"] == "1" * 64
    assert record.tags["tts.emotion_reference.pcm_sha256"] == "2" * 64


def test_names_of_options_are_made_fit_for_the_server() -> None:
    record = run_record(finished_job(replace(HAPPY, options={"gap ms/é": True, "weights": {"b": 1, "a": 2}})))
    assert record.params["options.gap_ms__"] == "true"
    assert record.params["options.weights"] == '{"a": 2, "b": 1}'


def test_a_text_with_readings_is_shown_as_it_was_written_and_as_it_was_spoken() -> None:
    used = LexiconUsed("ours", "3", "0123456789ab" + "c" * 52)
    record = run_record(finished_job(replace(HAPPY, text="The ring true.", written="The Ringtrue.", lexicon=used)))
    assert (record.params["input_text"], record.params["spoken_text"]) == ("The Ringtrue.", "The ring true.")
    assert record.params["lexicon"] == "ours 3 (0123456789ab)"
    assert "The Ringtrue." in record.name


def test_a_long_text_was_split() -> None:
    record = run_record(finished_job(audio=spoken("b" * 64, pieces=3)))
    assert record.params["text_preprocessing"] == "nfc, split into pieces"


def test_a_picture_is_titled_with_pin_emotion_and_mos() -> None:
    assert picture_title(run_record(finished_job())) == "espeak-v2  ·  happy 0.8  ·  MOS 3.97 (nisqa_tts)"
    assert picture_title(run_record(finished_job(replace(HAPPY, emotion=None), scores={}))) == "espeak-v2  ·  plain"


def test_costs_that_were_not_measured_are_left_out() -> None:
    timings = {name: value for name, value in TIMINGS.items() if name != "rtf"}
    assert "cost/rtf" not in run_record(finished_job(timings=timings)).metrics
