"""One text, every way in: equal input gives equal PCM. And two servers, and this machine and a server, are compared."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.whole.stack import Stack, running

PIN = "espeak-v2"
SUITE = """
schema: 1
name: ways
version: "1"
title: What every way speaks
licence: CC0-1.0
items:
  - {id: plain, language: en, text: "The ferry left at noon, and nobody waved."}
  - {id: felt, language: en, emotion: happy, strength: 0.5, text: "It is snowing!"}
  - {id: chinese, language: zh, voice: cmn+f2, text: "今天的阳光真灿烂。"}
"""


@dataclass(frozen=True)
class Said:
    """What is asked for, whatever the way."""

    id: str
    text: str
    language: str
    emotion: str | None = None
    strength: float | None = None
    voice: str | None = None


ITEMS = (
    Said("plain", "The ferry left at noon, and nobody waved.", "en"),
    Said("felt", "It is snowing!", "en", "happy", 0.5),
    Said("chinese", "今天的阳光真灿烂。", "zh", voice="cmn+f2"),
)
Way = Callable[[Stack, Path, Said], str]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """What it takes to speak; nothing is scored."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    with running(stack, "redis", "gateway", "worker"):
        yield stack


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ways")
    (folder / "ways.yaml").write_text(SUITE)
    return folder


def hash_of_wav(path: Path) -> str:
    with wave.open(str(path)) as file:
        return hashlib.sha256(file.readframes(file.getnframes())).hexdigest()


def by_job(stack: Stack, folder: Path, said: Said) -> str:
    felt = {} if said.emotion is None else {"emotion": {"name": said.emotion, "strength": said.strength}}
    voice = {} if said.voice is None else {"voice": said.voice}
    job_id = stack.submit(said.text, PIN, language=said.language, score=False, **felt, **voice)
    stack.until(job_id, lambda job: job["status"] == "succeeded")
    path = folder / f"{job_id}.wav"
    path.write_bytes(stack.http.get(f"/v1/jobs/{job_id}/audio").content)
    return hash_of_wav(path)


def by_command(stack: Stack, folder: Path, said: Said) -> str:
    path = folder / f"{said.id}.wav"
    options = {"emotion": said.emotion, "strength": said.strength, "voice": said.voice, "language": said.language}
    given = [word for name, value in options.items() if value is not None for word in (f"--{name}", str(value))]
    stack.ringtrue("--url", stack.url, "say", said.text, "--pin", PIN, *given, "--no-score", "-o", str(path))
    return hash_of_wav(path)


def by_certificate(stack: Stack, folder: Path, said: Said) -> str:
    path = folder / "certificate.json"
    if not path.exists():
        suite = str(folder / "ways.yaml")
        stack.ringtrue("certify", PIN, "--suite", suite, "--repeats", "1", "-o", str(path), "--require", "0")
    items = {item["id"]: item["pcm_sha256"] for item in json.loads(path.read_text())["items"]}
    return str(items[said.id])


WAYS: Mapping[str, Way] = {
    "the HTTP API": by_job,
    "ringtrue say": by_command,
    "ringtrue certify": by_certificate,
}
"""A further way in is a further line."""


@pytest.mark.parametrize("said", ITEMS, ids=lambda said: said.id)
def test_every_way_gives_equal_pcm(stack: Stack, folder: Path, said: Said) -> None:
    hashes = {name: way(stack, folder, said) for name, way in WAYS.items()}
    assert len(set(hashes.values())) == 1, hashes


def certified(stack: Stack, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ringtrue", "certify", *arguments, "--suite", "ways.yaml"]
    own = {name: value for name, value in os.environ.items() if not name.startswith("RINGTRUE_")}
    env = {**own, "RINGTRUE_DATA": str(stack.folder)}
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=240, check=False)


def test_this_machine_and_a_server_are_compared_with_all_figures(stack: Stack, folder: Path) -> None:
    done = certified(stack, folder, PIN, "--against", stack.url, "--require", "0", "-o", "against.json")
    assert done.returncode == 0, done.stderr
    document = json.loads((folder / "against.json").read_text())
    assert [item["tier"] for item in document["items"]] == [0, 0, 0]
    assert [one["where"] for one in document["certificates"]] == ["here", stack.url]
    locks = {one["lock_sha256"] for one in document["certificates"]}
    assert len(locks) == 1
    assert "| real-time factor, warm |" in done.stdout


def test_a_server_is_compared_with_another(stack: Stack, folder: Path) -> None:
    done = certified(stack, folder, PIN, "--against", stack.url, "--against", f"{stack.url}/", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tier"] == 0


def test_a_pin_that_the_server_has_not_is_said(stack: Stack, folder: Path) -> None:
    done = certified(stack, folder, "nobody-v9", "--against", stack.url, "--against", stack.url)
    assert done.returncode == 66
    assert f"{stack.url} has no pin nobody-v9" in done.stderr
