"""Both clients when something goes wrong: the type of the error, and what is tried again."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from ringtrue import (
    APIError,
    Conflict,
    ConnectionFailed,
    Forbidden,
    InvalidRequest,
    NotFound,
    RingtrueError,
    ServerError,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
)
from tests.client.fake_gateway import FakeGateway, Fault, problem, refusal

PIN = "espeak-v2"
SOON = {"Retry-After": "0"}


@pytest.mark.parametrize(
    ("status", "code", "family"),
    [
        (400, "control_unsupported", InvalidRequest),
        (401, "key_missing", Unauthorized),
        (403, "forbidden", Forbidden),
        (404, "pin_unknown", NotFound),
        (409, "already_finished", Conflict),
        (413, "body_too_large", InvalidRequest),
        (415, "media_type_unsupported", InvalidRequest),
        (422, "idempotency_mismatch", InvalidRequest),
        (429, "quota_exceeded", TooManyRequests),
        (500, "internal_error", ServerError),
        (503, "backlog_full", Unavailable),
    ],
)
def test_each_family_of_problems_is_a_type_with_its_code(
    gateway: FakeGateway, connect: Callable[..., Any], status: int, code: str, family: type[APIError]
) -> None:
    gateway.fault("POST /v1/jobs", refusal(problem(status, code, "because")))
    with pytest.raises(family) as refused:
        connect(gateway.url, patience_s=0).submit("a", pin=PIN)
    assert type(refused.value) is family
    assert (refused.value.status, refused.value.code, refused.value.request_id) == (status, code, "req_1")
    assert isinstance(refused.value, RingtrueError)


def test_a_problem_names_every_wrong_field(client: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        client.submit("", pin=PIN)
    assert [(wrong.pointer, wrong.detail) for wrong in refused.value.errors] == [("/text", "there is nothing to speak")]


def test_an_error_page_of_a_proxy_is_an_error_without_code(gateway: FakeGateway, connect: Callable[..., Any]) -> None:
    gateway.fault("GET /v1/pins", Fault(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}))
    with pytest.raises(Unavailable) as refused:
        connect(gateway.url, patience_s=0).pins()
    assert refused.value.code is None


@pytest.mark.parametrize("foreign", [{"errors": {"text": ["?"]}}, {"errors": ["?"]}, {"errors": None}, {}, []])
def test_a_problem_of_another_kind_is_an_error_all_the_same(
    gateway: FakeGateway, connect: Callable[..., Any], foreign: Any
) -> None:
    body = json.dumps(foreign).encode()
    gateway.fault("GET /v1/pins", Fault(400, body, {"Content-Type": "application/problem+json"}))
    with pytest.raises(InvalidRequest, match="HTTP 400") as refused:
        connect(gateway.url).pins()
    assert refused.value.errors == ()


@pytest.mark.parametrize("body", [b"", b"<html>hello</html>", b"[]", b'{"data": [{"name": "x"}]}'])
def test_a_success_that_is_not_of_the_contract_is_said_to_be_that(
    client: Any, gateway: FakeGateway, body: bytes
) -> None:
    gateway.fault("GET /v1/pins", Fault(200, body, {"Content-Type": "application/json"}))
    with pytest.raises(UnexpectedAnswer, match="/v1/pins"):
        client.pins()


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_passes_is_tried_again(client: Any, gateway: FakeGateway, status: int) -> None:
    gateway.fault("POST /v1/jobs", *2 * [Fault(status, headers=SOON)])
    assert client.submit("a", pin=PIN).id == "job_0001"


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_what_does_not_pass_is_not_tried_again(client: Any, gateway: FakeGateway, status: int) -> None:
    gateway.fault("POST /v1/jobs", Fault(status))
    with pytest.raises(APIError):
        client.submit("a", pin=PIN)
    assert len(gateway.seen) == 1


def test_a_gateway_that_says_how_long_to_stay_away_is_believed(client: Any, gateway: FakeGateway) -> None:
    gateway.fault("POST /v1/jobs", refusal(problem(503, "backlog_full", "full"), {"Retry-After": "1"}))
    client.submit("a", pin=PIN)
    first, second = gateway.requests("POST /v1/jobs")
    assert second.at - first.at >= 1.0


def test_a_pause_longer_than_the_patience_is_an_error_at_once(
    gateway: FakeGateway, connect: Callable[..., Any]
) -> None:
    gateway.fault("POST /v1/jobs", refusal(problem(429, "quota_exceeded", "used up"), {"Retry-After": "3600"}))
    started = time.monotonic()
    with pytest.raises(TooManyRequests) as refused:
        connect(gateway.url).submit("a", pin=PIN)
    assert time.monotonic() - started < 3
    assert refused.value.retry_after_s == 3600


def test_patience_ends(gateway: FakeGateway, connect: Callable[..., Any]) -> None:
    gateway.fault("POST /v1/jobs", *100 * [Fault(503)])
    started = time.monotonic()
    with pytest.raises(Unavailable):
        connect(gateway.url, patience_s=0.5).submit("a", pin=PIN)
    assert time.monotonic() - started < 3
    assert 2 <= len(gateway.seen) <= 6


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_connection_that_breaks_makes_one_job_not_two(client: Any, gateway: FakeGateway, drop: Any) -> None:
    gateway.fault("POST /v1/jobs", Fault(drop=drop))
    client.submit("a", pin=PIN)
    keys = [request.headers["Idempotency-Key"] for request in gateway.requests("POST /v1/jobs")]
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert list(gateway.jobs) == ["job_0001"]


def test_two_submissions_of_one_text_are_two_jobs(client: Any, gateway: FakeGateway) -> None:
    client.submit("a", pin=PIN)
    client.submit("a", pin=PIN)
    assert len(gateway.jobs) == 2


def test_an_idempotency_key_is_a_structured_field_string(client: Any, gateway: FakeGateway) -> None:
    client.submit("a", pin=PIN, idempotency_key=r'the "8\9" one')
    assert gateway.seen[0].headers["Idempotency-Key"] == r'"the \"8\\9\" one"'


def test_a_first_attempt_that_is_still_at_work_is_waited_for(client: Any, gateway: FakeGateway) -> None:
    gateway.fault("POST /v1/jobs", refusal(problem(409, "idempotency_in_progress", "busy")))
    assert client.submit("a", pin=PIN).id == "job_0001"


def test_an_answer_that_takes_too_long_is_asked_for_again(gateway: FakeGateway, connect: Callable[..., Any]) -> None:
    gateway.fault("GET /v1/pins", Fault(delay_s=0.6))
    assert len(connect(gateway.url, timeout_s=0.2).pins()) == 1


def test_nobody_there_is_said_with_the_address(connect: Callable[..., Any]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(ConnectionFailed, match=url):
            connect(url, patience_s=0.3).pins()


def test_a_wait_outlives_a_gateway_that_is_away_for_a_moment(gateway: FakeGateway, connect: Callable[..., Any]) -> None:
    impatient = connect(gateway.url, patience_s=0)
    job = impatient.submit("a", pin=PIN)
    gateway.fault(f"GET /v1/jobs/{job.id}", Fault(drop="before"), Fault(503))
    assert impatient.wait(job).status == "succeeded"


def test_a_gateway_that_may_hold_no_more_looks_open_is_asked_for_one_that_it_need_not_hold(
    gateway: FakeGateway, connect: Callable[..., Any]
) -> None:
    client = connect(gateway.url)
    job = client.submit("a", pin=PIN)
    too_many = refusal(problem(429, "rate_limited", "256 requests of yours wait"), {"Retry-After": "1"})
    gateway.fault(f"GET /v1/jobs/{job.id}", too_many)
    assert client.wait(job, timeout=30).succeeded
    first, second = gateway.requests(f"GET /v1/jobs/{job.id}")[:2]
    assert ("wait" in first.query, "wait" in second.query) == (True, False)
    assert second.at - first.at >= 1.0


def test_the_key_is_sent_and_never_shown(connect: Callable[..., Any]) -> None:
    locked = FakeGateway(key="rt_1_secret").start()
    try:
        client = connect(locked.url, "rt_1_secret")
        assert client.pins()
        assert "secret" not in repr(client)
        with pytest.raises(Unauthorized):
            connect(locked.url, "rt_1_wrong").pins()
    finally:
        locked.stop()


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://x", "http://", "http://[::1"])
def test_an_address_that_is_none_is_refused_at_once(connect: Callable[..., Any], url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        connect(url)


def test_a_text_arrives_as_it_is_whatever_is_in_it(client: Any, gateway: FakeGateway) -> None:
    text = '"quoted" \\ \n\t 今天 🎉 </script>'
    client.submit(text, pin=PIN)
    assert gateway.seen[0].body["text"] == text
