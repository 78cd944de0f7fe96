"""Pull and its store: nothing travels twice, nothing is left over, and there is room before the first byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.pins.pulling.pull import Pulled, pull
from services.pins.pulling.space import MARGIN_BYTES, NotEnoughSpace
from services.pins.sources.base import SourceAccess
from shared.weights.lock import PinLock
from shared.weights.store import WeightStore
from shared.weights.verification import verify
from tests.pins.hub import Hub
from tests.pins.pulls import (
    HUBS,
    Heard,
    left_over,
    on_hub,
    pulled,
    quarantined,
    sources_of,
    voice,
)


@pytest.mark.parametrize("kind", HUBS)
def test_a_pin_is_pulled_and_laid_out_as_locked(hub: Hub, store: WeightStore, access: SourceAccess, kind: str) -> None:
    files = voice()
    heard = Heard()
    outcome = pulled(store, on_hub(hub, files, kind), access, heard)
    there = {str(p.relative_to(outcome.verified.folder)): p.read_bytes() for p in _files(outcome.verified.folder)}
    assert there == files
    assert outcome.received == sum(map(len, files.values()))
    assert heard.came == {path: len(content) for path, content in files.items()}
    assert left_over(store) == []


def test_a_branch_that_moved_changes_nothing(hub: Hub, store: WeightStore, access: SourceAccess) -> None:
    lock = on_hub(hub, voice())
    hub.repo("team/voice").commit(voice(seed=2))
    assert quarantined(store) == []
    assert (pulled(store, lock, access).verified.folder / "model.bin").read_bytes() == voice()["model.bin"]


def test_the_next_version_fetches_what_differs_and_says_what_was_saved(
    hub: Hub, store: WeightStore, access: SourceAccess
) -> None:
    v21 = on_hub(hub, voice(seed=21), name="voice-v21")
    pulled(store, v21, access)
    v23 = on_hub(hub, voice(seed=23), name="voice-v23")
    (outcome,) = pull(store, [v23], sources_of(access), Heard(), known=[v21, v23])
    assert isinstance(outcome, Pulled)
    assert [brought.file.path for brought in outcome.fetched] == ["model.bin"]
    assert outcome.saved == v23.size - len(voice()["model.bin"])
    assert outcome.shared_with == ["voice-v21"]
    assert len(hub.asked("generator.bin")) == 1


def test_two_versions_pulled_together_fetch_what_they_share_once(
    hub: Hub, store: WeightStore, access: SourceAccess
) -> None:
    locks = [on_hub(hub, voice(seed), name=f"voice-v{seed}") for seed in (21, 23)]
    first, second = pull(store, locks, sources_of(access), Heard())
    assert isinstance(first, Pulled)
    assert isinstance(second, Pulled)
    assert (len(first.fetched), len(second.fetched)) == (3, 1)
    assert len(hub.asked("generator.bin")) == 1


def test_the_same_bytes_under_two_names_are_fetched_once(hub: Hub, store: WeightStore, access: SourceAccess) -> None:
    lock = on_hub(hub, {"a.bin": b"same" * 1000, "b/c.bin": b"same" * 1000, "empty": b""})
    outcome = pulled(store, lock, access)
    assert outcome.received == 4000
    assert (outcome.verified.folder / "b/c.bin").read_bytes() == b"same" * 1000


def test_a_pull_of_what_is_there_asks_nobody(hub: Hub, store: WeightStore, access: SourceAccess) -> None:
    lock = on_hub(hub, voice())
    pulled(store, lock, access)
    before = len(hub.requests)
    outcome = pulled(store, lock, access)
    assert (outcome.fetched, outcome.saved) == ([], lock.size)
    assert len(hub.requests) == before


def test_what_went_bad_in_the_store_is_put_aside_and_fetched_again(
    hub: Hub, store: WeightStore, access: SourceAccess
) -> None:
    lock = on_hub(hub, voice())
    blob = pulled(store, lock, access).verified.folder.joinpath("model.bin").resolve()
    blob.chmod(0o644)
    blob.write_bytes(bytes(blob.stat().st_size))
    assert [brought.file.path for brought in pulled(store, lock, access).fetched] == ["model.bin"]
    assert quarantined(store)[0]["from"] == "the store itself"
    verify(store, lock, whole=True)


def test_a_disk_that_is_too_small_is_told_before_the_first_byte(
    hub: Hub, store: WeightStore, access: SourceAccess
) -> None:
    lock = on_hub(hub, voice())
    with pytest.raises(NotEnoughSpace, match=r"400\.0 kB must be fetched"):
        pull(store, [lock], sources_of(access), Heard(), free=lambda _: MARGIN_BYTES + lock.size - 1)
    assert hub.requests == []


def test_what_has_arrived_already_needs_no_room(hub: Hub, store: WeightStore, access: SourceAccess) -> None:
    lock = on_hub(hub, voice())
    _begun(store, lock, voice()["model.bin"][:1000])
    (outcome,) = pull(store, [lock], sources_of(access), Heard(), free=lambda _: MARGIN_BYTES + lock.size - 1000)
    assert isinstance(outcome, Pulled)
    assert outcome.received == lock.size - 1000


def test_an_earlier_download_that_is_whole_is_taken_without_asking(
    hub: Hub, store: WeightStore, access: SourceAccess
) -> None:
    lock = on_hub(hub, voice())
    _begun(store, lock, voice()["model.bin"])
    pulled(store, lock, access)
    assert hub.asked("model.bin") == []


@pytest.mark.parametrize("wrong_bytes", [1000, 300_000, 300_001])
def test_an_earlier_download_that_is_wrong_is_not_laid_on_the_source(
    hub: Hub, store: WeightStore, access: SourceAccess, wrong_bytes: int
) -> None:
    lock = on_hub(hub, voice())
    _begun(store, lock, bytes(wrong_bytes))
    heard = Heard()
    pulled(store, lock, access, heard)
    assert hub.url in (heard.source_name["model.bin"] or "")


def test_what_dead_pulls_left_is_swept_unless_a_lock_still_wants_it(
    hub: Hub, store: WeightStore, access: SourceAccess
) -> None:
    other = on_hub(hub, voice(seed=2), name="other")
    lock = on_hub(hub, voice())
    wanted = _begun(store, other, b"of a pin that will be pulled one day")
    unwanted = store.partial("0" * 64)
    unwanted.write_bytes(b"of a lock that is no more")
    unwanted.with_name(f"{unwanted.name}.held").touch()
    pull(store, [lock], sources_of(access), Heard(), known=[lock, other])
    assert left_over(store) == [wanted]


def _begun(store: WeightStore, lock: PinLock, arrived: bytes) -> Path:
    """What a pull that was killed has left of `model.bin`."""
    partial = store.partial(next(file.sha256 for file in lock.files if file.path == "model.bin"))
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.write_bytes(arrived)
    return partial


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
