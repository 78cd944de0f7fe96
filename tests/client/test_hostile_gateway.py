"""Nothing that a server or a file says is obeyed by the terminal: no command lets a control character through."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import shared.values.printable
from ringtrue.cli import main
from ringtrue.console import printable
from shared.processes import logs
from tests.client.fake_gateway import Answer, Fault, Seen, wav_of
from tests.client.fake_studies import StudyGateway

ATTACKS = (
    "\x1b[2J\x1b[H", "\x1b]0;owned\x07", "\x1b]52;c;Y3VybA==\x07", "\x1bP+q\x1b\\", "\x9b31m", "\x9d0;owned\x9c",
    "\x08\x08\x08", "\rdone", "\x00", "\x7f", "\x85", "\u202egpj.exe", "\u2066\u2067\u2069", "\u2028fake", "\u200f",
    "\nerror: you must pay", "\x1b[1A\x1b[2K", "\x0e", "\x1bc", "\x1b[8m", "\x0c",
)  # fmt: skip
FORBIDDEN = frozenset(chr(code) for code in printable.TABLE)
KEPT = {"id", "object", "status", "code", "created_at", "completed_at", "started_at", "at", "url", "pcm_sha256",
        "next_cursor", "direction", "demand", "scale", "outcome", "verdict", "lock_sha256", "scorer_lock"}  # fmt: skip
"""What the flow of a command follows; each is attacked too, by a test of its own."""
SUITE = ("--suite", "golden-en-emotion")
COMMANDS = (
    ("say", "Hello", "--pin", "espeak-v2"), ("say", "crash", "--pin", "espeak-v2"), ("say", "", "--pin", "espeak-v2"),
    ("jobs",), ("job", "job_0001"), ("job", "job_9999"), ("cancel", "job_0001"), ("pins",), ("voices", "list"),
    ("voices", "add", "FILE", "--by", "Ann", "--consent", "yes"), ("voices", "remove", "voice_1"),
    ("voices", "remove", "voice_2"), ("evaluate", "espeak-v2", *SUITE), ("evaluate", "broken", *SUITE),
    ("evaluate", "unknown", *SUITE), ("evaluations",), ("compare", "espeak-v1", "espeak-v2", *SUITE),
    ("gate", "espeak-v1", "espeak-v2", *SUITE), ("noise", "espeak-v2", "golden-en-emotion"), ("gate", "--print-rules"),
)  # fmt: skip
JSON = tuple(command for command in COMMANDS if command[0] not in ("cancel",) and "remove" not in command)


class HostileGateway(StudyGateway):
    """Says ``attack`` wherever it says anything, but for members named ``kept``."""

    attack = ""
    kept: frozenset[str] = frozenset()

    def answer(self, seen: Seen) -> Answer | None:
        answer = super().answer(seen)
        if answer is None or "json" not in answer.headers.get("Content-Type", ""):
            return answer
        return Answer(answer.status, json.dumps(self.hostile(json.loads(answer.body))).encode(), answer.headers)

    def hostile(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            # The names of metrics are members too.
            named = {key + self.attack if "/" in key else key: one for key, one in value.items()}
            return {key: self.hostile(one, key) for key, one in named.items()}
        if isinstance(value, list):
            return [self.hostile(one, name) for one in value]
        return f"{value}{self.attack}" if isinstance(value, str) and name not in self.kept else value


@pytest.fixture(scope="module")
def gateway() -> Iterator[HostileGateway]:
    fake = HostileGateway()
    fake.start()
    fake.attack, fake.kept = "", frozenset()
    fake.has("one")
    yield fake
    fake.stop()


def ran(gateway: HostileGateway, *args: str) -> tuple[str, str]:
    """What the command wrote to its two streams; it runs in this process, which is quicker than one each."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)]
    settings = {"RINGTRUE_URL": gateway.url, "RINGTRUE_API_KEY": ""}
    given = [__file__ if arg == "FILE" else arg for arg in args]
    with (
        mock.patch.dict(os.environ, settings), mock.patch.object(sys, "argv", ["ringtrue", *given]),
        contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]),
    ):  # fmt: skip
        main()
        sys.stdout.flush()
    out, err = (stream.buffer.getvalue().decode() for stream in streams)  # type: ignore[attr-defined]
    return out, err


def check(out: str, err: str) -> None:
    assert not FORBIDDEN & set(out)
    assert not FORBIDDEN & set(err)
    assert not any(line.startswith("error: you must pay") for line in err.splitlines())


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_lets_any_attack_through(gateway: HostileGateway, command: tuple[str, ...]) -> None:
    gateway.attack, gateway.kept = "".join(ATTACKS), frozenset(KEPT)
    check(*ran(gateway, *command))
    gateway.kept = frozenset()
    check(*ran(gateway, *command))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    command=st.sampled_from(COMMANDS),
    kept=st.frozensets(st.sampled_from(sorted(KEPT))),
    attack=st.lists(st.sampled_from(ATTACKS) | st.text(max_size=8), max_size=4).map("".join),
    as_json=st.booleans(),
)
def test_whatever_is_said_wherever(
    gateway: HostileGateway, command: tuple[str, ...], kept: frozenset[str], attack: str, as_json: bool
) -> None:
    gateway.attack, gateway.kept = attack, kept
    check(*ran(gateway, *command, *(["--json"] if as_json and command in JSON else [])))


