"""Voices by the command: uploaded with a consent, listed, taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ringtrue import NotFound, Ringtrue, Voice
from tests.client.fake_gateway import VOICE, FakeGateway
from tests.client.test_command import Run, run

__all__ = ["run"]  # the fixture
SOUND = b"RIFF" + bytes(range(256))
SAID = ("--by", "Ann Example", "--consent", "yes", "--at", "2025-01-30T12:00:00+00:00", "--name", "Ann, quiet")


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "ann.wav"
    path.write_bytes(SOUND)
    return str(path)


def test_add_sends_the_file_with_its_consent_and_prints_the_id(run: Run, gateway: FakeGateway, file: str) -> None:
    ran = run("voices", "add", file, *SAID)
    assert (ran.returncode, ran.stdout) == (0, b"voice_1\n"), ran.stderr
    (sent,) = gateway.requests("POST /v1/voices")
    assert sent.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert b'name="file"; filename="recording"' in sent.body
    assert SOUND in sent.body
    assert b'{"by": "Ann Example", "at": "2025-01-30T12:00:00+00:00", "text": "yes"}' in sent.body


def test_without_a_consent_nothing_is_sent(run: Run, gateway: FakeGateway, file: str) -> None:
    assert run("voices", "add", file).returncode == 64
    assert gateway.seen == []


def test_list_shows_every_page(run: Run) -> None:
    header, *rows = run("voices", "list").stdout.decode().splitlines()
    assert header.split() == ["VOICE", "NAME", "SECONDS", "HZ", "PCM", "CONSENT"]
    assert len(rows) == 2
    assert all(row.startswith("voice_1") and "Ann Example, 2025-01-30" in row for row in rows)


def test_list_as_json_is_what_the_gateway_said(run: Run) -> None:
    assert json.loads(run("voices", "list", "--json").stdout) == [VOICE, VOICE]


def test_remove_says_so(run: Run, gateway: FakeGateway) -> None:
    assert run("voices", "remove", "voice_1").returncode == 0
    assert gateway.requests("DELETE /v1/voices/voice_1")


def test_a_voice_that_is_not_there_is_its_own_exit_code(run: Run) -> None:
    assert run("voices", "remove", "voice_9").returncode == 66


def test_say_takes_an_uploaded_voice(run: Run, gateway: FakeGateway) -> None:
    run("say", "Good morning", "--pin", "espeak-v2", "--reference", "voice_1")
    assert gateway.requests("POST /v1/jobs")[0].body["reference"] == "voice_1"


def test_what_is_not_there_is_not_found(gateway: FakeGateway) -> None:
    with Ringtrue(gateway.url) as ringtrue, pytest.raises(NotFound):
        ringtrue.voices.remove(Voice.from_json({**VOICE, "id": "voice_9"}))
