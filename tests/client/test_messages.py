"""What the command says: in its own words, once, and with what to do."""

from __future__ import annotations

import logging
import socket
import subprocess
from collections.abc import Iterator

import pytest

from ringtrue.commands.refusals import in_our_words, place_in_words, told
from ringtrue.console.terminal import ProgressLine
from ringtrue.errors import APIError, ConnectionFailed, InvalidRequest
from tests.client.fake_gateway import PIN, FakeGateway, problem, refusal
from tests.client.fake_studies import StudyGateway
from tests.client.test_command import COMMAND, SAY, Run, environment, run

__all__ = ["run"]  # the fixture


@pytest.fixture
def studies() -> Iterator[StudyGateway]:
    fake = StudyGateway()
    fake.start()
    yield fake
    fake.stop()


def test_a_gateway_that_is_not_there_is_said_once_and_where_to_look() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        ran = subprocess.run(
            [*COMMAND, *SAY], check=False, capture_output=True, text=True, env=environment(url), timeout=60
        )
    first, *error = ran.stderr.splitlines()
    assert ran.returncode == 69
    assert first.startswith(f"{url}/ does not answer: ")
    assert "; trying again in " in first
    assert error == [
        f"error: {url}/ does not answer: [Errno 111] Connection refused",
        "  is `ringtrue up` running? To use another gateway, set --url or RINGTRUE_URL",
    ]


def test_a_gateway_elsewhere_is_not_looked_for_here() -> None:
    env = environment("http://gateway.invalid")
    command = [*COMMAND, "pins"]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, env=env, timeout=60)
    assert ran.returncode == 69
    assert ran.stderr.splitlines()[-1] == "  is this the URL of the gateway? It is set by --url or RINGTRUE_URL"


def test_other_reasons_are_said_when_they_come(gateway: FakeGateway, run: Run) -> None:
    away, busy = (refusal(problem(503, code, code), {"Retry-After": "0"}) for code in ("away", "busy"))
    gateway.fault("GET /v1/pins", away, away, busy)
    told = run("pins").stderr.decode().splitlines()
    assert [line.partition(":")[0] for line in told] == ["away", "busy"]


def test_a_pin_that_is_unknown_is_told_in_the_commands_words(gateway: FakeGateway, run: Run) -> None:
    detail = "no worker has published a pin espeak-v9; known: espeak-v2; see GET /v1/pins"
    gateway.fault("POST /v1/jobs", refusal(problem(404, "pin_unknown", detail)))
    ran = run("say", "a", "--pin", "espeak-v9")
    assert ran.stderr.decode().splitlines()[0] == (
        "error: pin_unknown: no worker has published a pin espeak-v9; known: espeak-v2; see `ringtrue pins`"
    )


@pytest.mark.parametrize(
    ("pointer", "words"),
    [
        ("", "the request"),
        ("/", "the request"),
        ("/text", "the text"),
        ("/input/text", "the text"),
        ("/pitch_scale", "the pitch_scale"),
        ("/emotion/strength", "the strength of the emotion"),
        ("/emotion/vector/0", "vector 1 of the emotion"),
        ("/jobs/0/text", "the text of job 1"),
        ("/options/gap", "the option gap"),
        ("/metadata/a~1b", "the metadata a/b"),
        ("/params/speed", "the parameter speed"),
        ("/input", "the input"),
    ],
)
def test_places_in_a_request_are_words(pointer: str, words: str) -> None:
    assert place_in_words(pointer) == words


def test_one_fault_is_told_once_and_in_words() -> None:
    """The gateway's detail is the pointer and what is wrong there, which is also the only one of its errors."""
    errors = [{"pointer": "/emotion", "detail": "espeak-v2 knows happy, not hapy"}]
    detail = "/emotion: espeak-v2 knows happy, not hapy"
    refused = InvalidRequest(400, problem(400, "emotion_unsupported", detail, errors=errors))
    first, *others = told(refused).splitlines()
    assert first == "error: emotion_unsupported: the emotion: espeak-v2 knows happy, not hapy"
    assert not [line for line in others if "hapy" in line]


