"""Readiness: what each probe says is passed on, whatever it says, raises or leaves unsaid."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from services.gateway.deps import Probe
from services.gateway.routes.health import ReadinessCheck
from shared.errors import StoreUnavailable
from tests.gateway.place import opened
from tests.memory_store import MemoryJobStore

pytestmark = pytest.mark.anyio


def raising(error: Exception) -> Probe:
    def probe() -> object:
        raise error

    return probe


ALL_WELL: list[Probe] = [lambda: None, lambda: True, lambda: False, lambda: 7]
AWAY: list[Probe] = [raising(OSError("gone")), raising(StoreUnavailable("gone")), raising(RuntimeError("a bug"))]


@pytest.mark.parametrize("probe", ALL_WELL)
async def test_what_is_no_code_and_no_exception_is_ok(probe: Probe, tmp_path: Path) -> None:
    async with opened(tmp_path, probes={"thing": probe}) as place:
        answer = await place.http.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "checks": {"store": "ok", "thing": "ok"}})


@pytest.mark.parametrize("probe", AWAY)
async def test_whatever_a_probe_raises_its_subject_is_unreachable(probe: Probe, tmp_path: Path) -> None:
    async with opened(tmp_path, probes={"thing": probe}) as place:
        answer = await place.http.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"] == {"store": "ok", "thing": "unreachable"}


@pytest.mark.parametrize("name", ["thing", "store"])
async def test_a_reason_code_degrades_and_jobs_are_still_accepted(name: str, tmp_path: Path) -> None:
    async with opened(tmp_path, probes={name: lambda: "claims_waiting"}) as place:
        answer = await place.http.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"][name] == "claims_waiting"


class Away(MemoryJobStore):
    """A store that does not answer."""

    def ping(self) -> None:
        raise StoreUnavailable("gone")


async def test_without_its_store_a_gateway_is_unavailable_and_says_when_to_ask_again(tmp_path: Path) -> None:
    async with opened(tmp_path, Away()) as place:
        answer = await place.http.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "5"


async def test_a_probe_that_hangs_is_unreachable_and_is_not_asked_again_meanwhile() -> None:
    may_answer = threading.Event()
    asked: list[int] = []

    def hanging() -> object:
        asked.append(1)
        return may_answer.wait(60)

    readiness = ReadinessCheck({"store": lambda: None, "thing": hanging}, patience_s=0.1)
    for _ in range(5):
        assert await readiness.look() == {"store": "ok", "thing": "unreachable"}
    assert len(asked) == 1
    may_answer.set()
    while (await readiness.look())["thing"] != "ok":
        pass


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_what_was_never_there_is_starting_and_no_warning_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    clock, said = Clock(), ["listener_restarting"]
    readiness = ReadinessCheck({"announcements": lambda: said[0] or None}, clock=clock)
    with caplog.at_level("INFO"):
        await readiness.look()
        await readiness.look()
        assert [record.levelname for record in caplog.records] == ["INFO"]
        clock.now = 31
        await readiness.look()
        await readiness.look()
        said[0] = ""
        await readiness.look()
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "INFO"]


async def test_what_was_there_and_is_away_is_warned_of_at_once(caplog: pytest.LogCaptureFixture) -> None:
    said = [""]
    readiness = ReadinessCheck({"announcements": lambda: said[0] or None}, clock=Clock())
    with caplog.at_level("INFO"):
        await readiness.look()
        said[0] = "listener_restarting"
        await readiness.look()
        await readiness.look()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "readiness of announcements: listener_restarting")
    ]
