"""The gateway as a process: what it loads, when it refuses to start, and what survives its death."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisAway

from shared.keys import Key
from shared.messages.events import RedisAnnouncer
from shared.store.sql import Database, SqlJobStore, SqlKeyStore, migrate
from tests.gateway.place import RICH, SENTENCE, refused

HEAVY = ("numpy", "torch", "soundfile", "mlflow", "scipy", "transformers")
START_S = 30.0


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Of a gateway with its data in a folder of its own, and a store that knows a pin. No Redis: jobs wait for it."""
    database = Database(f"sqlite:///{tmp_path / 'ringtrue.db'}")
    migrate(database)
    SqlJobStore(database).publish("worker", [RICH], time.time())
    database.close()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGTRUE_")}
    return {**kept, "RINGTRUE_DATA": str(tmp_path), "RINGTRUE_REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def serving(environ: dict[str, str]) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    """A gateway that answers, and its process; it is ended in the end."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "services.gateway", "--port", str(port)], env=environ)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
            until_it_answers(http, process)
            yield http, process
    finally:
        process.kill()
        process.wait()


def until_it_answers(http: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "the gateway has ended"
        try:
            if http.get("/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError("the gateway does not answer")


def starting(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A gateway that is expected not to start."""
    command = [sys.executable, "-m", "services.gateway", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)


def test_importing_it_loads_nothing_heavy_and_does_nothing() -> None:
    code = (
        "import json, logging, sys, threading, services.gateway.app, services.gateway.key_commands;"
        f"print(json.dumps([[m for m in {HEAVY} if m in sys.modules],"
        "threading.active_count(), logging.getLogger().handlers == []]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == [[], 1, True]
    assert done.stderr == ""


def test_a_job_that_was_accepted_survives_kill_9(environ: dict[str, str]) -> None:
    key = {"Idempotency-Key": "once"}
    with serving(environ) as (http, process):
        accepted = http.post("/v1/jobs", json=SENTENCE, headers=key)
        assert accepted.status_code == 202
        process.send_signal(signal.SIGKILL)
    with serving(environ) as (http, _):
        assert http.get(accepted.json()["links"]["self"]).json()["status"] == "queued"
        again = http.post("/v1/jobs", json=SENTENCE, headers=key)
        assert again.content == accepted.content
        assert again.headers["idempotent-replayed"] == "true"
        assert len(http.get("/v1/jobs").json()["data"]) == 1


def test_a_metric_of_another_package_may_be_asked_for_and_its_jobs_are_shown_without_it(
    environ: dict[str, str], loudness_range_path: Path
) -> None:
    asked = {**SENTENCE, "score": ["loudness_range"]}
    with serving({**environ, "PYTHONPATH": str(loudness_range_path)}) as (http, _):
        accepted = http.post("/v1/jobs", json=asked)
        assert accepted.status_code == 202, accepted.text
        assert '"semantic_multilingual", "loudness_range"' in json.dumps(http.get("/openapi.json").json())
    with serving(environ) as (http, _):
        assert http.get(accepted.json()["links"]["self"]).json()["input"]["score"] == ["loudness_range"]
        refusal = http.post("/v1/jobs", json=asked)
        assert refusal.status_code == 400
        assert "unknown metric family 'loudness_range'" in refusal.text


def test_a_metric_that_cannot_be_taken_is_named_in_the_log_and_stops_nothing(
    environ: dict[str, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    info = tmp_path / "packages" / "broken-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ringtrue.metrics]\nlost = no_such_module:FACTS\n")
    with serving({**environ, "PYTHONPATH": str(info.parent)}) as (http, _):
        assert http.post("/v1/jobs", json=SENTENCE).status_code == 202
    assert "the metric family lost of broken 1.0 is refused: ModuleNotFoundError" in capfd.readouterr().err


def test_without_redis_jobs_are_accepted_and_it_says_what_is_away(environ: dict[str, str]) -> None:
    with serving(environ) as (http, _):
        assert http.post("/v1/jobs", json=SENTENCE).status_code == 202
        ready = http.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        checks = ready.json()["checks"]
        assert (checks["store"], checks["redis"]) == ("ok", "unreachable")


def test_many_at_once_are_all_accepted_once(environ: dict[str, str]) -> None:
    with serving(environ) as (http, _), ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: http.post("/v1/jobs", json=SENTENCE), range(64)))
        assert {answer.status_code for answer in answers} == {202}
        listed = http.get("/v1/jobs?limit=200").json()["data"]
        assert {job["id"] for job in listed} == {answer.json()["id"] for answer in answers}


@pytest.fixture
def redis_url() -> str:
    url = "redis://127.0.0.1:6379/7"
    try:
        Redis.from_url(url).ping()
    except RedisAway:
        if os.environ.get("CI"):
            raise
        pytest.skip("no Redis on 127.0.0.1:6379")
    return url


def test_an_announcement_over_redis_wakes_whoever_waits(environ: dict[str, str], redis_url: str) -> None:
    database = Database(f"sqlite:///{environ['RINGTRUE_DATA']}/ringtrue.db")
    store, announcer = SqlJobStore(database), RedisAnnouncer(redis_url)
    with serving({**environ, "RINGTRUE_REDIS_URL": redis_url}) as (http, _), ThreadPoolExecutor(1) as waiter:
        job = http.post("/v1/jobs", json=SENTENCE).json()
        times = []
        for _ in range(3):  # one of them may come just when it looks again by itself
            waiting = waiter.submit(http.get, job["links"]["self"] + "?wait=20")
            time.sleep(0.3)
            assert not waiting.done()
            store.cancel(job["id"], time.time())
            announcer.announce(job["id"], "canceled")
            told = time.monotonic()
            assert waiting.result().json()["status"] == "canceled"
            times.append(time.monotonic() - told)
            job = http.post("/v1/jobs", json=SENTENCE).json()
        assert http.get("/readyz").json()["status"] == "ready"
    database.close()
    assert min(times) < 0.1


def test_sigterm_lets_go_of_whoever_waits_and_ends_cleanly(environ: dict[str, str]) -> None:
    with serving(environ) as (http, process):
        job = http.post("/v1/jobs", json=SENTENCE).json()
        threading.Timer(0.5, process.terminate).start()
        started = time.monotonic()
        assert http.get(job["links"]["self"] + "?wait=30").json()["status"] == "queued"
        assert process.wait(timeout=15) == 0
        assert time.monotonic() - started < 10


def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(environ: dict[str, str]) -> None:
    head = b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with serving(environ) as (http, _):
        line = socket.create_connection(("127.0.0.1", http.base_url.port or 0), timeout=10)
        line.sendall(head + b"Content-Length: 999999999\r\n\r\n")
        assert b" 413 " in line.recv(4096).split(b"\r\n")[0]
        line.close()


def test_a_body_that_grows_too_large_is_refused_before_its_end(environ: dict[str, str]) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * (1 << 16)

    with serving(environ) as (http, _):
        answer = http.post("/v1/jobs", content=pieces(), headers={"Content-Type": "application/json"})
        refused(answer, "body_too_large")


def test_bound_elsewhere_without_keys_it_refuses_to_start(environ: dict[str, str]) -> None:
    done = starting(environ, "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 78
    (line,) = done.stderr.strip().splitlines()
    assert "ringtrue keys create" in line
    assert "ringtrue keys create NAME (with the --data of `ringtrue up`, where it has one)" in done.stderr


def test_bound_elsewhere_with_a_key_it_starts(environ: dict[str, str]) -> None:
    create = [sys.executable, "-m", "ringtrue", "keys", "create", "ann"]
    made = subprocess.run(create, env=environ, capture_output=True, text=True, check=True, timeout=60)
    port = free_port()
    command = [sys.executable, "-m", "services.gateway", "--host", "0.0.0.0", "--port", str(port)]
    process = subprocess.Popen(command, env=environ)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
            until_it_answers(http, process)
            refused(http.get("/v1/jobs"), "key_missing")
            headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
            assert http.get("/v1/jobs", headers=headers).status_code == 200
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RINGTRUE_DATABASE_URL", "mysql://localhost/x", "neither sqlite nor postgresql"),
        ("RINGTRUE_BLOBS", "ftp://bucket/audio", "must be a file or folder"),
        ("RINGTRUE_DATA", "/proc/nowhere", "/proc/nowhere"),
    ],
)
def test_what_it_cannot_serve_is_said_in_one_line(environ: dict[str, str], name: str, value: str, said: str) -> None:
    done = starting({**environ, name: value}, "--port", "0")
    assert done.returncode == 78
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["RINGTRUE_DATABASE_URL", "RINGTRUE_REDIS_URL"])
def test_published_with_an_example_secret_it_does_not_start(environ: dict[str, str], name: str) -> None:
    scheme = "postgresql" if "DATABASE" in name else "redis"
    settings = {name: f"{scheme}://u:change-me@127.0.0.1/0", "RINGTRUE_PUBLISHED": "0.0.0.0"}
    done = starting({**environ, **settings}, "--port", "0")
    assert done.returncode == 78
    assert f"{name} is the example secret of .env.example" in done.stderr
    assert "change-me" not in done.stderr


def test_published_it_does_not_start_while_the_key_of_the_example_is_good(environ: dict[str, str]) -> None:
    database = Database(f"sqlite:///{environ['RINGTRUE_DATA']}/ringtrue.db")
    SqlKeyStore(database).add(Key("000000000000", "admin", "a hash", time.time(), None))
    database.close()
    done = starting({**environ, "RINGTRUE_PUBLISHED": "192.0.2.7"}, "--port", "0")
    assert done.returncode == 78
    assert (
        "the example key of .env.example is valid here, but 192.0.2.7 can be reached from other machines" in done.stderr
    )


def test_a_port_that_is_taken_is_said_in_one_line(environ: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = starting(environ, "--port", str(taken.getsockname()[1]))
    assert done.returncode == 78
    assert "cannot listen on 127.0.0.1 port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_misspelt_setting_is_warned_about(environ: dict[str, str]) -> None:
    done = starting({**environ, "RINGTRUE_DATABSE_URL": "x", "RINGTRUE_BLOBS": "ftp://x"}, "--port", "0")
    assert "RINGTRUE_DATABSE_URL is not a setting; did you mean RINGTRUE_DATABASE_URL?" in done.stderr