@pytest.mark.parametrize("code", ["key_missing", "key_invalid", "key_expired"])
def test_whoever_lacks_a_good_key_is_told_where_it_is_taken_from(code: str) -> None:
    refused = APIError(401, problem(401, code, "a key is required; send it as Authorization: Bearer rt_…"))
    assert "RINGTRUE_API_KEY" in told(refused)
    assert "RINGTRUE_API_KEY" not in told(APIError(404, problem(404, "job_not_found", "there is no such job")))


def test_whoever_lacks_a_good_key_is_told_the_whole_command_that_makes_one() -> None:
    refused = APIError(401, problem(401, "key_missing", "a key is required"))
    assert "run `ringtrue keys create NAME` on the gateway's machine" in told(refused)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("job_not_found", "`ringtrue jobs` lists your jobs"),
        ("voice_not_found", "`ringtrue voices list` lists your voices"),
        ("evaluation_not_found", "`ringtrue evaluations` lists your evaluations"),
        ("language_unsupported", "`ringtrue pins PIN` lists the languages, voices, controls and options of a pin"),
        ("control_unsupported", "`ringtrue pins PIN` lists the languages, voices, controls and options of a pin"),
    ],
)
def test_whoever_asks_for_what_there_is_not_is_told_what_lists_it(code: str, hint: str) -> None:
    assert told(APIError(404, problem(404, code, "there is none"))).splitlines()[1] == hint


def test_whoever_names_a_wrong_voice_is_told_what_lists_the_voices_of_a_pin() -> None:
    errors = [{"pointer": "/voice", "detail": "espeak-v2 has no voice zork"}]
    refused = InvalidRequest(400, problem(400, "invalid_request", "/voice: espeak-v2 has no voice zork", errors=errors))
    assert told(refused).splitlines()[:2] == [
        "error: invalid_request: the voice: espeak-v2 has no voice zork",
        "`ringtrue pins PIN` lists the languages, voices, controls and options of a pin",
    ]


def test_whoever_asks_this_machine_for_tls_is_told_the_address_without() -> None:
    failed = ConnectionFailed("no answer", transient=True, url="https://127.0.0.1:8000/")
    assert told(failed).splitlines()[1] == "`ringtrue up` speaks HTTP without TLS: use --url http://127.0.0.1:8000"


def test_no_pointer_of_the_gateway_is_shown() -> None:
    errors = [{"pointer": "/input/text", "detail": "too long, see GET /v1/pins"}]
    refused = InvalidRequest(400, problem(400, "invalid_request", "1 field is wrong", errors=errors))
    assert told(refused).splitlines()[1] == "the text: too long, see `ringtrue pins`"
    assert in_our_words("plain") == "plain"


@pytest.mark.parametrize("sides", [("espeak-v1", "unknown"), ("unknown", "espeak-v1"), ("espeak-v2", "unknown")])
@pytest.mark.parametrize("command", ["compare", "gate"])
def test_a_mistyped_pin_lets_the_other_speak_nothing(
    run: Run, studies: StudyGateway, command: str, sides: tuple[str, str]
) -> None:
    studies.pins = [PIN, {**PIN, "name": "espeak-v1"}]
    ran = run(command, *sides, "--suite", "golden", RINGTRUE_URL=studies.url)
    assert ran.returncode == 66
    assert [body["pin"] for body in studies.sent("evaluations")] == ["unknown"]


def test_an_evaluation_that_is_not_there_lets_the_pin_speak_nothing(run: Run, studies: StudyGateway) -> None:
    missing = "eval_" + "0" * 26
    for sides in ((missing, "espeak-v2"), ("espeak-v2", missing)):
        assert run("compare", *sides, "--suite", "golden", RINGTRUE_URL=studies.url).returncode == 66
    assert studies.sent("evaluations") == []


def test_a_log_is_told_now_and_then_and_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    progress: ProgressLine[int] = ProgressLine(str, every_s=3600)
    for seen in ([1, 2, 3, 3], [3], [4, 5, 4]):
        with progress.shown() as watcher:
            for one in seen:
                watcher(one)
    assert capsys.readouterr().err.split() == ["1", "3", "4"]


def test_a_log_that_may_be_told_often_is(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressLine(str, every_s=0).shown() as watcher:
        for one in (1, 1, 2, 3):
            watcher(one)
    assert capsys.readouterr().err.split() == ["1", "2", "3"]
    assert logging.getLogger("ringtrue.client").handlers == []
