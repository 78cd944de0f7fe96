"""`ringtrue certify` as a process: what it prints, writes and ends with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.catalog import Manifest
from tests.elsewhere import without_posix
from tests.worker.certify.answering import Answer, answering
from tests.worker.certify.clips_apart import certificate, clip, vowels

OURS = {name: value for name, value in os.environ.items() if not name.startswith(("RINGTRUE_", "MLFLOW_"))}
SUITE = """
schema: 1
name: two
version: "1"
title: Two short texts
licence: CC0-1.0
language: en
items:
  - {id: one, text: "One."}
  - {id: two, text: "Two."}
"""


def certify(folder: Path, *arguments: str, environ: Mapping[str, str] = OURS) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ringtrue", "certify", *arguments]
    env = {**environ, "RINGTRUE_DATA": str(folder / "data")}
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=240, check=False)


def written(folder: Path, name: str, document: object) -> str:
    path = folder / name
    path.write_text(json.dumps(document))
    return str(path)


MANIFEST = Manifest("voice-v1", "voice", "1", "0" * 64, 16_000, ("en",), "en", (), {}, ())


@pytest.fixture
def suite(tmp_path: Path) -> str:
    path = tmp_path / "two.yaml"
    path.write_text(SUITE)
    return str(path)


def test_a_certificate_is_made_without_any_service_and_compares_with_itself(tmp_path: Path, suite: str) -> None:
    made = certify(tmp_path, "espeak-v1", "--suite", suite, "-o", "cert.json", "--require", "0")
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("## espeak-v1: tier 0, equal PCM (2 items)")
    assert made.stderr.splitlines()[0] == "reference: 2 to speak"
    document = json.loads((tmp_path / "cert.json").read_text())
    assert [item["id"] for item in document["items"]] == ["one", "two"]
    assert document["environment"]["libraries"]["espeakng-loader"]
    assert "pcm" not in document["items"][0]
    compared = certify(tmp_path, "--compare", "cert.json", "cert.json", "--require", "0", "--json")
    assert compared.returncode == 0, compared.stderr
    assert json.loads(compared.stdout)["tier"] == 0


def test_it_runs_where_nothing_is_that_only_posix_has_and_sounds_the_same(tmp_path: Path, suite: str) -> None:
    env = without_posix(tmp_path / "site", OURS)
    probe = [sys.executable, "-c", "import os; assert not hasattr(os, 'readv'); import fcntl"]
    refused = subprocess.run(probe, env=env, capture_output=True, text=True, check=False)
    assert "No module named 'fcntl'" in refused.stderr
    there = certify(
        tmp_path, "espeak-v1", "--suite", suite, "-o", "there.json", "--with-audio", "--require", "0", environ=env
    )
    assert there.returncode == 0, there.stderr
    assert "Error" not in there.stderr
    here = certify(tmp_path, "espeak-v1", "--suite", suite, "-o", "here.json", "--require", "0")
    assert here.returncode == 0, here.stderr
    assert certify(tmp_path, "--compare", "here.json", "there.json", "--require", "0").returncode == 0


def test_the_required_tier_decides_the_exit_code_and_an_altered_sample_is_found(tmp_path: Path) -> None:
    samples = vowels()
    changed = samples.copy()
    changed[4321] += 1
    one, other = certificate(clip(samples)), certificate(clip(changed))
    pair = written(tmp_path, "a.json", one.to_json()), written(tmp_path, "b.json", other.to_json())
    exits = [certify(tmp_path, "--compare", *pair, "--require", str(tier)).returncode for tier in range(4)]
    assert exits == [1, 0, 0, 0]
    found = certify(tmp_path, "--compare", *pair, "--json")
    assert found.returncode == 0
    assert json.loads(found.stdout)["items"][0]["first_sample"] == 4321
    mute = written(tmp_path, "c.json", other.without_audio().to_json())
    without = certify(tmp_path, "--compare", pair[0], mute, "--require", "1")
    assert without.returncode == 1
    assert "tier 1 cannot be said" in without.stdout


def test_a_verdict_that_is_missing_meets_no_requirement(tmp_path: Path) -> None:
    one = certificate(clip(vowels()), clip(vowels()))
    lacking = replace(one, entries=one.entries[:1], unspoken={"item-1": "engine_error: why"})
    pair = written(tmp_path, "a.json", one.to_json()), written(tmp_path, "b.json", lacking.to_json())
    assert certify(tmp_path, "--compare", *pair, "--require", "3").returncode == 1


REFUSED: Mapping[str, tuple[tuple[str, ...], int, str]] = {
    "nothing to do": ((), 64, "name a PIN"),
    "too much to do": (("espeak-v1", "--compare", "a", "b"), 64, "--compare needs two certificates"),
    "something to speak, and nothing that speaks": (("--compare", "a", "b", "--seed", "3"), 64, "cannot be combined"),
    "a seed that no server takes": (("espeak-v1", "--seed", str(2**32)), 64, "0<=x<=4294967295"),
    "three servers": (("espeak-v1", *["--against", "http://h"] * 3), 64, "--against can be given once or twice"),
    "no such tier": (("espeak-v1", "--require", "4"), 64, "0<=x<=3"),
    "no such pin": (("nobody-v9",), 66, "unknown pin nobody-v9: neither built in nor locked"),
    "no such suite": (("espeak-v1", "--suite", "nothing"), 66, "no suite nothing ships"),
    "no such file": (("--compare", "a.json", "b.json"), 66, "a.json"),
    "no suite": (("espeak-v1", "--suite", "wrong.yaml"), 65, "wrong.yaml:1"),
    "a folder for a file": (("--compare", ".", "."), 66, ".: Is a directory"),
    "no certificate": (("--compare", "wrong.json", "wrong.json"), 65, "is not a certificate"),
    "nobody there": (("espeak-v1", "--against", "http://127.0.0.1:9"), 69, "does not answer"),
    "no address": (("espeak-v1", "--against", "nonsense"), 69, "does not answer"),
    "no port": (("espeak-v1", "--against", "http://host:port"), 69, "is not a URL"),
    "another format": (("espeak-v1", "-o", "cert.md"), 64, "cert.md: the file is written as JSON, not as md"),
    "nowhere to write": (
        ("espeak-v1", "--suite", "two.yaml", "-o", "no/such/folder.json"),
        73,
        "no/such is not a folder",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_done_says_why(tmp_path: Path, suite: str, what: str) -> None:
    arguments, code, said = REFUSED[what]
    (tmp_path / "wrong.yaml").write_text("schema: 1\n")
    written(tmp_path, "wrong.json", {"object": "something"})
    ended = certify(tmp_path, *arguments)
    assert (ended.returncode, said in ended.stderr) == (code, True), ended.stderr
    assert "Traceback" not in ended.stderr


def test_what_was_heard_is_shown_where_it_cannot_be_kept(tmp_path: Path, suite: str) -> None:
    full = certify(tmp_path, "espeak-v1", "--suite", suite, "--repeats", "1", "--at-once", "1", "-o", "/dev/full")
    assert full.returncode == 73
    assert full.stdout.startswith("## espeak-v1: tier 0, equal PCM (2 items)")
    assert "error: /dev/full: No space left on device" in full.stderr


@pytest.mark.parametrize("key", ["schlüssel", "two\nlines"])
def test_a_key_that_cannot_be_sent_is_a_setting_to_be_mended(tmp_path: Path, key: str) -> None:
    told = certify(tmp_path, "espeak-v1", "--against", "http://h", environ={**OURS, "RINGTRUE_API_KEY": key})
    assert (told.returncode, told.stderr) == (
        78,
        "error: RINGTRUE_API_KEY contains characters that are not allowed in a key\n",
    )


def test_output_that_cannot_be_printed_is_no_missing_file_and_no_verdict(tmp_path: Path) -> None:
    file = written(tmp_path, "a.json", certificate(clip(vowels())).to_json())
    command = f"{sys.executable} -m ringtrue certify --compare {file} {file}"
    ends = [f"{command} > /dev/full", f"{command} --json | exec true; exit ${{PIPESTATUS[0]}}"]
    codes = [
        subprocess.run(["bash", "-c", end], capture_output=True, timeout=60, check=False).returncode for end in ends
    ]
    assert codes == [73, 141]


def test_two_servers_are_both_asked_for_the_pin_before_either_speaks(tmp_path: Path) -> None:
    asked = []

    def answer(path: str, _body: bytes) -> Answer:
        asked.append(path)
        return 200, {}, json.dumps({"data": [{**MANIFEST.to_json(), "name": "voice-v1"}]}).encode()

    with answering(answer) as url:
        told = certify(tmp_path, "voice-v1", "--against", url, "--against", "http://127.0.0.1:9")
    assert told.returncode == 69
    assert "http://127.0.0.1:9 does not answer" in told.stderr
    assert asked == ["/v1/pins"]


def test_the_items_of_another_language_are_left_out_and_named(tmp_path: Path) -> None:
    (tmp_path / "mixed.yaml").write_text(SUITE + '  - {id: three, text: "Tlhingan", language: xx}\n')
    made = certify(tmp_path, "espeak-v1", "--suite", "mixed.yaml", "--json", "--repeats", "1", "--at-once", "1")
    assert made.returncode == 0, made.stderr
    document: dict[str, Any] = json.loads(made.stdout)
    assert document["unspoken"] == {"three": "espeak-v1 does not speak xx"}
    assert document["tier"] is None
