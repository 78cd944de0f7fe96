"""Who is asked for a key, and whose jobs are whose."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from services.gateway import keys as key_rules
from services.gateway.keys import KeyRing, new_key
from shared.errors import Refused
from tests.gateway.place import SENTENCE, Place, opened, refused
from tests.memory_store.keys import MemoryKeyStore

pytestmark = pytest.mark.anyio


async def test_before_the_first_key_the_local_user_is_asked_for_none(place: Place) -> None:
    job = await place.submit()
    assert place.store.get([job["id"]])[job["id"]].user == "local"


async def test_elsewhere_a_key_is_asked_for(tmp_path: Path) -> None:
    async with opened(tmp_path, open_to_local=False) as place:
        refused(await place.http.post("/v1/jobs", json=SENTENCE), "key_missing")
        refused(await place.http.get("/v1/pins"), "key_missing")
        assert (await place.http.get("/v1/pins", headers=place.user("ann"))).status_code == 200


async def test_once_there_is_a_key_the_local_user_is_asked_too(tmp_path: Path) -> None:
    async with opened(tmp_path) as place:
        place.user("ann")
        refused(await place.http.post("/v1/jobs", json=SENTENCE), "key_missing")


async def test_health_and_documents_ask_for_no_key(tmp_path: Path) -> None:
    async with opened(tmp_path, open_to_local=False) as place:
        for path in ("/healthz", "/readyz", "/openapi.json", "/docs", "/problems/key-missing"):
            assert (await place.http.get(path)).status_code == 200, path


@pytest.mark.parametrize(
    "authorization",
    ["Bearer", "Bearer rt_", "Bearer sk-123", "Basic YTpi", "Bearer rt_0123456789ab_" + "x" * 43, "rt_0123456789ab_x"],
)
async def test_what_is_no_key_is_refused_even_where_none_is_asked_for(place: Place, authorization: str) -> None:
    refused(await place.http.get("/v1/jobs", headers={"Authorization": authorization}), "key_invalid")


async def test_a_good_id_with_another_secret_is_refused(place: Place) -> None:
    headers = place.user("ann")
    wrong = {"Authorization": headers["Authorization"][:-4] + "AAAA"}
    refused(await place.http.get("/v1/jobs", headers=wrong), "key_invalid")


async def test_a_key_that_expired_says_so(place: Place) -> None:
    refused(await place.http.get("/v1/jobs", headers=place.user("ann", expires_at=time.time() - 1)), "key_expired")


async def test_a_revoked_key_is_refused(place: Place) -> None:
    headers = place.user("ann")
    (key,) = place.keys.list()
    place.keys.revoke(key.id, time.time())
    refused(await place.http.get("/v1/jobs", headers=headers), "key_invalid")


async def test_a_key_in_use_is_refused_soon_after_it_was_revoked() -> None:
    store = MemoryKeyStore()
    ring = KeyRing(store, time.time, open_to_local=False)
    key, text = new_key("ann", time.time(), None)
    store.add(key)
    assert await ring.user(text) == "ann"
    store.revoke(key.id, time.time())
    ring._known[key.id] = (ring._known[key.id][0], time.monotonic() - 1)  # as if the cached one had grown old
    with pytest.raises(Refused, match="revoked"):
        await ring.user(text)
    assert key_rules.CACHED_S <= 2


async def test_users_see_their_own_jobs_alone(place: Place) -> None:
    ann, ben = place.user("ann"), place.user("ben")
    mine = (await place.http.post("/v1/jobs", json=SENTENCE, headers=ann)).json()["id"]
    assert [job["id"] for job in (await place.http.get("/v1/jobs", headers=ann)).json()["data"]] == [mine]
    assert (await place.http.get("/v1/jobs", headers=ben)).json()["data"] == []
    assert (await place.http.get(f"/v1/jobs/{mine}", headers=ann)).status_code == 200


async def test_two_keys_of_one_name_are_one_user(place: Place) -> None:
    mine = (await place.http.post("/v1/jobs", json=SENTENCE, headers=place.user("ann"))).json()["id"]
    assert (await place.http.get(f"/v1/jobs/{mine}", headers=place.user("ann"))).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:8000", "127.9.9.9"])
async def test_without_keys_requests_come_by_a_name_of_this_machine(place: Place, host: str) -> None:
    assert (await place.http.get("/v1/jobs", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "192.0.2.1", "localhost.evil.example", ""])
async def test_a_web_page_that_rebinds_its_name_is_turned_away(place: Place, host: str) -> None:
    refused(await place.http.get("/v1/jobs", headers={"Host": host}), "forbidden")


def test_a_store_never_sees_a_secret() -> None:
    key, text = new_key("ann", 0.0, None)
    secret = text.rsplit("_", 1)[-1] if text.count("_") == 2 else text.split("_", 2)[2]
    assert secret not in repr(key)
    assert text.startswith(f"rt_{key.id}_")
    assert len(secret) >= 43
