"""A server that is none of ours, is busy, or does not keep its word: said as what it is, never taken for a sound."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from services.worker.certify.conditions import REFERENCE, Take
from services.worker.certify.servers import PinNotThere, Server, ServerFailed, ServerRefuses
from shared.audio import Audio, wav_file
from shared.errors import JobFailure
from shared.suites.suite import Item
from tests.worker.certify.answering import Answer, answering

AUDIO = Audio(bytes(range(200)), 16_000)
PIN = {
    "name": "voice-v1", "object": "pin", "engine": "voice", "engine_version": "1", "lock_sha256": "0" * 64,
    "sample_rate": 16_000, "languages": ["en"], "default_language": "en", "voices": [], "controls": {}, "emotions": [],
    "options_schema": {}, "max_batch": 1, "max_piece_chars": 400, "licence": "", "description": "", "state": "ready",
    "live": True, "aliases": [],
}  # fmt: skip
JOB: dict[str, Any] = {
    "id": "job_1",
    "status": "succeeded",
    "error": None,
    "input": {"text": "Hello.", "language": "en", "score": False},
    "audio": {"pcm_sha256": AUDIO.sha256},
    "timings": {"speak_s": 0.25, "peak_rss_mb": 50.0},
}
ITEM = Item("hello", "Hello.", "en")


def said(document: object, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()


class Gateway:
    """Answers by path, each as often as it has answers; the last one stands."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {
            "/v1/pins": [said({"data": [PIN]})],
            "/v1/jobs": [said(JOB, 202)],
            "/v1/jobs/job_1": [said(JOB)],
            "/v1/jobs/job_1/audio": [(200, {"Content-Type": "audio/wav"}, wav_file(AUDIO, {}))],
        }
        self.asked: list[tuple[str, Any]] = []

    def answer(self, path: str, body: bytes) -> Answer:
        self.asked.append((path, json.loads(body) if body else None))
        answers = self.answers.get(path, [said({}, 404)])
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def server(gateway: Gateway) -> Iterator[Server]:
    with answering(gateway.answer) as url, Server(f"{url}/", None, lambda *_: None) as server:
        yield server


def spoken(server: Server) -> Take | JobFailure:
    runs, _ = server.run("voice-v1", [ITEM], 3, repeats=1)
    return runs.heard[REFERENCE]["hello"][0]


def test_what_is_asked_is_the_item_and_the_seed_and_no_scores(server: Server, gateway: Gateway) -> None:
    heard = spoken(server)
    assert isinstance(heard, Take)
    assert (heard.audio, heard.took_s, heard.peak.rss_mb) == (AUDIO, 0.25, 50.0)
    body = next(body for path, body in gateway.asked if path == "/v1/jobs")
    asked = {name: body[name] for name in ("pin", "text", "language", "seed", "score")}
    assert asked == {"pin": "voice-v1", "text": "Hello.", "language": "en", "seed": 3, "score": False}


def test_a_job_that_is_not_done_yet_is_waited_for_and_a_busy_server_asked_again(
    server: Server, gateway: Gateway
) -> None:
    gateway.answers["/v1/jobs"].insert(0, (429, {"Retry-After": "0"}, b""))
    gateway.answers["/v1/jobs/job_1"].insert(0, said({**JOB, "status": "processing", "audio": None}))
    assert isinstance(spoken(server), Take)


def test_a_job_that_fails_is_a_failure_of_its_item(server: Server, gateway: Gateway) -> None:
    error = {"code": "engine_crashed", "message": "gone"}
    gateway.answers["/v1/jobs/job_1"] = [said({**JOB, "status": "failed", "audio": None, "error": error})]
    failure = spoken(server)
    assert isinstance(failure, JobFailure)
    assert (failure.code.value, failure.message) == ("engine_crashed", "gone")


def test_a_refused_job_is_a_failure_of_its_item(server: Server, gateway: Gateway) -> None:
    gateway.answers["/v1/jobs"] = [said({"code": "language_unsupported", "detail": "not this"}, 400)]
    failure = spoken(server)
    assert isinstance(failure, JobFailure)
    assert failure.message == "refused: not this"


BROKEN: Mapping[str, tuple[str, Answer]] = {
    "other samples than it says": (
        "/v1/jobs/job_1",
        said({**JOB, "audio": {"pcm_sha256": hashlib.sha256(b"").hexdigest()}}),
    ),
    "no WAV": ("/v1/jobs/job_1/audio", (200, {}, b"<html>")),
    "a rate at which nothing is heard": (
        "/v1/jobs/job_1/audio",
        (200, {}, wav_file(replace(AUDIO, sample_rate=1), {})),
    ),
    "nobody behind it": ("/v1/jobs", (503, {}, b"")),
    "a job without members": ("/v1/jobs/job_1", said({"status": "succeeded"})),
    "a failure that there is not": (
        "/v1/jobs/job_1",
        said({**JOB, "status": "failed", "audio": None, "error": {"code": "bad_luck", "message": ""}}),
    ),
    "no JSON": ("/v1/jobs", (202, {}, b"<html>")),
    "a list": ("/v1/jobs", said([], 202)),
    "a fault": ("/v1/jobs", said({}, 500)),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_server_that_answers_what_it_should_not_has_failed(server: Server, gateway: Gateway, what: str) -> None:
    path, answer = BROKEN[what]
    gateway.answers[path] = [answer]
    with pytest.raises(ServerFailed):
        spoken(server)


def test_a_silent_server_has_failed_before_its_samples_are_looked_at(server: Server, gateway: Gateway) -> None:
    nothing = Audio(b"", 16_000)
    gateway.answers["/v1/jobs/job_1"] = [said({**JOB, "audio": {"pcm_sha256": nothing.sha256}})]
    gateway.answers["/v1/jobs/job_1/audio"] = [(200, {}, wav_file(nothing, {}))]
    with pytest.raises(ServerFailed, match="not send a valid WAV"):
        spoken(server)


def test_what_is_no_address_is_said_to_be_none() -> None:
    with pytest.raises(ServerFailed, match="is not a URL"):
        Server("http://host:port", None, lambda *_: None)


def test_a_server_on_this_machine_is_not_looked_for_behind_the_proxy(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with Server(server.url, None, lambda *_: None) as near:
        assert near.manifest("voice-v1").pin == "voice-v1"


@pytest.mark.parametrize("status", [401, 403])
def test_a_server_that_wants_another_key_says_so(server: Server, gateway: Gateway, status: int) -> None:
    gateway.answers["/v1/jobs"] = [said({}, status)]
    with pytest.raises(ServerRefuses, match="RINGTRUE_API_KEY"):
        spoken(server)


def test_the_manifest_is_that_of_the_pin(server: Server) -> None:
    assert replace(server.manifest("voice-v1"), languages=()).pin == "voice-v1"
    with pytest.raises(PinNotThere):
        server.manifest("voice-v2")


@pytest.mark.parametrize("document", [{}, [], {"data": [{"name": "voice-v1"}]}, {"data": ["voice-v1"]}])
def test_a_list_of_pins_that_is_none_is_no_gateways(server: Server, gateway: Gateway, document: object) -> None:
    gateway.answers["/v1/pins"] = [said(document)]
    with pytest.raises(ServerFailed):
        server.manifest("voice-v1")
