"""An alias becomes a pin when a job is submitted, a candidate gets its share of users, and everything says which."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.gateway.models.pins import FRESH_S, Board, PinBoard, resolve
from services.gateway.openapi import answer_schemas
from shared.aliases import Alias, AliasStore, promoted, rolled_back, signed
from shared.catalog import PinState
from shared.ports import LIVE_S
from shared.store.sql import Database, SqlAliasStore, SqlJobStore, migrate
from tests.gateway.place import BARE, RICH, SENTENCE, Place, opened, refused

pytestmark = pytest.mark.anyio

V21, V23 = (
    replace(RICH, pin=f"sun-{version}", lock_sha256=mark * 64) for version, mark in (("v21", "1"), ("v23", "3"))
)
PRODUCTION, CANDIDATE = Alias("sun", "production"), Alias("sun", "candidate")
ANN = signed("ann", "it sounds better", 1_750_000_000.0)
USERS = [f"user-{number}" for number in range(2000)]


def promote(aliases: AliasStore, alias: Alias, pin: str, weight: float = 0.0) -> None:
    last = {move.alias: move for move in aliases.last_moves()}
    assert aliases.record(promoted(last, alias, pin, weight, ANN))


def rollback(aliases: AliasStore, alias: Alias) -> None:
    last = {move.alias: move for move in aliases.last_moves()}
    assert aliases.record(rolled_back(aliases.history(alias), last, alias, ANN))


@pytest.fixture
async def sun(tmp_path: Path) -> AsyncIterator[Place]:
    """A gateway where v21 is production; v23 is served too."""
    async with opened(tmp_path) as place:
        place.store.publish("worker", [V21, V23], time.time())
        promote(place.aliases, PRODUCTION, V21.pin)
        yield place


async def test_a_job_says_which_pin_its_alias_became(sun: Place) -> None:
    answer = await sun.http.post("/v1/jobs", json={**SENTENCE, "pin": "sun@production"})
    job = answer_schemas.JobDocument.model_validate_json(answer.content)
    assert (job.pin.name, job.pin.alias, job.pin.lock_sha256) == (V21.pin, "sun@production", V21.lock_sha256)
    assert (await sun.http.get(job.links.self)).json()["pin"] == answer.json()["pin"]


async def test_a_job_of_a_pin_by_name_has_no_alias(sun: Place) -> None:
    assert "alias" not in (await sun.submit(pin=V21.pin))["pin"]


async def test_jobs_by_an_alias_are_found_by_their_pin(sun: Place) -> None:
    job = await sun.submit(pin="sun@production")
    await sun.submit(pin=V23.pin)
    listed = (await sun.http.get("/v1/jobs", params={"pin": V21.pin})).json()
    assert [found["id"] for found in listed["data"]] == [job["id"]]


async def test_a_batch_takes_aliases_and_pins_side_by_side(sun: Place) -> None:
    promote(sun.aliases, CANDIDATE, V23.pin)
    asked = ["sun@production", "sun@candidate", BARE.pin, "sun@nobody"]
    answer = await sun.http.post("/v1/jobs:batch", json={"jobs": [{**SENTENCE, "pin": pin} for pin in asked]})
    batch = answer_schemas.BatchDocument.model_validate_json(answer.content)
    assert [(done.job.pin.name, done.job.pin.alias) for done in batch.data if done.job] == [
        (V21.pin, "sun@production"),
        (V23.pin, "sun@candidate"),
        (BARE.pin, None),
    ]
    assert [done.problem.code for done in batch.data if done.problem] == ["pin_unknown"]


@pytest.mark.parametrize(
    "name", ["sun@nobody", "moon@production", "sun@", "@production", "sun@Production", "sun-v21@x"]
)
async def test_an_alias_that_nobody_made_is_refused(sun: Place, name: str) -> None:
    problem = refused(await sun.http.post("/v1/jobs", json={**SENTENCE, "pin": name}), "pin_unknown")
    assert problem.detail.startswith(f"there is no alias {name}; ")


@pytest.mark.parametrize(
    ("name", "like"),
    [("sun-v22", "sun-v21, sun-v23"), ("sun@producton", "sun@production"), ("snu-v21", "sun-v21"), ("x" * 64, "")],
)
async def test_who_mistypes_a_name_is_told_those_that_are_like_it(sun: Place, name: str, like: str) -> None:
    problem = refused(await sun.http.post("/v1/jobs", json={**SENTENCE, "pin": name}), "pin_unknown")
    assert name in problem.detail
    assert like in problem.detail
    assert problem.detail.endswith("; see GET /v1/pins")


async def test_an_alias_of_a_pin_that_nobody_published_is_refused_with_its_pin(sun: Place) -> None:
    promote(sun.aliases, Alias("moon", "production"), "moon-v1")
    problem = refused(await sun.http.post("/v1/jobs", json={**SENTENCE, "pin": "moon@production"}), "pin_unknown")
    assert "moon-v1" in problem.detail


async def test_what_a_pin_cannot_do_is_refused_by_its_name(sun: Place) -> None:
    promote(sun.aliases, Alias("bare", "production"), BARE.pin)
    answer = await sun.http.post("/v1/jobs", json={**SENTENCE, "pin": "bare@production", "emotion": "happy"})
    problem = refused(answer, "control_unsupported")
    assert BARE.pin in problem.detail


async def test_a_request_that_is_sent_again_is_answered_with_the_pin_of_then(sun: Place) -> None:
    headers = {"Idempotency-Key": "once"}
    asked = {**SENTENCE, "pin": "sun@production"}
    first = await sun.http.post("/v1/jobs", json=asked, headers=headers)
    promote(sun.aliases, PRODUCTION, V23.pin)
    await asyncio.sleep(FRESH_S)
    again = await sun.http.post("/v1/jobs", json=asked, headers=headers)
    assert (await sun.submit(pin="sun@production"))["pin"]["name"] == V23.pin
    assert again.content == first.content


async def test_a_gateway_follows_within_a_second(sun: Place) -> None:
    assert (await sun.submit(pin="sun@production"))["pin"]["name"] == V21.pin
    promote(sun.aliases, PRODUCTION, V23.pin)
    await asyncio.sleep(FRESH_S)
    assert (await sun.submit(pin="sun@production"))["pin"]["name"] == V23.pin
    rollback(sun.aliases, PRODUCTION)
    await asyncio.sleep(FRESH_S)
    assert (await sun.submit(pin="sun@production"))["pin"]["name"] == V21.pin


async def test_a_tenth_of_two_thousand_users_speak_with_the_candidate_every_time(sun: Place) -> None:
    promote(sun.aliases, CANDIDATE, V23.pin, 0.1)
    sun.store.publish("worker", [V21, V23], time.time() + 3600)  # it serves them for as long as this takes

    async def pin_for(user: str) -> str:
        answer = await sun.http.post("/v1/jobs", json={**SENTENCE, "pin": "sun@production"}, headers=sun.user(user))
        pin: str = answer.json()["pin"]["name"]
        return pin

    pins = {user: await pin_for(user) for user in USERS}
    assert abs(sum(pin == V23.pin for pin in pins.values()) / len(USERS) - 0.1) <= 0.02
    again = {user: await pin_for(user) for user in USERS[::5]}
    assert again.items() <= pins.items()


def listed(document: Any, pin: str) -> list[dict[str, Any]]:
    """The aliases of a pin as GET /v1/pins has them."""
    answer_schemas.PinListDocument.model_validate(document)
    (found,) = (entry["aliases"] for entry in document["data"] if entry["name"] == pin)
    aliases: list[dict[str, Any]] = found
    return aliases


async def test_pins_are_listed_with_the_aliases_that_mean_them(sun: Place) -> None:
    promote(sun.aliases, CANDIDATE, V23.pin, 0.1)
    document = (await sun.http.get("/v1/pins")).json()
    signature = {"since": "2025-06-15T15:06:40.000Z", "by": "ann", "reason": "it sounds better"}
    assert listed(document, V21.pin) == [{"alias": "sun@production", **signature}]
    assert listed(document, V23.pin) == [{"alias": "sun@candidate", "weight": 0.1, "share": 0.1, **signature}]
    assert listed(document, RICH.pin) == []


async def test_a_candidate_that_is_not_served_is_listed_without_a_share(sun: Place) -> None:
    sun.store.publish("other worker", [replace(V23, pin="sun-v24")], time.time() - LIVE_S)
    promote(sun.aliases, CANDIDATE, "sun-v24", 0.1)
    (candidate,) = listed((await sun.http.get("/v1/pins")).json(), "sun-v24")
    assert (candidate["weight"], candidate["share"]) == (0.1, 0.0)
    assert candidate["detail"] == "gets no share: no live worker serves sun-v24"


class Desk:
    """What a gateway knows, read anew each time from a SQL store."""

    def __init__(self, database: Database) -> None:
        self.jobs, self.aliases = SqlJobStore(database), SqlAliasStore(database)
        self.now = 2000.0
        self.jobs.publish("worker-21", [V21], self.now)
        self.jobs.publish("worker-23", [V23], self.now)

    async def drawn(self, name: str = "sun@production") -> set[str]:
        """The users to whom ``name`` means v23."""
        board: Board = await PinBoard(self.jobs.manifests, self.aliases.last_moves, lambda: self.now).latest()
        return {user for user in USERS if resolve(name, user, board).manifest.pin == V23.pin}


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("desk") / "ringtrue.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return path


@pytest.fixture
def desk(migrated: Path, tmp_path: Path) -> Iterator[Desk]:
    """A team whose v21 is production and whose v23 is served too."""
    path = tmp_path / "ringtrue.db"
    path.write_bytes(migrated.read_bytes())
    database = Database(f"sqlite:///{path}")
    desk = Desk(database)
    promote(desk.aliases, PRODUCTION, V21.pin)
    yield desk
    database.close()


async def test_a_share_is_as_large_as_its_weight_and_grows_by_adding(desk: Desk) -> None:
    shares = []
    for weight in (0.1, 0.25, 0.5, 1.0):
        promote(desk.aliases, CANDIDATE, V23.pin, weight)
        shares.append(await desk.drawn())
        assert abs(len(shares[-1]) / len(USERS) - weight) <= 0.02
    assert shares[0] < shares[1] < shares[2] < shares[3] == set(USERS)


async def test_the_candidate_asked_for_by_name_is_always_the_candidate(desk: Desk) -> None:
    promote(desk.aliases, CANDIDATE, V23.pin, 0.1)
    assert await desk.drawn("sun@candidate") == set(USERS)


async def test_a_candidate_without_a_weight_takes_no_share(desk: Desk) -> None:
    promote(desk.aliases, CANDIDATE, V23.pin)
    assert await desk.drawn() == set()


async def test_a_pin_asked_for_by_name_is_nobody_elses(desk: Desk) -> None:
    promote(desk.aliases, CANDIDATE, V23.pin, 1.0)
    assert await desk.drawn(V21.pin) == set()


async def test_a_candidate_of_another_model_takes_no_share(desk: Desk) -> None:
    promote(desk.aliases, Alias("sun-2", "candidate"), V23.pin, 1.0)
    assert await desk.drawn() == set()


@pytest.mark.parametrize(
    "go",
    [
        lambda desk: desk.jobs.retire("worker-23"),
        lambda desk: desk.jobs.publish(
            "worker-23", [replace(V23, state=PinState.REFUSED, detail="other bytes")], desk.now
        ),
        lambda desk: (
            desk.jobs.publish("worker-21", [V21], desk.now + LIVE_S) or setattr(desk, "now", desk.now + LIVE_S)
        ),
    ],
    ids=["stopped", "refused", "silent"],
)
async def test_a_candidate_that_no_live_worker_serves_takes_no_share(desk: Desk, go: Callable[[Desk], None]) -> None:
    promote(desk.aliases, CANDIDATE, V23.pin, 0.5)
    assert await desk.drawn()
    go(desk)
    assert await desk.drawn() == set()


async def test_a_candidate_that_is_served_again_gets_its_users_back(desk: Desk) -> None:
    promote(desk.aliases, CANDIDATE, V23.pin, 0.5)
    before = await desk.drawn()
    desk.jobs.retire("worker-23")
    await desk.drawn()
    desk.jobs.publish("worker-23", [V23], desk.now)
    assert await desk.drawn() == before


async def test_promoted_it_is_everybodys_and_rolled_back_nobodys(desk: Desk) -> None:
    promote(desk.aliases, CANDIDATE, V23.pin, 0.1)
    promote(desk.aliases, PRODUCTION, V23.pin)
    assert await desk.drawn() == set(USERS)
    rollback(desk.aliases, PRODUCTION)
    assert await desk.drawn() == set()
