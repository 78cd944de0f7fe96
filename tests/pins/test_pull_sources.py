"""Pull and its sources: whoever delivers, the bytes are the locked ones; who does not is named, and the next asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from services.pins.pulling.pull import Pulled, Unpulled, pull
from services.pins.sources.base import Gone, ListedFile, SourceAccess, SourceFailed
from shared.weights.hashing import OnBytes
from shared.weights.lock import EMPTY_SHA256, LockedFile, PinLock, Source
from shared.weights.store import WeightStore
from tests.model_stores import locked
from tests.pins.hub import Fault, Hub
from tests.pins.pulls import (
    HUBS,
    Heard,
    left_over,
    on_hub,
    pulled,
    quarantined,
    sources_of,
    unpulled,
    voice,
)

BROUGHT_WRONG = [Fault.SHORT, Fault.EMPTY, Fault.WRONG]
NOT_BROUGHT = [Fault.TRUNCATED, Fault.TOO_LONG, Fault.STALLED, Fault.MISSING, Fault.BROKEN]


@pytest.fixture
def mirrored(access: SourceAccess, start_hub: Callable[..., Hub]) -> tuple[Hub, SourceAccess]:
    """A second hub with the same voice, and access to both in this order."""
    mirror = start_hub()
    return mirror, dataclasses.replace(
        access, huggingface=(*access.huggingface, mirror.url), modelscope=(*access.modelscope, mirror.url)
    )


@pytest.mark.parametrize("fault", BROUGHT_WRONG)
@pytest.mark.parametrize("kind", HUBS)
def test_wrong_bytes_are_put_aside_and_the_next_source_is_asked(
    hub: Hub, store: WeightStore, mirrored: tuple[Hub, SourceAccess], fault: Fault, kind: str
) -> None:
    mirror, access = mirrored
    on_hub(mirror, voice())
    lock = on_hub(hub, voice(), kind)
    hub.fail("model.bin", fault)
    heard = Heard()
    pulled(store, lock, access, heard)
    assert mirror.url in (heard.source_name["model.bin"] or "")
    (note,) = quarantined(store)
    locked_sha256 = next(file.sha256 for file in lock.files if file.path == "model.bin")
    assert note["locked_sha256"] == locked_sha256
    assert note["found_sha256"] != locked_sha256
    assert hub.url in str(note["from"])
    (line,) = heard.lines
    assert locked_sha256 in line
    assert ("is empty" in line) if note["found_sha256"] == EMPTY_SHA256 else (str(note["found_sha256"]) in line)


@pytest.mark.parametrize("fault", NOT_BROUGHT)
@pytest.mark.parametrize("kind", HUBS)
def test_a_source_that_does_not_deliver_is_named_and_the_next_is_asked(
    hub: Hub, store: WeightStore, mirrored: tuple[Hub, SourceAccess], fault: Fault, kind: str
) -> None:
    mirror, access = mirrored
    on_hub(mirror, voice())
    lock = on_hub(hub, voice(), kind)
    hub.fail("model.bin", fault)
    heard = Heard()
    pulled(store, lock, access, heard)
    assert mirror.url in (heard.source_name["model.bin"] or "")
    assert hub.url in (heard.source_name["config.json"] or "")
    (line,) = heard.lines
    assert hub.url in line
    assert "model.bin" in line
    assert quarantined(store) == []


@pytest.mark.parametrize("fault", [*BROUGHT_WRONG, *NOT_BROUGHT])
def test_without_another_source_the_pull_fails_by_name_and_later_needs_the_rest_alone(
    hub: Hub, store: WeightStore, access: SourceAccess, fault: Fault
) -> None:
    lock = on_hub(hub, voice())
    hub.fail("model.bin", fault)
    (why,) = unpulled(store, lock, access).why
    assert "model.bin" in why
    assert hub.url in why
    assert not store.snapshot(lock).exists()
    hub.mend()
    assert [brought.file.path for brought in pulled(store, lock, access).fetched] == ["model.bin"]
    assert left_over(store) == []


@pytest.mark.parametrize("fault", [Fault.REDIRECTED, Fault.NO_RANGES])
def test_what_is_unusual_and_no_fault_is_taken(
    hub: Hub, store: WeightStore, access: SourceAccess, fault: Fault
) -> None:
    lock = on_hub(hub, voice())
    hub.fail("*", fault)
    heard = Heard()
    pulled(store, lock, access, heard)
    assert heard.lines == []


def test_what_one_source_began_another_one_ends(
    hub: Hub, store: WeightStore, mirrored: tuple[Hub, SourceAccess]
) -> None:
    mirror, access = mirrored
    on_hub(mirror, voice())
    lock = on_hub(hub, voice())
    hub.fail("model.bin", Fault.TRUNCATED)
    pulled(store, lock, access)
    assert mirror.sent("model.bin") == len(voice()["model.bin"]) // 2


@pytest.mark.parametrize("kind", HUBS)
def test_a_commit_that_is_gone_here_is_had_from_a_mirror_that_kept_it(
    hub: Hub, store: WeightStore, mirrored: tuple[Hub, SourceAccess], kind: str
) -> None:
    mirror, access = mirrored
    on_hub(mirror, voice())
    lock = on_hub(hub, voice(), kind)
    hub.repo("team/voice").commit(voice(seed=2))
    hub.repo("team/voice").delete(str(lock.components[0].sources[0].revision))
    assert all(mirror.url in str(brought.source_name) for brought in pulled(store, lock, access).fetched)


def test_a_folder_and_a_url_deliver_as_well(hub: Hub, store: WeightStore, access: SourceAccess, tmp_path: Path) -> None:
    files = voice()
    on_hub(hub, files)
    (tmp_path / "config.json").write_bytes(files["config.json"])
    lock = locked("voice-v1", files, Source(folder=str(tmp_path)), Source(url=hub.plain("team/voice")))
    source_name = {brought.file.path: str(brought.source_name) for brought in pulled(store, lock, access).fetched}
    assert source_name["config.json"] == f"folder {tmp_path}"
    assert source_name["model.bin"] == f"url {hub.plain('team/voice')}"


class Flaky:
    """A source that delivers what it is told to, and counts."""

    def __init__(self, name: str, says: Callable[[int], Exception | None]) -> None:
        self.name = name
        self.asked = 0
        self._says = says

    def resolve(self) -> str | None:
        return None

    def listed(self) -> Sequence[ListedFile]:
        return ()

    def fetch(self, file: LockedFile, into: Path, on_bytes: OnBytes) -> None:
        self.asked += 1
        if (error := self._says(self.asked)) is not None:
            raise error
        into.write_bytes(file.path.encode())
        on_bytes(file.size)


def names(count: int) -> PinLock:
    """A pin whose files hold their own names."""
    return locked("voice-v1", {f"file-{number}": f"file-{number}".encode() for number in range(count)})


@pytest.mark.parametrize(
    ("error", "asked"),
    [(lambda _: SourceFailed("down"), 2), (lambda n: SourceFailed("now and then") if n % 2 else None, 10)],
)
def test_a_source_that_is_down_is_not_asked_for_every_file(
    store: WeightStore, error: Callable[[int], Exception | None], asked: int
) -> None:
    down, up = Flaky("down", error), Flaky("up", lambda _: None)
    (outcome,) = pull(store, [names(10)], lambda _: [down, up], Heard(), threads=1)
    assert isinstance(outcome, Pulled)
    assert down.asked == asked


def test_a_source_that_has_not_this_file_is_asked_for_the_others(store: WeightStore) -> None:
    poor, rich = Flaky("poor", lambda n: Gone("no such file") if n <= 5 else None), Flaky("rich", lambda _: None)
    pull(store, [names(10)], lambda _: [poor, rich], Heard(), threads=1)
    assert (poor.asked, rich.asked) == (10, 5)


def test_a_pin_that_cannot_be_had_leaves_the_other_pulled(hub: Hub, store: WeightStore, access: SourceAccess) -> None:
    good = on_hub(hub, voice())
    bad = locked("bad", {"lost.bin": b"lost"}, Source(folder="/nowhere"))
    first, second = pull(store, [bad, good], sources_of(access), Heard())
    assert isinstance(first, Unpulled)
    assert isinstance(second, Pulled)


def test_a_disk_that_fails_ends_the_pull(store: WeightStore) -> None:
    full = Flaky("full", lambda _: OSError(28, "No space left on device"))
    with pytest.raises(OSError, match="No space left"):
        pull(store, [names(1)], lambda _: [full], Heard())
