"""docker-compose.yml as it runs: built, brought up, hit in every part while it works, stopped and widened.

Needs a Docker engine and a quarter of an hour, so it runs only where RINGTRUE_TEST_IMAGES is set. Where the CPU build
of torch cannot be fetched, TORCH_INDEX says from where else. Leaves the images, with the tag ``live``, so that the next
run is quick; its containers and volumes go.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import time
import wave
from collections.abc import Sequence
from typing import Any

import pytest

from demo.deployment import wait_until_well
from ringtrue import Consent, Ringtrue
from tests.compose.compose_file import composed
from tests.compose.dockerfile import arguments
from tests.compose.place import TAG, Place

SERVICES = ("gateway", "worker", "scorer", "redis", "postgres", "mlflow")
IMAGES = ("gateway", "worker", "scorer", "mlflow")
GATEWAY_MB = 135
"""15 of them are jsonschema_rs (ADR 29)."""
GRACE_S = 10
"""Of a worker; Compose itself waits for 30 s."""

pytestmark = pytest.mark.timeout(3600)


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


@pytest.fixture(autouse=True)
def everything_runs(place: Place) -> None:
    """Each test starts with every container well, whatever the one before did to it."""
    wait_until_well(place.compose)


def assert_done_once(place: Place, job_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Each job is spoken, scored and tracked, its audio is whole, and there is one row and one run of it."""
    jobs = place.until_tracked(job_ids)
    for job in jobs:
        assert (job["status"], job["scoring"]["status"], job["tracking"]["status"]) == ("succeeded", "done", "done")
        with wave.open(io.BytesIO(place.http.get(job["links"]["audio"]).content)) as file:
            pcm = file.readframes(file.getnframes())
        assert hashlib.sha256(pcm).hexdigest() == job["audio"]["pcm_sha256"]
        runs = place.runs_of(job["id"])
        assert [(run["info"]["run_id"], run["info"]["status"]) for run in runs] == [
            (job["tracking"]["run_id"], "FINISHED")
        ]
    listed = ", ".join(f"'{job_id}'" for job_id in job_ids)
    (counted,) = place.rows(f"SELECT count(*), count(DISTINCT run_id) FROM jobs WHERE id IN ({listed})")
    assert counted == [str(len(job_ids))] * 2
    return jobs


def some_are_spoken(place: Place, job_ids: Sequence[str], at_least: int = 2) -> None:
    """Wait until the jobs are in every stage: some spoken, one being spoken, the rest waiting."""

    def so_far() -> bool:
        states = [job["status"] for job in place.jobs(job_ids)]
        return states.count("succeeded") >= at_least and "processing" in states

    place.eventually(so_far, 60, "some jobs are spoken")


def test_a_job_is_spoken_scored_and_found_again_where_people_reach_mlflow(place: Place) -> None:
    job_id = place.submit("The train leaves in ten minutes.", emotion="happy")
    (job,) = assert_done_once(place, [job_id])
    assert "mos/dnsmos_ovrl" in job["scoring"]["scores"]
    assert job["tracking"]["url"].startswith(f"{place.mlflow_url}/#/experiments/")
    run_id = job["tracking"]["run_id"]
    picture = place.mlflow.get("/get-artifact", params={"run_uuid": run_id, "path": "picture.png"})
    assert picture.content.startswith(b"\x89PNG")


def test_an_uploaded_voice_is_heard_by_the_gateway(place: Place) -> None:
    job_id = place.submit("This is my voice, and you may use it.")
    (job,) = assert_done_once(place, [job_id])
    spoken = place.http.get(job["links"]["audio"]).content
    with Ringtrue(str(place.http.base_url), place.settings["RINGTRUE_API_KEY"]) as ringtrue:
        voice = ringtrue.voices.add(spoken, Consent("Ann Example", "You may use my voice."))
    assert voice.pcm_sha256 == job["audio"]["pcm_sha256"]


def test_nothing_else_is_reachable_and_nothing_of_ours_is_root(place: Place) -> None:
    defined = composed(place.settings)["services"]
    for service in (*SERVICES, "first-key"):
        for one in place.ids(service):
            published = _docker("inspect", "--format", "{{json .HostConfig.PortBindings}}", one)
            assert (published not in ("{}", "null")) == ("ports" in defined[service] or service == "mlflow")
    for service in IMAGES:
        assert place.inside(service, "id", "--user").strip() != "0"


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("how", ["restart", "kill"])
def test_nothing_is_lost_when_a_part_goes_in_mid_job(place: Place, service: str, how: str) -> None:
    job_ids = place.slow(1.0, count=6)
    some_are_spoken(place, job_ids)
    began = time.monotonic()
    place.compose.run(how, service)
    if how == "kill":
        place.compose.run("start", service)
    assert_done_once(place, job_ids)
    print(f"{how} {service}: all done {time.monotonic() - began:.0f} s later")


def test_told_to_stop_a_worker_finishes_a_job_that_ends_in_time(place: Place) -> None:
    (job_id,) = place.slow(GRACE_S / 3)
    place.eventually(lambda: place.job(job_id)["status"] == "processing", 30, "it is being spoken")
    place.compose.run("stop", "worker")
    job = place.job(job_id)
    assert (job["status"], job["attempt"]) == ("succeeded", 1)
    assert [one.exit_code for one in place.compose.containers() if one.service == "worker"] == ["0"]
    place.compose.run("start", "worker")
    assert_done_once(place, [job_id])


def test_told_to_stop_a_worker_hands_back_a_job_that_does_not(place: Place) -> None:
    (job_id,) = place.slow(GRACE_S * 2)
    place.eventually(lambda: place.job(job_id)["status"] == "processing", 30, "it is being spoken")
    began = time.monotonic()
    place.compose.run("stop", "worker")
    print(f"handed back within {time.monotonic() - began:.1f} s")
    assert place.job(job_id)["status"] == "queued"
    assert [one.exit_code for one in place.compose.containers() if one.service == "worker"] == ["0"]
    place.compose.run("start", "worker")
    assert_done_once(place, [job_id])


def test_two_workers_share_the_work(place: Place) -> None:
    place.compose.run("up", "--detach", "--no-recreate", "--scale", "worker=2")
    wait_until_well(place.compose)
    began = time.monotonic()
    job_ids = place.slow(1.0, count=12)
    assert_done_once(place, job_ids)
    listed = ", ".join(f"'{job_id}'" for job_id in job_ids)
    shares = place.rows(f"SELECT split_part(worker, '-', 1), count(*) FROM jobs WHERE id IN ({listed}) GROUP BY 1")
    print(f"{len(job_ids)} jobs of 1 s in {time.monotonic() - began:.0f} s, shared as {shares}")
    assert len(shares) == 2
    place.compose.run("up", "--detach", "--no-recreate", "--scale", "worker=1")


def test_images_are_as_small_as_they_can_be_and_the_gateways_has_no_tensors(place: Place) -> None:
    base = int(_docker("image", "inspect", "--format", "{{.Size}}", arguments()["PYTHON_IMAGE"]))
    above = {}
    for name in IMAGES:
        size = int(_docker("image", "inspect", "--format", "{{.Size}}", f"ringtrue-{name}:{TAG}"))
        above[name] = (size - base) / 1e6
        print(f"{name}: {size / 1e6:.0f} MB, {above[name]:.0f} MB of it above its base")
    assert above["gateway"] <= GATEWAY_MB
    absent = "import importlib.util as u; print(u.find_spec('torch'), u.find_spec('transformers'))"
    assert place.inside("gateway", "python3", "-c", absent).strip() == "None None"