@pytest.mark.parametrize("command", [("jobs",), ("pins",), ("voices", "list"), ("job", "job_0001")], ids=" ".join)
def test_json_says_the_same_in_other_letters(gateway: HostileGateway, command: tuple[str, ...]) -> None:
    gateway.attack, gateway.kept = "".join(ATTACKS), frozenset(KEPT)
    out, _ = ran(gateway, *command, "--json")
    check(out, "")
    assert "".join(ATTACKS) in json.dumps(json.loads(out), ensure_ascii=False).encode().decode("unicode_escape") or (
        "".join(ATTACKS) in "".join(strings(json.loads(out)))
    )


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from strings(one)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize(
    "content_type", ["application/problem+json", "application/json", "text/html", "text/html\x1b[2J"]
)
@pytest.mark.parametrize("status", [200, 301, 400, 401, 404, 409, 422, 500])
def test_no_refusal_does(gateway: HostileGateway, content_type: str, status: int) -> None:
    gateway.attack = ""
    said = "".join(ATTACKS)
    document = {"title": said, "detail": said, "code": said, "request_id": said, "type": said, "instance": said,
                "errors": [{"pointer": said, "detail": said}]}  # fmt: skip
    for body in (json.dumps(document).encode(), said.encode()):
        headers = {"Content-Type": content_type, "X-Request-Id": "a\x1b[2J", "Location": "/\x1b[2J"}
        gateway.fault("GET /v1/pins", Fault(status, body, headers))
        check(*ran(gateway, "pins"))


def test_on_a_terminal_our_own_colours_are_all_there_is(gateway: HostileGateway) -> None:
    gateway.attack, gateway.kept = "".join(ATTACKS), frozenset(KEPT)
    shown = b""
    for command in (["jobs"], ["say", "Hello", "--pin", "espeak-v2"], ["pins"]):
        ours, theirs = os.openpty()
        environ = {**os.environ, "RINGTRUE_URL": gateway.url, "TERM": "xterm", "COLUMNS": "2000"}
        subprocess.run(
            [sys.executable, "-m", "ringtrue", *command],
            stdout=theirs,
            stderr=theirs,
            env=environ,
            timeout=120,
            check=False,
        )
        os.close(theirs)
        with contextlib.suppress(OSError):
            while chunk := os.read(ours, 65536):
                shown += chunk
        os.close(ours)
    text = shown.decode()
    assert "\\u001b[2J" in text
    for attack in ("\x1b[2J", "\x1b]", "\x9b", "\x9d", "\x1bP", "\x07", "\x1b[8m", "\x00", "\u202e", "\x0e", "\x1bc"):
        assert attack not in text


@pytest.mark.parametrize("name", ["doctor", "models", "suites", "keys"])
def test_local_commands_print_through_the_same_stream(name: str, tmp_path: Path) -> None:
    hostile = "".join(ATTACKS[2:9]).replace("\x00", "")
    (tmp_path / "catalog.toml").write_text(f'["{hostile.encode("unicode_escape").decode()}"]\nengine = 1\n')
    (tmp_path / "suite.yaml").write_text(f"schema: 1\nname: {json.dumps(hostile)}\n{json.dumps(hostile)}: 1\n")
    args = {"doctor": ["--only", "folders"], "models": ["list"], "suites": ["check", str(tmp_path / "suite.yaml")],
            "keys": ["revoke", hostile]}[name]  # fmt: skip
    environ = {**os.environ, "RINGTRUE_DATA": str(tmp_path), f"RINGTRUE_{'X'}": hostile}
    done = subprocess.run(
        [sys.executable, "-m", "ringtrue", name, *args], capture_output=True, env=environ, timeout=120, check=False
    )
    check(done.stdout.decode(), done.stderr.decode())


def test_sound_that_is_asked_for_is_not_touched(gateway: HostileGateway) -> None:
    gateway.attack = ""
    environ = {**os.environ, "RINGTRUE_URL": gateway.url}
    command = [sys.executable, "-m", "ringtrue", "say", "Good morning", "--pin", "espeak-v2", "-o", "-"]
    assert (
        subprocess.run(command, capture_output=True, env=environ, timeout=120, check=True).stdout
        == wav_of("Good morning")[0]
    )


def test_client_and_services_have_one_table() -> None:
    assert printable.TABLE == shared.values.printable.TABLE


@given(st.text())
def test_what_is_printable_stays_as_it_is_and_twice_is_once(text: str) -> None:
    once = printable.printable(text)
    assert not FORBIDDEN & set(once)
    assert printable.printable(once) == once
    if not FORBIDDEN & set(text):
        assert once == text


def test_a_log_is_a_line_per_event_whatever_was_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    code = (
        "from shared.processes import logs; import logging; logs.set_up('x');"
        " logging.getLogger('y').error('%s', 'a\\nb\\x1b[2J')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    first, second = done.stderr.splitlines()
    assert first.endswith("x y: a")
    assert second == "  b\\u001b[2J"
    assert logs.__doc__
