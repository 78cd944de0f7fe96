"""A running deployment as strangers find it: another user of its machine, and a container that was taken over."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys

import pytest

from tests.compose.compose_file import SECRETS
from tests.compose.place import Place

SERVERS = {"gateway": 8000, "redis": 6379, "postgres": 5432, "mlflow": 5000}
REACHED = {
    "gateway": {"redis", "postgres"},
    "worker": {"redis", "postgres", "gateway"},
    "scorer": {"redis", "postgres", "mlflow", "gateway"},
    "mlflow": {"postgres"},
}
"""By each service of ours. Workers and scorers share networks with the gateway, which asks them for a key."""
NOBODY = 65534
KNOCK = """
import socket, sys
for server in sys.argv[1:]:
    host, port = server.split(":")
    try:
        socket.create_connection((host, int(port)), 2).close()
        print(host)
    except OSError:
        pass
"""

pytestmark = pytest.mark.timeout(3600)


def inspected(place: Place, service: str, form: str) -> str:
    asked = ["docker", "inspect", "--format", form, *place.ids(service)]
    return subprocess.run(asked, check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout.strip()


def addresses(place: Place, service: str) -> list[str]:
    networks = json.loads(inspected(place, service, "{{json .NetworkSettings.Networks}}"))
    return [network["IPAddress"] for network in networks.values()]


@pytest.mark.parametrize("service", REACHED)
def test_a_container_reaches_whom_it_talks_with_and_nobody_else(place: Place, service: str) -> None:
    others = [f"{name}:{port}" for name, port in SERVERS.items() if name != service]
    assert set(place.inside(service, "python3", "-c", KNOCK, *others).split()) == REACHED[service]


@pytest.mark.parametrize("service", sorted(SERVERS))
def test_another_user_of_the_machine_is_asked_for_a_secret_by_every_server(place: Place, service: str) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    for address in addresses(place, service):
        argv = [sys.executable, "-I", "-c", BECOME_ANOTHER_USER + ASK[service], address]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, cwd="/")
        assert re.search(
            r"^401$|Authentication required|password authentication failed", done.stdout + done.stderr, re.MULTILINE
        ), done


HTTP = """
import sys, urllib.request, urllib.error
asked = urllib.request.Request("http://" + sys.argv[1] + "{path}", headers={{"Host": "{host}"}})
try:
    print(urllib.request.urlopen(asked, timeout=5).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""
BECOME_ANOTHER_USER = f"""
import encodings.idna, os, secrets, urllib.request
import psycopg, redis  # before, as another user may not be able to enter the folder of our Python
os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
"""
ASK = {
    "gateway": HTTP.format(path=":8000/v1/jobs", host="127.0.0.1:8000"),
    "mlflow": HTTP.format(path=":5000/api/2.0/mlflow/experiments/search?max_results=1", host="127.0.0.1:5000"),
    "redis": "import redis, sys; redis.Redis(sys.argv[1], protocol=2, socket_timeout=5).keys()",
    "postgres": """
import psycopg, sys
psycopg.connect(host=sys.argv[1], user="ringtrue", password="guess", dbname="ringtrue", connect_timeout=5)
""",
}


@pytest.mark.parametrize("service", ["gateway", "worker", "scorer", "mlflow", "redis", "postgres"])
def test_no_secret_stands_in_a_command_line(place: Place, service: str) -> None:
    said = inspected(place, service, "{{json .Args}} {{json .Config.Cmd}} {{json .Config.Healthcheck}}")
    for one in place.ids(service):
        top = ["docker", "top", one, "-eo", "pid,args"]
        said += subprocess.run(top, check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout
    assert [name for name in SECRETS if place.settings[name] in said] == []


@pytest.mark.parametrize("service", ["gateway", "worker", "scorer", "mlflow"])
def test_a_process_has_no_right_beyond_a_users_and_writes_nowhere_but_where_it_keeps_things(
    place: Place, service: str
) -> None:
    status = place.inside(service, "cat", "/proc/1/status")
    for kind in ("CapPrm", "CapEff", "CapBnd"):
        assert re.search(rf"^{kind}:\s*0+$", status, re.MULTILINE), status
    assert re.search(r"^NoNewPrivs:\s*1$", status, re.MULTILINE)
    written = place.inside(service, "sh", "-c", "touch /app/x /usr/x /etc/x /home/ringtrue/x 2>&1 || true")
    assert written.count("Read-only file system") == 4


def test_the_gateway_is_reached_from_this_machine_alone(place: Place) -> None:
    port = int(place.settings["RINGTRUE_PORT"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
        route.connect(("192.0.2.1", 9))
        ours = route.getsockname()[0]
    if ours.startswith("127."):
        pytest.skip("this machine has no other address")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((ours, port), 2)
