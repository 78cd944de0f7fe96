"""Without keys a gateway is for the user who started it, whoever else of the machine reaches its port."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from tests.strangers import as_nobody, needs_a_second_user

pytestmark = [pytest.mark.timeout(180), needs_a_second_user]

ASKING = """
import http.client, json, sys
connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=60)  # one for all: it is kept alive
for asked in json.loads(sys.argv[3]):
    method, path = asked.split()
    connection.request(method, path, headers={"Content-Type": "application/json", **json.loads(sys.argv[4])})
    answer = connection.getresponse()
    print(json.dumps([asked, answer.status, json.loads(answer.read() or b"null")]))
"""


@pytest.fixture(scope="module", params=["127.0.0.1", "::1"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Of a gateway without keys, as a process of its own."""
    data = tmp_path_factory.mktemp("data")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RINGTRUE_")}
    environ |= {"RINGTRUE_DATA": str(data), "RINGTRUE_REDIS_URL": f"unix://{data}/none.sock"}
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    try:
        listening = socket.create_server((request.param, 0), family=family, backlog=64)
    except OSError:
        pytest.skip(f"no {request.param} here")
    fd = listening.fileno()
    argv = [sys.executable, "-P", "-m", "services.gateway", "--fd", str(fd)]
    process = subprocess.Popen(argv, env=environ, pass_fds=(fd,))
    host, port = listening.getsockname()[:2]
    try:
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(url_of(host, port) + "/healthz", timeout=90, trust_env=False)
        yield host, port
    finally:
        process.terminate()
        process.wait(60)
        listening.close()


def url_of(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def every_route(address: tuple[str, int]) -> list[str]:
    """All that the gateway says it answers below /v1."""
    paths = httpx.get(url_of(*address) + "/openapi.json", timeout=60, trust_env=False).json()["paths"]
    methods = ("get", "head", "post", "put", "patch", "delete")
    return [
        f"{method.upper()} {re.sub('{[^}]*}', 'some_0', path)}"
        for path, item in paths.items()
        for method in methods
        if method in item and path.startswith("/v1/")
    ]


def asked_by_nobody(address: tuple[str, int], routes: Sequence[str], **headers: str) -> list[tuple[str, int, object]]:
    done = as_nobody(ASKING, address[0], str(address[1]), json.dumps(list(routes)), json.dumps(headers))
    assert done.returncode == 0, done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def test_another_user_gets_nothing(address: tuple[str, int]) -> None:
    routes = every_route(address)
    assert len(routes) > 25
    for asked, status, answer in asked_by_nobody(address, routes):
        assert (asked, status) == (asked, 403)
        assert isinstance(answer, dict)
        assert "another user" in answer["detail"]
        assert "ringtrue keys create" in answer["detail"]


def test_the_user_who_started_it_is_asked_for_nothing(address: tuple[str, int]) -> None:
    with httpx.Client(base_url=url_of(*address), trust_env=False, timeout=60) as http:
        for _ in range(3):
            assert http.get("/v1/jobs").status_code == 200


def test_what_is_no_secret_is_answered(address: tuple[str, int]) -> None:
    ((_, status, _),) = asked_by_nobody(address, ("GET /healthz",))
    assert status == 200


def test_with_a_key_another_user_is_a_user(tmp_path: Path) -> None:
    environ = {**os.environ, "RINGTRUE_DATA": str(tmp_path), "RINGTRUE_REDIS_URL": f"unix://{tmp_path}/none.sock"}
    made = subprocess.run(
        [sys.executable, "-P", "-m", "ringtrue", "keys", "create", "ann"],
        env=environ, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        fd = listening.fileno()
        argv = [sys.executable, "-P", "-m", "services.gateway", "--fd", str(fd)]
        process = subprocess.Popen(argv, env=environ, pass_fds=(fd,))
        try:
            key = {"Authorization": f"Bearer {made.stdout.strip()}"}
            ((_, with_key, _),) = asked_by_nobody(listening.getsockname(), ("GET /v1/jobs",), **key)
            ((_, without, _),) = asked_by_nobody(listening.getsockname(), ("GET /v1/jobs",))
            assert (with_key, without) == (200, 401)
        finally:
            process.terminate()
            process.wait(60)
