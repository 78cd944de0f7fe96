"""Texts that are no text, from wherever a command takes them: one line, which byte, what to do, exit code 65."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringtrue import TextInvalid
from ringtrue.texts import read_as_english
from tests.client.fake_gateway import FakeGateway
from tests.client.fake_studies import StudyGateway
from tests.client.test_command import COMMAND, PIN, environment

GBK = "今天的阳光真灿烂!".encode("gbk")
BYTE = "byte 0 (0xbd) is not UTF-8"


def ran(url: str, *args: str | bytes, stdin: bytes = b"", **env: str) -> subprocess.CompletedProcess[bytes]:
    env = environment(url, **env)
    return subprocess.run([*COMMAND, *args], check=False, input=stdin, capture_output=True, env=env, timeout=60)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_told_as_such(encoding: str) -> None:
    said = ran("http://127.0.0.1:9", "say", "-", "--pin", PIN, stdin="\ufeffGood morning".encode(encoding))
    assert (said.returncode, said.stdout) == (65, b"")
    assert "this is UTF-16; to convert it, run `iconv -f UTF-16 -t UTF-8`" in said.stderr.decode()


@pytest.mark.parametrize("key", ["ü", "a b\nc", "rt_\x1b[31m"])
def test_a_key_that_cannot_be_sent_is_told_without_it(key: str) -> None:
    said = ran("http://127.0.0.1:9", "jobs", RINGTRUE_API_KEY=key)
    told = said.stderr.decode()
    assert (said.returncode, "RINGTRUE_API_KEY" in told, "no key has" in told) == (64, True, True)
    assert key not in told


@pytest.mark.parametrize(
    "args",
    [
        ("say", GBK, "--pin", PIN),
        ("say", "a", "--pin", GBK),
        ("say", "a", "--pin", PIN, "--voice", GBK),
        ("say", "a", "--pin", PIN, "--metadata", b"k=" + GBK),
        ("say", "a", "--pin", PIN, "--metadata", GBK + b"=v"),
        ("say", "a", "--pin", PIN, "--option", b"k=" + GBK),
        ("jobs", "--pin", GBK),
        ("job", GBK),
        ("cancel", GBK),
        ("evaluate", GBK, "--suite", "golden"),
        ("evaluate", "espeak-v1", "--suite", GBK),
        ("compare", "espeak-v1", "espeak-v2", "--suite", "golden", "--param", b"voice=" + GBK),
        ("voices", "remove", GBK),
        ("models", "promote", GBK, "sun@production", "--reason", "x"),
    ],
)
def test_an_argument_that_is_no_utf8_is_told_by_its_byte(args: tuple[str | bytes, ...], tmp_path: Path) -> None:
    gateway = StudyGateway()
    gateway.start()
    said = ran(gateway.url, *args, RINGTRUE_DATA=str(tmp_path))
    gateway.stop()
    told = said.stderr.decode()
    assert "Traceback" not in told
    assert [seen for seen in gateway.seen if seen.method != "GET"] == []
    if args[0] != "models":  # there it may be an unknown name as well
        assert (said.returncode, said.stdout) == (65, b"")
        (line,) = told.splitlines()
        assert " is not UTF-8: text must be UTF-8; to convert it, run `iconv -f GBK" in line
        assert line.startswith("error: argument ")


def test_a_voices_consent_is_text(gateway: FakeGateway, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    said = ran(gateway.url, "voices", "add", str(tmp_path / "a.wav"), "--by", GBK, "--consent", "yes")
    assert said.returncode == 65, said.stderr
    assert BYTE in said.stderr.decode()


def test_a_file_may_have_any_name(gateway: FakeGateway, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/" + GBK + b".wav"
    assert ran(gateway.url, "say", "a", "--pin", PIN, "-o", name).returncode == 0
    assert os.path.exists(name)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (GBK, BYTE),
        ("今天".encode() + b"\xff", "byte 6 (0xff) is not UTF-8"),
        ("今天".encode("utf-16"), "byte 0 (0xff) is not UTF-8"),
        ("今".encode()[:2], "byte 0 (0xe4) is not UTF-8"),
        (b"\xed\xa0\x80", "byte 0 (0xed) is not UTF-8"),
    ],
)
def test_standard_input_that_is_no_utf8_is_told_by_its_byte(gateway: FakeGateway, content: bytes, told: str) -> None:
    said = ran(gateway.url, "say", "-", "--pin", PIN, stdin=content)
    assert (said.returncode, gateway.seen) == (65, [])
    (line,) = said.stderr.decode().splitlines()
    assert line.startswith(f"error: standard input: {told}: ")


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1"])
def test_standard_input_is_utf8_whatever_the_locale_says(gateway: FakeGateway, locale: str) -> None:
    text = "\ufeff今天的阳光\r\n真灿烂!\r\n"
    said = ran(gateway.url, "say", "-", "--pin", PIN, stdin=text.encode(), LC_ALL=locale)
    assert said.returncode == 0, said.stderr
    assert gateway.seen[0].body["text"] == "今天的阳光\n真灿烂!"


def test_a_suite_that_is_no_utf8_is_told_by_its_byte(tmp_path: Path) -> None:
    gateway = StudyGateway()
    gateway.start()
    suite = tmp_path / "mine.yaml"
    suite.write_bytes(b"schema: 1\n" + GBK)
    said = ran(gateway.url, "evaluate", "espeak-v1", "--suite", str(suite))
    gateway.stop()
    assert (said.returncode, gateway.seen) == (65, [])
    assert said.stderr.decode().startswith(f"{suite}: byte 10 (0xbd) is not UTF-8")


def test_half_a_character_is_an_error_of_the_client(gateway: FakeGateway, connect: Callable[..., Any]) -> None:
    client = connect(gateway.url)
    for ask in (
        lambda: client.submit("a\ud800", pin=PIN),
        lambda: client.submit("a", pin=PIN, metadata={"k": "\ud800"}),
        lambda: client.submit_many([{"text": "\ud800", "pin": PIN}]),
        lambda: client.job("\ud800"),
    ):
        with pytest.raises(TextInvalid, match="half of a character"):
            ask()
    assert gateway.seen == []


@pytest.mark.parametrize("text", ["今天的阳光真灿烂!", "I said 你好.", "Привет", "こんにちは", "สวัสดี"])
def test_letters_that_english_has_not_are_told_to_whoever_named_no_language(text: str) -> None:
    assert "--language" in (read_as_english(text, "en") or "")
    assert "read as en-gb" in (read_as_english(text, "en-gb") or "")
    assert read_as_english(text, "zh") is None
    assert read_as_english(text, None) is None


@pytest.mark.parametrize("text", ["It is 20℃ and costs ¥100 😀", "Crème brûlée, naïve", "ＡＢＣ", "5 µm, 1º", ""])
def test_nothing_is_said_of_what_stands_in_english_too(text: str) -> None:
    assert read_as_english(text, "en") is None


def test_say_tells_of_a_language_that_was_left_out_and_not_of_one_that_was_named(gateway: FakeGateway) -> None:
    untold = ran(gateway.url, "say", "今天的阳光真灿烂!", "--pin", PIN)
    named = ran(gateway.url, "say", "今天的阳光真灿烂!", "--pin", PIN, "--language", "zh")
    assert (untold.returncode, named.returncode) == (0, 0)
    assert b"no language was given" in untold.stderr
    assert b"no language was given" not in named.stderr
