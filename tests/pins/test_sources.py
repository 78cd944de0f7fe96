"""Sources against a hub on loopback, through the hubs' own clients: what they deliver, and what each fault becomes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from services.pins.sources.base import Gone, ModelSource, NotListed, SourceAccess, SourceFailed
from services.pins.sources.table import open_source
from shared.weights.hashing import never_mind
from shared.weights.lock import LockedFile, Source
from shared.weights.store import WeightStore, WrongBytes
from tests.pins.conftest import IMPATIENT
from tests.pins.hub import Fault, Hub

BIG = bytes(range(256)) * 400
FILES = {"config.json": b'{"rate": 24000}', "weights/model.bin": BIG}
MODEL = "weights/model.bin"
HUBS = ["huggingface", "modelscope"]
EVERY = [*HUBS, "url"]

Opened = Callable[..., ModelSource]


@pytest.fixture
def opened(hub: Hub, access: SourceAccess) -> Opened:
    """A source of the repository team/voice, by kind."""

    def opened(kind: str, revision: str = "main") -> ModelSource:
        if kind == "url":
            return open_source(Source(url=hub.plain("team/voice")), access, names=tuple(FILES))
        return open_source(Source(hub=kind, repo="team/voice", revision=revision), access)

    return opened


@pytest.fixture(autouse=True)
def commit(hub: Hub) -> str:
    return hub.repo("team/voice").commit(FILES)


@pytest.fixture
def model(hub: Hub, commit: str) -> LockedFile:
    return LockedFile("model.bin", len(BIG), hub.repo("team/voice").commits[commit][MODEL].sha256, MODEL)


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "partial"


@pytest.mark.parametrize("kind", HUBS)
def test_a_branch_is_resolved_to_the_commit_it_is_at(kind: str, opened: Opened, commit: str) -> None:
    assert opened(kind).resolve() == commit


@pytest.mark.parametrize("kind", HUBS)
def test_a_moved_branch_leaves_the_pinned_commit_as_it_was(
    kind: str, hub: Hub, opened: Opened, commit: str, model: LockedFile, into: Path
) -> None:
    newer = hub.repo("team/voice").commit({MODEL: BIG[::-1]})
    pinned = opened(kind, commit)
    pinned.fetch(model, into, never_mind)
    assert (opened(kind).resolve(), pinned.resolve(), into.read_bytes()) == (newer, commit, BIG)


@pytest.mark.parametrize("kind", HUBS)
def test_a_deleted_commit_is_gone_for_every_question(
    kind: str, hub: Hub, opened: Opened, commit: str, model: LockedFile, into: Path
) -> None:
    hub.repo("team/voice").delete(commit)
    source = opened(kind, commit)
    for ask in (source.resolve, source.listed, lambda: source.fetch(model, into, never_mind)):
        with pytest.raises(Gone):
            ask()


@pytest.mark.parametrize("kind", HUBS)
def test_a_branch_that_is_not_there_is_gone(kind: str, opened: Opened) -> None:
    with pytest.raises(Gone):
        opened(kind, "no-such-branch").resolve()


def test_huggingface_lists_sha256_of_large_files_and_what_git_calls_the_small_ones(
    hub: Hub, opened: Opened, commit: str
) -> None:
    files = hub.repo("team/voice").commits[commit]
    small, large = sorted(opened("huggingface").listed(), key=lambda file: file.size)
    assert (small.path, small.size, small.sha256, small.git_sha1) == ("config.json", 15, None, files["config.json"].oid)
    assert (large.path, large.size, large.sha256) == (MODEL, len(BIG), files[MODEL].sha256)


def test_modelscope_lists_sha256_of_every_file_and_no_folders(hub: Hub, opened: Opened, commit: str) -> None:
    listed = {file.path: file.sha256 for file in opened("modelscope").listed()}
    assert listed == {path: file.sha256 for path, file in hub.repo("team/voice").commits[commit].items()}


def test_a_url_has_the_files_that_are_named_and_says_their_sizes(opened: Opened) -> None:
    assert {file.path: file.size for file in opened("url").listed()} == {path: len(FILES[path]) for path in FILES}


def test_a_url_cannot_be_asked_for_a_pattern(hub: Hub, access: SourceAccess) -> None:
    with pytest.raises(NotListed):
        open_source(Source(url=hub.plain("team/voice")), access, names=("*.bin",)).listed()


@pytest.mark.parametrize("kind", EVERY)
def test_fetching_tells_of_every_byte(kind: str, opened: Opened, model: LockedFile, into: Path) -> None:
    told: list[int] = []
    opened(kind).fetch(model, into, told.append)
    assert (into.read_bytes() == BIG, sum(told)) == (True, len(BIG))


@pytest.mark.parametrize("kind", EVERY)
def test_a_download_goes_on_after_the_bytes_that_are_there(
    kind: str, hub: Hub, opened: Opened, model: LockedFile, into: Path
) -> None:
    into.write_bytes(BIG[:1000])
    opened(kind).fetch(model, into, never_mind)
    assert (into.read_bytes() == BIG, hub.sent("model.bin")) == (True, len(BIG) - 1000)


def test_a_whole_download_is_not_asked_for_again(hub: Hub, opened: Opened, model: LockedFile, into: Path) -> None:
    into.write_bytes(BIG)
    opened("huggingface").fetch(model, into, never_mind)
    assert hub.asked("model.bin") == []


def test_more_than_there_should_be_is_thrown_away(opened: Opened, model: LockedFile, into: Path) -> None:
    into.write_bytes(BIG + b"more")
    told: list[int] = []
    opened("huggingface").fetch(model, into, told.append)
    assert (into.read_bytes() == BIG, sum(told)) == (True, -4)


@pytest.mark.parametrize("kind", EVERY)
def test_a_server_without_ranges_sends_everything_again(
    kind: str, hub: Hub, opened: Opened, model: LockedFile, into: Path
) -> None:
    into.write_bytes(b"x" * 1000)
    hub.fail(MODEL, Fault.NO_RANGES)
    told: list[int] = []
    opened(kind).fetch(model, into, told.append)
    assert (into.read_bytes() == BIG, sum(told)) == (True, len(BIG) - 1000)


@pytest.mark.parametrize("kind", EVERY)
def test_a_cut_connection_is_taken_up_where_it_was(
    kind: str, hub: Hub, opened: Opened, model: LockedFile, into: Path
) -> None:
    hub.fail(MODEL, Fault.TRUNCATED, times=1)
    opened(kind).fetch(model, into, never_mind)
    assert (into.read_bytes() == BIG, hub.sent("model.bin")) == (True, len(BIG))


@pytest.mark.parametrize("kind", EVERY)
def test_a_file_that_stays_truncated_fails_and_what_came_is_kept(
    kind: str, hub: Hub, opened: Opened, model: LockedFile, into: Path
) -> None:
    hub.fail(MODEL, Fault.TRUNCATED)
    with pytest.raises(SourceFailed, match="cut off"):
        opened(kind).fetch(model, into, never_mind)
    assert into.read_bytes() == BIG[: len(BIG) // 2]


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize(
    ("fault", "said"), [(Fault.WRONG, "has sha256"), (Fault.SHORT, "has sha256"), (Fault.EMPTY, "is empty")]
)
def test_a_whole_answer_with_wrong_bytes_is_delivered_and_found_out_by_the_store(
    kind: str, fault: Fault, said: str, hub: Hub, opened: Opened, model: LockedFile, store: WeightStore, tmp_path: Path
) -> None:
    hub.fail(MODEL, fault)
    into = tmp_path / "brought"
    opened(kind).fetch(model, into, never_mind)
    with pytest.raises(WrongBytes, match=said):
        store.adopt(into, model, source_name="there")


@pytest.mark.parametrize("kind", EVERY)
def test_more_than_the_locked_size_is_refused_and_never_written(
    kind: str, hub: Hub, opened: Opened, model: LockedFile, into: Path
) -> None:
    hub.fail(MODEL, Fault.TOO_LONG)
    with pytest.raises(SourceFailed, match="more than"):
        opened(kind).fetch(model, into, never_mind)
    assert into.stat().st_size == model.size


@pytest.mark.parametrize("kind", EVERY)
def test_a_stalled_stream_fails_in_time_and_what_came_is_kept(
    kind: str, hub: Hub, opened: Opened, model: LockedFile, into: Path
) -> None:
    hub.fail(MODEL, Fault.STALLED)
    began = time.monotonic()
    with pytest.raises(SourceFailed, match="stalled"):
        opened(kind).fetch(model, into, never_mind)
    assert time.monotonic() - began < IMPATIENT.stall_s + 2
    assert into.stat().st_size == len(BIG) // 2


@pytest.mark.parametrize("kind", EVERY)
def test_a_file_that_is_not_there_is_asked_for_once(
    kind: str, hub: Hub, opened: Opened, model: LockedFile, into: Path
) -> None:
    hub.fail(MODEL, Fault.MISSING)
    with pytest.raises(Gone):
        opened(kind).fetch(model, into, never_mind)
    assert len(hub.asked("model.bin")) == 1


@pytest.mark.parametrize("kind", EVERY)
def test_a_server_in_trouble_is_asked_again_a_few_times(
    kind: str, hub: Hub, opened: Opened, model: LockedFile, into: Path
) -> None:
    hub.fail(MODEL, Fault.BROKEN, times=2)
    opened(kind).fetch(model, into, never_mind)
    assert (into.read_bytes() == BIG, len(hub.asked("model.bin"))) == (True, 3)


@pytest.mark.parametrize("kind", EVERY)
def test_a_server_that_stays_in_trouble_is_given_up(
    kind: str, hub: Hub, opened: Opened, model: LockedFile, into: Path
) -> None:
    hub.fail(MODEL, Fault.BROKEN)
    with pytest.raises(SourceFailed, match="503"):
        opened(kind).fetch(model, into, never_mind)
    assert len(hub.asked("model.bin")) == IMPATIENT.attempts


@pytest.mark.parametrize("kind", HUBS)
def test_a_redirect_to_another_host_is_followed_without_the_key(
    kind: str, start_hub: Callable[..., Hub], model: LockedFile, into: Path
) -> None:
    guarded = start_hub(token="secret")
    guarded.repo("team/voice").commit(FILES)
    guarded.fail(MODEL, Fault.REDIRECTED)
    into.write_bytes(BIG[:1000])
    access = SourceAccess(
        huggingface=(guarded.url,),
        huggingface_token="secret",
        modelscope=(guarded.url,),
        modelscope_token="secret",
        patience=IMPATIENT,
    )
    open_source(Source(hub=kind, repo="team/voice", revision="main"), access).fetch(model, into, never_mind)
    (elsewhere,) = guarded.asked("by-sha256")
    assert into.read_bytes() == BIG
    assert not {"authorization", "cookie"} & elsewhere.headers.keys()


@pytest.mark.parametrize("kind", HUBS)
def test_without_the_key_the_message_says_that_one_is_wanted(kind: str, start_hub: Callable[..., Hub]) -> None:
    guarded = start_hub(token="secret")
    access = SourceAccess(huggingface=(guarded.url,), modelscope=(guarded.url,), patience=IMPATIENT)
    with pytest.raises(SourceFailed, match="401"):
        open_source(Source(hub=kind, repo="team/voice", revision="main"), access).resolve()


@pytest.mark.parametrize("kind", HUBS)
@pytest.mark.parametrize("failure", [503, "stall"])
def test_questions_to_a_hub_in_trouble_end_in_time(kind: str, failure: int | str, hub: Hub, opened: Opened) -> None:
    hub.fail_api(failure)  # type: ignore[arg-type]
    source = opened(kind)
    began = time.monotonic()
    for ask in (source.resolve, source.listed):
        with pytest.raises(SourceFailed):
            ask()
    assert time.monotonic() - began < 2 * IMPATIENT.answer_s + 2


@pytest.mark.parametrize("kind", EVERY)
def test_a_host_that_is_down_is_said(kind: str, hub: Hub, opened: Opened, model: LockedFile, into: Path) -> None:
    source = opened(kind)
    hub.stop()
    with pytest.raises(SourceFailed, match="not reachable"):
        source.fetch(model, into, never_mind)


def test_the_hub_on_loopback_speaks_to_huggingfaces_own_download(hub: Hub, commit: str, tmp_path: Path) -> None:
    from huggingface_hub import snapshot_download

    snapshot_download("team/voice", revision=commit, endpoint=hub.url, local_dir=tmp_path / "there")
    assert {path: (tmp_path / "there" / path).read_bytes() for path in FILES} == FILES


def test_the_hub_on_loopback_speaks_to_modelscopes_own_download(hub: Hub, commit: str, tmp_path: Path) -> None:
    from modelscope_hub.api import HubApi

    api = HubApi(endpoint=hub.url)
    api.download_repo("team/voice", "model", revision=commit, local_dir=tmp_path / "there")
    assert {path: (tmp_path / "there" / path).read_bytes() for path in FILES} == FILES
