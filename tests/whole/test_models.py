"""A team's models from catalog to clip, and from one machine to another: real commands, a real deployment.

The models are tiny, of the engine that tests bring along; two versions share most of their bytes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model_stores import tuning
from tests.whole.stack import Stack, eventually, running

CATALOG = """
schema = 1

[pins.soft-v21]
engine = "wobble"
version = "v21"
licence = "CC0-1.0"

[[pins.soft-v21.components]]
role = "model"
sources = [{{folder = "{0}/v21"}}]

[pins.soft-v23]
engine = "wobble"
version = "v23"
licence = "CC0-1.0"

[[pins.soft-v23.components]]
role = "model"
sources = [{{folder = "{0}/v23"}}]
"""
TEXT = "The ferry left at noon."


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the two versions are published: folders."""
    root = tmp_path_factory.mktemp("published")
    for version, speed in (("v21", 1.2), ("v23", 0.9)):
        for path, content in tuning(speed=speed).items():
            file = root / version / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    return root


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, wobble_path: Path, published: Path) -> Iterator[Stack]:
    """A deployment whose catalog has both versions."""
    folder = tmp_path_factory.mktemp("team")
    (folder / "catalog.toml").write_text(CATALOG.format(published))
    stack = Stack(folder, python_path=[wobble_path], models=folder / "models")
    with running(stack, "redis", "mlflow", "gateway", "worker", "scorer"):
        yield stack


def pins(stack: Stack) -> dict[str, dict[str, object]]:
    return {pin["name"]: pin for pin in stack.http.get("/v1/pins").json()["data"]}


def until_served(stack: Stack, pin: str) -> None:
    eventually(lambda: pins(stack).get(pin, {}).get("state") == "ready", 60, f"{pin} is served; {stack.log('worker')}")


def test_what_is_locked_and_pulled_is_spoken_with_and_every_clip_bears_the_lock(stack: Stack) -> None:
    stack.ringtrue("models", "lock")
    stack.ringtrue("models", "pull", "soft-v21", "soft-v23")
    lock = json.loads((stack.folder / "catalog.lock").read_text())["pins"]["soft-v21"]["lock_sha256"]
    until_served(stack, "soft-v21")
    job_id = stack.submit(TEXT, "soft-v21")
    job = stack.until(job_id, lambda job: job["status"] == "succeeded")
    assert job["pin"]["lock_sha256"] == lock
    audio = stack.http.get(f"/v1/jobs/{job_id}/audio")
    assert audio.headers["x-model-lock"] == lock
    assert lock.encode() in audio.content
    (run,) = stack.runs_when_tracked(job_id)
    assert {"key": "tts.lock_sha256", "value": lock} in run["data"]["tags"]


def test_two_versions_are_told_apart_by_files_and_bytes(stack: Stack) -> None:
    difference = json.loads(stack.ringtrue("models", "diff", "soft-v21", "soft-v23", "--json"))
    assert [file["to"]["path"] for file in difference["changed"]] == ["tuning.json"]


def test_production_moves_to_v23_and_back(stack: Stack) -> None:
    def spoken_by() -> str | None:
        answer = stack.http.post("/v1/jobs", json={"text": TEXT, "pin": "soft@production"})
        return answer.json()["pin"]["name"] if answer.status_code == 202 else None

    for pin in ("soft-v21", "soft-v23"):
        until_served(stack, pin)
        stack.ringtrue("models", "promote", pin, "soft@production", "--reason", "a test")
        eventually(lambda pin=pin: spoken_by() == pin, 10, f"production is {pin}")
    stack.ringtrue("models", "rollback", "soft@production", "--reason", "it rang false")
    eventually(lambda: spoken_by() == "soft-v21", 10, "production is v21 again")


def test_an_altered_file_ends_the_service_and_says_so(stack: Stack) -> None:
    until_served(stack, "soft-v23")
    (stray,) = (stack.folder / "models" / "snapshots").glob("soft-v23-*")
    (stray / "stray.py").write_text("print()")
    eventually(lambda: pins(stack)["soft-v23"]["state"] == "refused", 30, "v23 is refused")
    assert pins(stack)["soft-v23"]["detail"] == "model_lock_mismatch: soft-v23: stray.py is not in the lock"
    job = stack.until(stack.submit(TEXT, "soft-v23"), lambda job: job["status"] == "failed")
    assert job["error"]["code"] == "model_lock_mismatch"
    (stray / "stray.py").unlink()
    until_served(stack, "soft-v23")


def test_a_host_without_a_network_speaks_with_what_was_carried_to_it(
    stack: Stack, tmp_path: Path, wobble_path: Path
) -> None:
    carried = tmp_path / "pins.tar"
    stack.ringtrue("models", "export", str(carried), "soft-v21")
    cut_off = (sys.executable, str(Path(__file__).with_name("cut_off.py")))
    other = Stack(tmp_path / "other", python_path=[wobble_path], models=tmp_path / "other" / "models")
    other.folder.mkdir()
    other.ringtrue("models", "import", str(carried), before=cut_off)
    with running(other, "redis", "gateway", "worker"):
        job = other.until(other.submit(TEXT, "soft-v21", score=False), lambda job: job["status"] == "succeeded")
    here = stack.until(stack.submit(TEXT, "soft-v21"), lambda job: job["status"] == "succeeded")
    assert job["audio"]["pcm_sha256"] == here["audio"]["pcm_sha256"]
    assert job["pin"] == here["pin"]
