"""Watch, and the commands `lock` and `watch` as a person types them, against a hub on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from services.pins.cli.lock_commands import lock, watch_pins
from services.pins.locking.lock import Locked, Locker, lock_pins
from services.pins.locking.lock_book import LockBook
from services.pins.locking.watching import Watched, WatchState, watch
from services.pins.sources.base import SourceAccess
from shared.weights.catalog_file import Entry, Wanted
from shared.weights.lock import PinLock, Source
from shared.weights.store import WeightStore
from tests.pins.conftest import IMPATIENT
from tests.pins.hub import Hub

FILES = {"config.json": b"{}", "model.bin": bytes(4000)}
WANTED = (
    Wanted("model", (Source(hub="huggingface", repo="team/voice", revision="main"),)),
    Wanted("codec", (Source(hub="modelscope", repo="team/codec", revision="master"),), folder="codec"),
)
ENTRY = Entry(name="voice", engine="transformers", components=WANTED)


@pytest.fixture
def locked(hub: Hub, store: WeightStore, access: SourceAccess, tmp_path: Path) -> PinLock:
    """`ENTRY`, locked to what both repositories are now."""
    for repo in ("team/voice", "team/codec"):
        hub.repo(repo).commit(FILES)
    (outcome,) = lock_pins(LockBook(tmp_path / "catalog.lock"), [ENTRY], Locker(store, access, lambda _: None))
    assert isinstance(outcome, Locked)
    return outcome.lock


def watched(pin: PinLock, access: SourceAccess, *entries: Entry) -> Watched:
    (answer,) = watch({entry.name: entry for entry in entries}, [pin], access)
    return answer


def test_what_has_not_moved_stands(locked: PinLock, access: SourceAccess) -> None:
    answer = watched(locked, access, ENTRY)
    assert [seen.state for seen in answer.seen] == [WatchState.STANDS, WatchState.STANDS]
    assert answer.disagreements == []


def test_a_moved_branch_is_told_with_the_commit_it_is_at(locked: PinLock, hub: Hub, access: SourceAccess) -> None:
    newer = hub.repo("team/voice").commit({"config.json": b"{ }"})
    model, codec = watched(locked, access, ENTRY).seen
    assert (model.state, model.branch, model.now) == (WatchState.MOVED, "main", newer)
    assert codec.state is WatchState.STANDS


@pytest.mark.parametrize(("repo", "role"), [("team/voice", "model"), ("team/codec", "codec")])
def test_a_deleted_commit_is_told(repo: str, role: str, locked: PinLock, hub: Hub, access: SourceAccess) -> None:
    (old,) = hub.repo(repo).commits
    hub.repo(repo).commit({"config.json": b"{ }"})
    hub.repo(repo).delete(old)
    states = {seen.role: seen.state for seen in watched(locked, access, ENTRY).seen}
    assert states.pop(role) is WatchState.GONE
    assert set(states.values()) == {WatchState.STANDS}


def test_a_hub_that_does_not_answer_says_nothing_of_the_pin(locked: PinLock, hub: Hub, access: SourceAccess) -> None:
    hub.stop()
    assert {seen.state for seen in watched(locked, access, ENTRY).seen} == {WatchState.UNKNOWN}


def test_a_mirror_that_lags_does_not_make_a_commit_gone(
    locked: PinLock, hub: Hub, start_hub: Callable[..., Hub]
) -> None:
    lagging = start_hub()
    through = SourceAccess(huggingface=(lagging.url, hub.url), modelscope=(hub.url,), patience=IMPATIENT)
    assert {seen.state for seen in watched(locked, through, ENTRY).seen} == {WatchState.STANDS}


def test_a_catalog_that_wants_something_else_is_told(locked: PinLock, access: SourceAccess) -> None:
    other = Entry(name="voice", engine="transformers", components=WANTED[:1], licence="MIT")
    answer = watched(locked, access, other)
    assert answer.disagreements == [
        "licence is 'MIT' in the catalog and '' in the lock",
        "component codec is no longer in the catalog",
    ]


def test_a_pin_that_left_the_catalog_is_told(locked: PinLock, access: SourceAccess) -> None:
    assert watched(locked, access).disagreements is None


CATALOG = """
schema = 1
[pins.voice]
engine = "transformers"
[[pins.voice.components]]
role = "model"
sources = [{hub = "huggingface", repo = "team/voice", revision = "main"}]
"""


@pytest.fixture
def run(hub: Hub, tmp_path: Path) -> Callable[..., Result]:
    """A command with a catalog of one pin, and the hub in its environment."""
    hub.repo("team/voice").commit(FILES)
    (tmp_path / "catalog.toml").write_text(CATALOG)
    environ = {"RINGTRUE_DATA": str(tmp_path), "HF_ENDPOINT": hub.url, "MODELSCOPE_ENDPOINT": hub.url}

    def run(command: click.Command, *arguments: str) -> Result:
        return CliRunner(env=environ).invoke(command, arguments)

    return run


def test_lock_says_a_line_per_pin_and_writes_beside_the_catalog(run: Callable[..., Result], tmp_path: Path) -> None:
    done = run(lock)
    assert (done.exit_code, done.stdout.splitlines()[0].split(",")[0]) == (0, "voice: locked")
    assert set(LockBook(tmp_path / "catalog.lock").read()) == {"voice"}
    assert run(lock).stdout.startswith("voice: already locked")


def test_lock_tells_programs_the_same(run: Callable[..., Result]) -> None:
    assert json.loads(run(lock, "--json").stdout)["state"] == "locked"
    assert json.loads(run(lock, "--json", "--update").stdout)["state"] == "unchanged"


def test_a_pin_that_cannot_be_locked_ends_with_a_code_that_is_no_verdict(run: Callable[..., Result], hub: Hub) -> None:
    hub.repos.clear()
    done = run(lock)
    assert done.exit_code >= 64
    assert "voice: not locked" in done.stderr


def test_a_pin_that_the_catalog_does_not_name_is_not_found(run: Callable[..., Result]) -> None:
    assert run(lock, "nobody").exit_code == 66


def test_watch_tells_and_changes_nothing(run: Callable[..., Result], hub: Hub, tmp_path: Path) -> None:
    run(lock)
    before = (tmp_path / "catalog.lock").read_bytes()
    newer = hub.repo("team/voice").commit({"config.json": b"{ }"})
    done = run(watch_pins)
    assert (done.exit_code, f"main has moved to {newer}" in done.stdout) == (0, True)
    assert json.loads(run(watch_pins, "--json").stdout)["sources"][0]["branch_is_at"] == newer
    assert (tmp_path / "catalog.lock").read_bytes() == before


def test_watch_where_nobody_could_be_asked_is_unavailable(run: Callable[..., Result], hub: Hub) -> None:
    run(lock)
    hub.stop()
    assert run(watch_pins).exit_code == 69
