"""The client where the environment names proxies: what it is sent, and what is said where it cannot be used."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ringtrue import APIError, AsyncRingtrue, ConnectionFailed, EnvironmentUnusable, Ringtrue
from tests.client.fake_gateway import FakeGateway
from tests.client.fake_studies import StudyGateway
from tests.client.test_command import COMMAND, SAY, Ran, environment
from tests.client.test_gate_command import GATE
from tests.recording_proxy import VARIABLES, RecordingProxy, recording_proxy, say_proxies

ELSEWHERE = "http://gateway.example:8000"


@pytest.fixture
def proxy() -> Iterator[RecordingProxy]:
    with recording_proxy() as living:
        yield living


def ran(url: str, *args: str, **variables: str) -> Ran:
    env = {name: value for name, value in environment(url).items() if name not in VARIABLES}
    return subprocess.run([*COMMAND, *args], check=False, capture_output=True, env={**env, **variables}, timeout=60)


def test_a_gateway_on_this_machine_is_asked_and_the_proxy_sent_nothing(
    gateway: FakeGateway, connect: Callable[..., Any], proxy: RecordingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_proxies(monkeypatch, HTTP_PROXY=proxy.url, ALL_PROXY=proxy.url)
    for host in ("127.0.0.1", "localhost", "127.1"):
        assert connect(gateway.url.replace("127.0.0.1", host)).pins()[0].name == "espeak-v2"
    assert proxy.sent == []


def test_a_gateway_elsewhere_is_asked_through_it(
    connect: Callable[..., Any], proxy: RecordingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_proxies(monkeypatch, HTTP_PROXY=proxy.url, NO_PROXY="other.example,fd00::/8,[::1]")
    with pytest.raises(APIError, match="418"):
        connect(ELSEWHERE, patience_s=0).pins()
    assert proxy.sent == [f"GET {ELSEWHERE}/v1/pins HTTP/1.1"]


def test_a_proxy_that_does_not_answer_is_named(connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    say_proxies(monkeypatch, http_proxy="http://127.0.0.1:9")
    with pytest.raises(ConnectionFailed, match="at the proxy set by http_proxy"):
        connect(ELSEWHERE, patience_s=0).pins()


@pytest.mark.parametrize("variables", [{"ALL_PROXY": "socks5://127.0.0.1:1"}, {"http_proxy": "http://proxy:port"}])
def test_what_cannot_be_used_is_an_error_of_the_client_that_names_the_variable(
    connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    say_proxies(monkeypatch, **variables)
    with pytest.raises(EnvironmentUnusable, match=f"^{next(iter(variables))} "):
        connect(ELSEWHERE).pins()


def test_clients_are_made_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    say_proxies(monkeypatch, ALL_PROXY="nonsense://", NO_PROXY="fd00::/8,[::1],[")
    Ringtrue(ELSEWHERE).close()
    asyncio.run(AsyncRingtrue(ELSEWHERE).aclose())


@pytest.mark.parametrize(
    "variables",
    [
        {"NO_PROXY": "fd00::/8,[::1],[", "http_proxy": "http://127.0.0.1:9"},
        {"ALL_PROXY": "socks5://127.0.0.1:1"},
        {"all_proxy": "socks://127.0.0.1:1"},
        {"http_proxy": "http://proxy:port"},
        {"SSL_CERT_FILE": "/nowhere"},
    ],
)
def test_no_variable_stands_before_this_machine(gateway: FakeGateway, variables: dict[str, str]) -> None:
    said = ran(gateway.url, *SAY, **variables)
    assert (said.returncode, said.stdout) == (0, b"job_0001\n"), said.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [("ALL_PROXY", "socks5://127.0.0.1:1"), ("http_proxy", "http://proxy:port"), ("HTTP_PROXY", "gopher://proxy:70")],
)
def test_the_command_names_it_in_a_line_and_ends_with_78(variable: str, value: str) -> None:
    said = ran(ELSEWHERE, "pins", **{variable: value})
    assert said.returncode == 78
    (line,) = said.stderr.decode().splitlines()
    assert line.startswith(f"error: {variable} ")


def test_certificates_that_cannot_be_read_are_told_in_a_line() -> None:
    said = ran("https://gateway.example", "pins", SSL_CERT_FILE="/nowhere/ca.pem")
    assert (said.returncode, said.stderr.decode().count("\n")) == (78, 1)
    assert b"SSL_CERT_FILE" in said.stderr


@pytest.mark.parametrize("variables", [{"ALL_PROXY": "socks5://127.0.0.1:1"}, {"HTTP_PROXY": "http://proxy:port"}])
def test_a_webhook_that_cannot_be_reached_changes_no_verdict(variables: dict[str, str]) -> None:
    gateway = StudyGateway()
    gateway.verdict = "fail"
    gateway.start()
    judged = ran(gateway.url, *GATE, "--webhook", "http://hook.example/x", **variables)
    gateway.stop()
    assert judged.returncode == 1
    assert f"--webhook: hook.example: {next(iter(variables))} " in judged.stderr.decode()


def test_a_webhook_on_this_machine_is_told_past_the_proxy(proxy: RecordingProxy) -> None:
    gateway = StudyGateway()
    gateway.verdict = "fail"
    gateway.start()
    judged = ran(gateway.url, *GATE, "--webhook", f"{gateway.url}/hook", HTTP_PROXY=proxy.url)
    gateway.stop()
    assert (judged.returncode, proxy.sent) == (1, [])
    assert [seen.method for seen in gateway.seen if seen.path == "/hook"] != []
