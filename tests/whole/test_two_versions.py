"""A rolling upgrade: services of two versions on one database, of which the newer one has a control more.

The newer version is this tree, to which a control is added as CONTRIBUTING.md says. Real processes, without a scorer.
"""

from __future__ import annotations

import shutil
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.stack import FINISHED, Stack, eventually, running

ROOT = Path(__file__).parents[2]
CONTROL = "vibrato"
ADDED = {
    "shared/controls.py": [
        (
            "VALUES = (SPEED,",
            'VIBRATO = Control("vibrato", "Hz.")\n\nVALUES = (VIBRATO, SPEED,',
        ),
        ("    speed: float = 1.0", "    vibrato: str | None = None\n    speed: float = 1.0"),
    ],
    "services/gateway/requests/job_schemas.py": [
        (
            "    speed: Annotated[float | None,",
            "    vibrato: Annotated[str | None, control_field(controls.VIBRATO)] = None\n"
            "    speed: Annotated[float | None,",
        )
    ],
    "services/gateway/openapi/answer_schemas.py": [
        ("    speed: float", "    vibrato: str | None = None\n    speed: float")
    ],
    "services/worker/engines/espeak/engine.py": [
        ('    "speed": Support.NATIVE,', '    "vibrato": Support.NO_EFFECT,\n    "speed": Support.NATIVE,')
    ],
}
"""File -> what is replaced in it, and by what."""


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source tree of the newer version."""
    tree = tmp_path_factory.mktemp("newer")
    for part in ("shared", "services", "client"):
        shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name, changes in ADDED.items():
        text = (tree / name).read_text()
        for before, after in changes:
            assert text.count(before) == 1, f"{name}: {before}"
            text = text.replace(before, after)
        (tree / name).write_text(text)
    return tree


@pytest.fixture
def gateway_newer(tmp_path: Path, newer: Path) -> Iterator[Stack]:
    """A newer gateway and a newer worker ``worker2`` beside an older ``worker``. Redis and the gateway run."""
    stack = Stack(tmp_path, trees={"gateway": newer, "worker2": newer})
    with running(stack, "redis", "gateway"):
        yield stack


def test_an_older_worker_speaks_what_it_understands_and_a_newer_gateway_refuses_the_rest(gateway_newer: Stack) -> None:
    stack = gateway_newer
    stack.start("worker")
    spoken = stack.submit("Hello.", score=False, speed=1.5)
    assert stack.until(spoken, finished)["status"] == "succeeded"
    answer = stack.http.post("/v1/jobs", json={"text": "Hello.", "pin": "espeak-v2", CONTROL: "soft"})
    assert (answer.status_code, answer.json()["code"]) == (400, "control_unsupported")
    assert CONTROL in answer.text


def test_an_older_worker_fails_by_name_a_job_it_does_not_understand_and_speaks_the_next(gateway_newer: Stack) -> None:
    stack = gateway_newer
    stack.start("worker2")  # publishes pins with the new control
    stack.stop("worker2")
    new, plain = stack.submit("New.", score=False, **{CONTROL: "soft"}), stack.submit("Plain.", score=False)
    stack.start("worker")
    assert stack.until(plain, finished)["status"] == "succeeded"
    failed = stack.until(new, finished)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "engine_error")
    assert CONTROL in failed["error"]["message"]


def test_an_older_worker_passes_on_to_a_newer_one_what_it_does_not_understand(gateway_newer: Stack) -> None:
    stack = gateway_newer
    stack.start("worker2")
    stack.signal("worker2", signal.SIGSTOP)  # so that the older worker takes the jobs first
    new, plain = stack.submit("New.", score=False, **{CONTROL: "soft"}), stack.submit("Plain.", score=False)
    stack.start("worker")
    assert stack.until(plain, finished)["status"] == "succeeded"
    stack.signal("worker2", signal.SIGCONT)
    assert stack.until(new, finished)["status"] == "succeeded"
    assert stack.job(new)["input"][CONTROL] == "soft"


def test_a_newer_worker_serves_an_older_gateway(tmp_path: Path, newer: Path) -> None:
    stack = Stack(tmp_path, trees={"worker": newer})
    with running(stack, "redis", "gateway", "worker"):
        assert stack.until(stack.submit("Hello.", score=False), finished)["status"] == "succeeded"
        answer = stack.http.post("/v1/jobs", json={"text": "Hello.", "pin": "espeak-v2", CONTROL: "soft"})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
        assert answer.json()["errors"][0]["pointer"] == f"/{CONTROL}"
        assert CONTROL in stack.http.get("/v1/pins").text


def test_a_row_that_nobody_can_read_stops_none_behind_it(gateway_newer: Stack) -> None:
    stack = gateway_newer
    stack.start("worker2")
    stack.stop("worker2")
    damaged, behind = stack.submit("Damaged.", score=False), stack.submit("Behind.", score=False)
    with sqlite3.connect(stack.folder / "ringtrue.db") as database:
        database.execute("UPDATE jobs SET input = '[7]' WHERE id = ?", (damaged,))
    stack.start("worker", "worker2")
    assert stack.until(behind, finished)["status"] == "succeeded"
    eventually(lambda: damaged in stack.log("gateway") + stack.log("worker") + stack.log("worker2"), 30, "it is named")
    listed = stack.http.get("/v1/jobs")
    assert behind in {job["id"] for job in listed.json()["data"]}


def finished(job: dict[str, object]) -> bool:
    return job["status"] in FINISHED
