"""catalog.lock: what is written is read again, its hash never moves, and what is not right is named."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.catalog import lock_sha256
from shared.weights.errors import CatalogInvalid
from shared.weights.lock import Component, LockedFile, PinLock, Source, read_locks, safe_path, write_locks
from tests.shared.weights.voices import COMMIT, lock_of

FULL = PinLock(
    name="voice-v23",
    engine="indextts2",
    components=(
        Component(
            "model",
            (
                Source(hub="huggingface", repo="team/voice", revision=COMMIT),
                Source(hub="modelscope", repo="team/voice", revision=COMMIT[::-1]),
                Source(url="https://host.example/folder"),
                Source(folder="/mnt/share"),
            ),
            (LockedFile("gpt.pth", 3, "ab" * 32, "weights/gpt.pth"), LockedFile("sub/语音.bin", 0, "cd" * 32)),
        ),
        Component("vocoder", (Source(url="https://host.example"),), (LockedFile("vocoder.bin", 1, "ef" * 32),)),
    ),
    version="v23",
    licence="Apache-2.0",
    options={"use_fp16": True, "steps": 25, "cfg": 0.7, "names": ["a", "b"], "深": None},
    trust_remote_code=True,
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    locks = {lock.name: lock for lock in (FULL, lock_of())}
    write_locks(tmp_path / "catalog.lock", locks)
    assert read_locks(tmp_path / "catalog.lock") == locks
    assert [path.name for path in tmp_path.iterdir()] == ["catalog.lock"]


def test_a_byte_order_mark_is_none_of_its_words(tmp_path: Path) -> None:
    path = tmp_path / "catalog.lock"
    write_locks(path, {})
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_locks(path) == {}
    path.write_bytes(b'{"schema": "\xc4"}')
    with pytest.raises(CatalogInvalid, match=r"byte 12 \(0xc4\) is not UTF-8"):
        read_locks(path)


def test_without_a_file_nothing_is_locked(tmp_path: Path) -> None:
    assert read_locks(tmp_path / "catalog.lock") == {}


def test_the_hash_is_the_same_on_every_machine_and_in_every_version() -> None:
    assert FULL.sha256 == "7639f9525e885bdd34018741afdd4a95a5eb0a9df4dafaeb66b8b7decf82280e"


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update(engine="other"),
        lambda data: data["options"].update(steps=26),
        lambda data: data.update(trust_remote_code=False),
        lambda data: data["components"].reverse(),
        lambda data: data["components"][0]["files"].reverse(),
        lambda data: data["components"][0]["sources"].pop(),
        lambda data: data["components"][1]["files"][0].update(sha256="ee" * 32),
    ],
)
def test_whatever_a_lock_says_is_in_its_hash(change: Callable[[Any], None]) -> None:
    data = FULL.to_json()
    change(data)
    data["lock_sha256"] = lock_sha256(data)
    assert PinLock.from_json(data).sha256 != FULL.sha256


def signed_again(data: dict[str, Any]) -> dict[str, Any]:
    """A lock whose hash is right, whatever else is wrong."""
    return {**data, "lock_sha256": lock_sha256(data)}


def with_file(**members: Any) -> dict[str, Any]:
    data = lock_of().to_json()
    data["components"][0]["files"][0].update(members)
    return signed_again(data)


def with_source(source: Any) -> dict[str, Any]:
    data = lock_of().to_json()
    data["components"][0]["sources"] = [source]
    return signed_again(data)


def without(member: str) -> dict[str, Any]:
    data = lock_of().to_json()
    del data[member]
    return signed_again(data) if member != "lock_sha256" else data


BAD_LOCKS: dict[str, Any] = {
    "no object": [1, 2],
    "a number": 7,
    "another schema": signed_again({**lock_of().to_json(), "schema": 2}),
    "a wrong hash": {**lock_of().to_json(), "lock_sha256": "00" * 32},
    "a member more": signed_again({**lock_of().to_json(), "comment": "x"}),
    "a name that leads away": signed_again({**lock_of().to_json(), "name": "../voice"}),
    "a name in capitals": signed_again({**lock_of().to_json(), "name": "Voice"}),
    "an engine that is a number": signed_again({**lock_of().to_json(), "engine": 3}),
    "trust as a number": {**lock_of(trust_remote_code=True).to_json(), "trust_remote_code": 1},
    "options that are a list": signed_again({**lock_of().to_json(), "options": [1]}),
    "no component": signed_again({**lock_of().to_json(), "components": []}),
    "components that are text": signed_again({**lock_of().to_json(), "components": "model"}),
    "a branch for a commit": with_source({"hub": "huggingface", "repo": "a/b", "revision": "main"}),
    "a short commit": with_source({"hub": "huggingface", "repo": "a/b", "revision": COMMIT[:39]}),
    "a commit in capitals": with_source({"hub": "huggingface", "repo": "a/b", "revision": COMMIT.upper()}),
    "an unknown hub": with_source({"hub": "elsewhere", "repo": "a/b", "revision": COMMIT}),
    "a source of two kinds": with_source({"url": "https://a.example", "folder": "/b"}),
    "a source that is text": with_source("https://a.example"),
    "a path upwards": with_file(path="../model.bin"),
    "a path upwards from below": with_file(path="a/../../model.bin"),
    "an absolute path": with_file(path="/etc/passwd"),
    "a path of Windows": with_file(path="a\\b"),
    "a drive": with_file(path="C:model"),
    "an empty path": with_file(path=""),
    "a dot": with_file(path="./model.bin"),
    "a doubled slash": with_file(path="a//b"),
    "a zero byte": with_file(path="a\x00b"),
    "a line break": with_file(path="a\nb"),
    "a path that is a number": with_file(path=7),
    "a path at the source that leads away": with_file(source_path="../../secret"),
    "a path twice": with_file(path="model.bin"),
    "a file below a file": with_file(path="model.bin/inside"),
    "a negative size": with_file(size=-1),
    "a size that is true": with_file(size=True),
    "a size with a fraction": with_file(size=1.5),
    "a short hash": with_file(sha256="ab"),
    "a hash in capitals": with_file(sha256="AB" * 32),
    "a hash that is a number": with_file(sha256=12),
    **{f"no {member}": without(member) for member in lock_of().to_json()},
}


@pytest.mark.parametrize("what", BAD_LOCKS)
def test_a_lock_that_is_not_right_is_refused_by_name(tmp_path: Path, what: str) -> None:
    path = tmp_path / "catalog.lock"
    path.write_text(json.dumps({"schema": 1, "pins": {"voice-v1": BAD_LOCKS[what]}}))
    with pytest.raises(CatalogInvalid, match=r"catalog\.lock, pin voice-v1: "):
        read_locks(path)


def test_every_lock_that_is_not_right_is_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "catalog.lock"
    pins = {"voice-v1": lock_of().to_json(), "one": BAD_LOCKS["a number"], "two": lock_of(name="three").to_json()}
    path.write_text(json.dumps({"schema": 1, "pins": pins}))
    with pytest.raises(CatalogInvalid) as refused:
        read_locks(path)
    first, second = str(refused.value).splitlines()
    assert "pin one" in first
    assert "pin two: its lock is that of three" in second


def test_all_that_is_wrong_with_a_lock_is_said_at_once() -> None:
    data = with_file(path="../model.bin", size=-1, sha256="ab")
    with pytest.raises(CatalogInvalid) as refused:
        PinLock.from_json({**data, "engine": 3, "comment": "x"})
    assert str(refused.value).splitlines() == [
        "engine is text, not 3",
        "component 1: file 1: path: '../model.bin' is no path inside a snapshot",
        "component 1: file 1: size: -1 is no number of bytes",
        "component 1: file 1: sha256: 'ab' is no SHA-256",
        "unknown member comment; known members: engine, components, version, licence, options, trust_remote_code",
    ]


def test_a_host_that_reads_no_lock_does_not_load_what_checks_one() -> None:
    modules = "services.worker.engines.host, services.scorer.metrics.instruments, services.scorer.metrics.host"
    probe = f"import sys, {modules}; print('shared.weights.lock' in sys.modules, 'pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", probe], check=True, capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["True", "False"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"schema": 1}',
        '{"schema": 2, "pins": {}}',
        '{"schema": 1, "pins": []}',
        '{"schema": 1, "pins": {}, "pins": {}}',
        '{"schema": NaN, "pins": {}}',
        "\x00",
    ],
)
def test_a_file_that_is_no_lock_is_refused_by_its_path(tmp_path: Path, text: str) -> None:
    path = tmp_path / "catalog.lock"
    path.write_text(text)
    with pytest.raises(CatalogInvalid, match=r"catalog\.lock"):
        read_locks(path)


@pytest.mark.parametrize("path", ["a", "a/b.bin", "a b", "ä/语", ".hidden", "a..b", "..."])
def test_paths_that_stay_inside(path: str) -> None:
    assert safe_path(path)
