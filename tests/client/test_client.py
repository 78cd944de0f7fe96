"""Both clients against a gateway: what they ask, what they give back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import ringtrue
from ringtrue import (
    AudioCorrupted,
    ComparedTranscript,
    Job,
    JobFailed,
    NotFound,
    Pin,
    RecogniserReading,
    Score,
    Unscored,
    WaitTimedOut,
)
from ringtrue.jobs import score_from_json
from tests.client.fake_gateway import ALIAS, FakeGateway, wav_of

PIN = "espeak-v2"


def test_a_text_is_said_in_one_call(client: Any) -> None:
    clip = client.say("Good morning", pin=PIN, emotion="happy")
    assert (clip.wav, clip.pcm) == wav_of("Good morning")
    assert clip.job.status == "succeeded"


def test_what_was_asked_for_is_what_is_sent_and_nothing_else(client: Any, gateway: FakeGateway) -> None:
    client.submit("你好", pin=PIN, emotion="happy", strength=0.8, seed=7, metadata={"ticket": "A-17"})
    (request,) = gateway.requests("POST /v1/jobs")
    assert request.body == {
        "text": "你好",
        "pin": PIN,
        "emotion": {"name": "happy", "strength": 0.8},
        "seed": 7,
        "metadata": {"ticket": "A-17"},
    }


def test_strength_joins_an_emotion_that_is_no_name(client: Any, gateway: FakeGateway) -> None:
    client.submit("a", pin=PIN, emotion={"text": "as if at sea"}, strength=0.5)
    assert gateway.seen[0].body["emotion"] == {"text": "as if at sea", "strength": 0.5}


def test_strength_without_an_emotion_is_refused_before_anything_is_sent(client: Any, gateway: FakeGateway) -> None:
    with pytest.raises(ValueError, match="no emotion"):
        client.submit("a", pin=PIN, strength=0.5)
    assert gateway.seen == []


def test_a_job_is_read_with_its_facets_and_scores(client: Any) -> None:
    job = client.wait(client.submit("Good morning", pin=PIN), until="tracking")
    assert job.pin.engine == "espeak"
    assert job.audio.sample_rate == 22050
    assert job.scoring.scores == {
        "mos/nisqa": Score(3.97, "MOS", "cd" * 32),
        "semantic/similarity": Score(0.9, "1", "cd" * 32),
        "asr/wer": Unscored("language_not_covered"),
    }
    assert (job.tracking.run_id, job.tracking.url) == ("r1", "http://m/r1")
    assert job.created_at.tzinfo is not None


def test_members_that_a_later_gateway_adds_are_kept_and_do_no_harm(client: Any) -> None:
    job = client.submit("a", pin=PIN)
    assert client.job(job.id).raw["of_tomorrow"] == {"unknown": "member"}


def test_many_texts_go_in_thousands_and_each_gets_its_own_answer(client: Any, gateway: FakeGateway) -> None:
    texts = [""] + [f"sentence {n}" for n in range(1500)]
    outcomes = client.submit_many([{"text": text, "pin": PIN} for text in texts])
    assert [len(request.body["jobs"]) for request in gateway.requests("POST /v1/jobs:batch")] == [1000, 501]
    assert outcomes[0].code == "text_empty"
    assert [one.input["text"] for one in outcomes[1:]] == texts[1:]


def test_many_texts_handed_in_again_under_the_same_key_are_the_same_jobs(client: Any, gateway: FakeGateway) -> None:
    requests = [{"text": f"sentence {n}", "pin": PIN} for n in range(1200)]
    first, second = (client.submit_many(requests, idempotency_key="tuesday") for _ in range(2))
    assert [job.id for job in first] == [job.id for job in second]
    assert len(gateway.jobs) == 1200


def test_a_list_of_jobs_goes_on_over_its_pages(client: Any, gateway: FakeGateway) -> None:
    ids = [client.submit(f"sentence {n}", pin=PIN).id for n in range(5)]
    assert [job.id for job in client.jobs()] == ids[::-1]
    assert len(gateway.requests("GET /v1/jobs")) == 3


def test_a_list_is_filtered_by_the_gateway(client: Any, gateway: FakeGateway) -> None:
    list(client.jobs(status="failed", created_after=datetime(2026, 1, 2, tzinfo=UTC), metadata={"ticket": "A-17"}))
    (request,) = gateway.requests("GET /v1/jobs")
    assert {name: value for name, value in request.query.items() if name != "limit"} == {
        "status": "failed",
        "created_after": "2026-01-02T00:00:00Z",
        "metadata.ticket": "A-17",
    }


@pytest.mark.parametrize(("until", "least_s"), [("status", 0.1), ("scoring", 0.2), ("tracking", 0.3)])
def test_waiting_lasts_until_the_facet_that_was_asked_for(
    client: Any, gateway: FakeGateway, until: str, least_s: float
) -> None:
    gateway.speak_s = gateway.score_s = gateway.track_s = 0.1
    started = time.monotonic()
    job = client.wait(client.submit("a", pin=PIN), until=until)
    assert job.reached(until)
    assert least_s <= time.monotonic() - started < least_s + 3


def test_waiting_holds_one_request_open_while_the_job_is_spoken(client: Any, gateway: FakeGateway) -> None:
    gateway.speak_s = 0.5
    job = client.wait(client.submit("a", pin=PIN), timeout=10)
    assert len(gateway.requests(f"GET /v1/jobs/{job.id}")) == 1


def test_waiting_ends_in_time_and_the_job_goes_on(client: Any, gateway: FakeGateway) -> None:
    job = client.submit("forever", pin=PIN)
    started = time.monotonic()
    with pytest.raises(WaitTimedOut) as timed_out:
        client.wait(job, timeout=0.3)
    assert 0.3 <= time.monotonic() - started < 3
    assert timed_out.value.job.status == "queued"
    assert not gateway.jobs[job.id].canceled


def test_whoever_waits_can_watch(client: Any, gateway: FakeGateway) -> None:
    gateway.score_s = 0.3
    watched: list[Job] = []
    client.wait(client.submit("a", pin=PIN), until="scoring", watcher=watched.append)
    assert watched[0].standing == "scoring running"
    assert watched[-1].scoring.status == "done"


def test_a_wait_for_scores_ends_where_there_is_no_audio(client: Any) -> None:
    assert client.wait(client.submit("crash", pin=PIN), until="scoring", timeout=5).error.code == "engine_crashed"


def test_audio_of_a_failed_job_is_its_failure(client: Any) -> None:
    job = client.submit("crash", pin=PIN)
    with pytest.raises(JobFailed, match="engine_crashed: the engine ended"):
        client.audio(job.id)


def test_audio_is_not_there_before_it_is_spoken(client: Any) -> None:
    with pytest.raises(NotFound) as refused:
        client.audio(client.submit("forever", pin=PIN))
    assert refused.value.code == "audio_not_ready"


def test_audio_is_saved_as_it_came(client: Any, tmp_path: Path) -> None:
    job = client.submit("Good morning", pin=PIN)
    assert client.save(job, tmp_path / "a.wav").read_bytes() == wav_of("Good morning")[0]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        pytest.param(lambda wav: wav[:-1] + b"!", "content-digest", id="a changed sample"),
        pytest.param(lambda wav: wav[:-2], "content-digest", id="a lost end"),
        pytest.param(lambda wav: b"", "content-digest", id="nothing"),
    ],
)
def test_audio_that_was_damaged_on_the_way_is_never_handed_on(
    client: Any, gateway: FakeGateway, tmp_path: Path, damage: Callable[[bytes], bytes], told: str
) -> None:
    gateway.corrupt = damage
    with pytest.raises(AudioCorrupted, match=told):
        client.save(client.submit("a", pin=PIN), tmp_path / "a.wav")
    assert list(tmp_path.iterdir()) == []


def test_canceling_stops_a_job(client: Any) -> None:
    assert client.cancel(client.submit("forever", pin=PIN)).status == "canceled"


def test_pins_are_listed_with_what_they_can_do(client: Any) -> None:
    (pin,) = client.pins()
    assert isinstance(pin, Pin)
    assert (pin.name, pin.live, pin.controls["seed"], pin.aliases) == (PIN, True, "no_effect", (ALIAS,))


def test_a_job_says_which_pin_an_alias_became(client: Any) -> None:
    named, plain = client.submit("a", pin=ALIAS), client.submit("a", pin=PIN)
    assert (named.pin.name, named.pin.alias) == (PIN, ALIAS)
    assert (plain.pin.name, plain.pin.alias) == (PIN, None)


def test_an_id_cannot_lead_to_another_address(client: Any, gateway: FakeGateway) -> None:
    with pytest.raises(NotFound):
        client.job("../pins?x=")
    assert gateway.seen[0].path == "/v1/jobs/..%2Fpins%3Fx%3D"


def test_everything_public_is_exported() -> None:
    assert sorted(ringtrue.__all__) == ringtrue.__all__
    assert {name for name in dir(ringtrue.errors) if name.endswith(("Error", "Failed"))} <= {*ringtrue.__all__}


def test_an_error_rate_has_what_was_heard_and_what_was_compared() -> None:
    compared = {"heard": "Ten keys.", "text_counted": "ten keys", "heard_counted": "ten keys"}
    found = score_from_json({"value": 0.0, "unit": "1", "scorer_lock": "cd" * 32, "transcript": compared})
    assert found == Score(0.0, "1", "cd" * 32, ComparedTranscript("Ten keys.", "ten keys", "ten keys"))
    assert score_from_json({"value": 0.0, "unit": "1", "scorer_lock": "cd" * 32}) == Score(0.0, "1", "cd" * 32)


def test_a_verdict_on_a_pronunciation_has_what_each_recogniser_heard() -> None:
    heard = {"recogniser": "whisper", "reading": "red", "right": True, "margin": 4.5}
    found = score_from_json({"value": 1.0, "unit": "1", "scorer_lock": "cd" * 32, "readings": [heard]})
    assert found == Score(1.0, "1", "cd" * 32, readings=(RecogniserReading("whisper", "red", True, 4.5),))
