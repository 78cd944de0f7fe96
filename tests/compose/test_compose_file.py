"""docker-compose.yml: valid for both Composes, closed but for one port, confined, durable, and no secret of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from sqlalchemy import make_url

from shared.settings import SETTINGS
from tests.compose.compose_file import OURS, PORT_FILE, ROOT, SECRETS, composed, example, variables

FILE = composed(example())
SERVICES: dict[str, Any] = FILE["services"]
GPU = {"worker-gpu", "worker-indextts2", "worker-sambert"}
RUN_ONCE = {"first-key", "secrets"}
TALKS_WITH = {
    "gateway": {"redis", "postgres"},
    "first-key": {"postgres"},
    "worker": {"redis", "postgres"},
    "scorer": {"redis", "postgres", "mlflow"},
    "mlflow": {"postgres"},
    "redis": set(),
    "postgres": set(),
    "secrets": set(),
}
SERVERS = {"redis", "postgres", "mlflow"}
REAL = {**example(), **{name: f"{name.lower().replace('_', '-')}-0123456789abcdef" for name in SECRETS}}


def validate(document: Mapping[str, Any]) -> None:
    """Against the schema of the Compose specification: github.com/compose-spec/compose-spec, Apache-2.0."""
    schema = json.loads(Path(__file__).with_name("compose-spec.json").read_text())
    jsonschema.Draft7Validator(schema).validate(document)


def test_it_is_valid_by_the_compose_specification() -> None:
    validate(FILE)


@pytest.mark.parametrize("command", [("docker-compose",), ("docker", "compose")], ids=" ".join)
@pytest.mark.parametrize("profile", [(), ("--profile", "gpu")], ids=["plain", "gpu"])
def test_a_compose_that_is_installed_takes_it(command: tuple[str, ...], profile: tuple[str, ...]) -> None:
    version = [*command, "version"]
    if shutil.which(command[0]) is None or subprocess.run(version, capture_output=True, check=False).returncode:
        pytest.skip(f"no {' '.join(command)} here")
    asked = [*command, "--env-file", ".env.example", *profile, "config", "--quiet"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_default_stands_within_a_default() -> None:
    assert [found[0] for found in variables() if "$" in (found["other"] or "")] == []


def test_the_example_names_every_variable_and_no_other() -> None:
    tag = {"RINGTRUE_TAG"}  # whoever builds more than one version says so
    assert {found["name"] for found in variables()} - tag == set(example())


def test_one_service_is_reachable_and_from_this_machine_alone() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"gateway"}
    assert [port.split(":")[0] for port in SERVICES["gateway"]["ports"]] == ["127.0.0.1"]


def test_mlflow_has_a_port_where_it_is_asked_for_and_then_one_of_its_own_setting() -> None:
    (mlflow,) = composed({**example(), "RINGTRUE_PUBLISHED": "0.0.0.0"}, PORT_FILE)["services"].values()
    assert [port.split(":")[0] for port in mlflow["ports"]] == ["127.0.0.1"]
    (mlflow,) = composed({**example(), "MLFLOW_PUBLISHED": "10.0.0.1"}, PORT_FILE)["services"].values()
    assert [port.split(":")[0] for port in mlflow["ports"]] == ["10.0.0.1"]


def test_it_can_be_published_on_purpose() -> None:
    published = composed({**example(), "RINGTRUE_PUBLISHED": "0.0.0.0"})["services"]
    assert [port.split(":")[0] for port in published["gateway"]["ports"]] == ["0.0.0.0"]


@pytest.mark.parametrize("service", sorted(TALKS_WITH))
def test_a_service_shares_a_network_with_whom_it_talks_with_and_no_other_server(service: str) -> None:
    mine = set(SERVICES[service].get("networks", ()))
    near = {name for name in SERVERS - {service} if mine & set(SERVICES[name].get("networks", ()))}
    asked_by = {name for name, servers in TALKS_WITH.items() if service in servers}
    assert near == (TALKS_WITH[service] | asked_by) & SERVERS
    assert mine or SERVICES[service].get("network_mode") == "none"


def test_who_needs_nothing_outside_reaches_nothing_there() -> None:
    internal = {name for name, network in FILE["networks"].items() if network.get("internal")}
    outside = {name for name, service in SERVICES.items() if set(service.get("networks", ())) - internal}
    assert outside == {"gateway", "worker", *GPU}


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_it_has_no_right_and_no_room_that_it_does_not_need(service: str) -> None:
    confined = SERVICES[service]
    assert confined["cap_drop"] == ["ALL"]
    assert confined["security_opt"] == ["no-new-privileges:true"]
    assert confined["read_only"] is True
    assert confined["pids_limit"] <= 1024
    assert confined["mem_limit"]
    assert set(confined.get("cap_add", ())) <= {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
    assert ("cap_add" in confined) == (service == "postgres")


@pytest.mark.parametrize("secret", SECRETS)
def test_without_a_secret_nothing_starts(secret: str) -> None:
    with pytest.raises(AssertionError, match=f"{secret} is needed"):
        composed({**example(), secret: ""})


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"secrets"}))
def test_a_service_waits_until_the_secrets_are_looked_at(service: str) -> None:
    waited_for, asked = set(), {service}
    while asked:
        waited_for |= asked
        asked = {other for name in asked for other in SERVICES[name].get("depends_on", ())} - waited_for
    assert "secrets" in waited_for


def checked(environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What the container that looks at the secrets does."""
    service = composed(environ)["services"]["secrets"]
    script = ROOT / service["volumes"][0].split(":")[0]
    command = [sys.executable, "-I", str(script), *service["command"][2:]]
    return subprocess.run(command, env=service["environment"], capture_output=True, text=True, timeout=30, check=False)


def test_secrets_of_its_own_are_taken() -> None:
    done = checked(REAL)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("bad", [None, "secret-1", "with space 0123456789abcdef", "p@ss/0123456789abcdef", "another's"])
@pytest.mark.parametrize("secret", SECRETS)
def test_one_secret_that_is_none_stops_everything(secret: str, bad: str | None) -> None:
    other = next(name for name in SECRETS if name != secret)
    value = {None: example()[secret], "another's": REAL[other]}.get(bad, bad)
    done = checked({**REAL, secret: str(value)})
    assert done.returncode == 78
    assert secret in done.stderr
    assert str(value) not in done.stderr.replace(secret, "").replace("change-me", "")


def test_no_secret_stands_in_a_command_line() -> None:
    services = composed(REAL)["services"]
    for name, service in services.items():
        said = json.dumps([service.get("command"), service.get("healthcheck")])
        assert [secret for secret in SECRETS if REAL[secret] in said] == [], name


def test_each_service_has_a_role_of_its_own_in_the_database() -> None:
    services = composed(REAL)["services"]
    for name, role in {"gateway": "gateway", "first-key": "gateway", "worker": "worker", "scorer": "scorer"}.items():
        url = make_url(services[name]["environment"]["RINGTRUE_DATABASE_URL"])
        assert (url.username, url.password) == (f"ringtrue_{role}", REAL[f"{role.upper()}_DATABASE_PASSWORD"])
    tracking = make_url(services["mlflow"]["environment"]["MLFLOW_BACKEND_STORE_URI"])
    assert (tracking.username, tracking.password, tracking.database) == ("ringtrue_mlflow", None, "mlflow")
    given = {
        name: [secret for secret in SECRETS if REAL[secret] in json.dumps(service.get("environment", {}))]
        for name, service in services.items()
    }
    assert given["worker"] == ["WORKER_DATABASE_PASSWORD", "REDIS_PASSWORD"]
    assert given["scorer"] == ["SCORER_DATABASE_PASSWORD", "MLFLOW_PASSWORD", "REDIS_PASSWORD"]
    assert given["gateway"] == ["GATEWAY_DATABASE_PASSWORD", "REDIS_PASSWORD"]
    assert given["mlflow"] == ["MLFLOW_DATABASE_PASSWORD", "MLFLOW_PASSWORD", "MLFLOW_SECRET_KEY"]
    assert given["redis"] == ["REDIS_PASSWORD"]


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ("gateway", ("services.gateway", "--port", "0")),
        ("first-key", ("services.gateway.key_commands", "adopt", "admin")),
    ],
)
def test_published_with_the_secrets_of_the_example_it_is_refused(
    service: str, command: tuple[str, ...], tmp_path: Path
) -> None:
    environment = composed({**example(), "RINGTRUE_PUBLISHED": "0.0.0.0"})["services"][service]["environment"]
    given = {**os.environ, **environment, "RINGTRUE_DATA": str(tmp_path)}
    asked = [sys.executable, "-m", *command]
    done = subprocess.run(asked, env=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in {64, 78}
    assert "is the example secret of .env.example, but 0.0.0.0 can be reached from other machines" in done.stderr


def test_what_runs_comes_back_and_what_runs_once_does_not() -> None:
    restarted = {name for name, service in SERVICES.items() if service.get("restart") == "unless-stopped"}
    assert restarted == set(SERVICES) - RUN_ONCE


def test_every_image_has_a_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for name, service in SERVICES.items():
        repository, _, tag = service["image"].partition(":")
        assert tag not in {"", "latest"}
        assert (tag == version and repository.startswith("ringtrue-")) == (name in OURS)


def test_every_setting_of_a_service_can_be_set_and_no_other() -> None:
    passed = {name for service in SERVICES.values() for name in service.get("environment", {})}
    ours = {name for name in passed if name.startswith("RINGTRUE_")}
    of_images = {"RINGTRUE_ALIVE", "RINGTRUE_ENGINES", "RINGTRUE_BLOBS"}  # paths within a container
    of_a_python_beside_ours = {"RINGTRUE_INTERPRETERS", "RINGTRUE_FUNASR_PYTHON"}  # an image has what it serves
    of_clients = {"RINGTRUE_URL", "RINGTRUE_WEBHOOK_SECRET"}
    of_tests = {name for name in SETTINGS if name.startswith("RINGTRUE_TEST_")}
    assert ours == set(SETTINGS) - of_images - of_a_python_beside_ours - of_clients - of_tests


def test_redis_asks_who_is_there_and_takes_no_command_that_reaches_beyond_its_data() -> None:
    script = SERVICES["redis"]["command"][-1]
    assert "requirepass $$REDIS_PASSWORD" in script
    refused = set(re.findall(r'rename-command (\w+) ""', script))
    assert refused >= {"ACL", "CONFIG", "DEBUG", "MODULE", "MONITOR", "REPLICAOF", "SAVE", "SHUTDOWN", "SLAVEOF"}


def test_mlflow_keeps_runs_in_postgresql_and_hands_artifacts_through() -> None:
    environment = SERVICES["mlflow"]["environment"]
    assert environment["MLFLOW_BACKEND_STORE_URI"].startswith("postgresql")
    assert environment["MLFLOW_ARTIFACTS_DESTINATION"] == "/artifacts"


def test_every_volume_is_declared_and_used() -> None:
    mounted = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert {volume for volume in mounted if not volume.startswith("./")} == set(FILE["volumes"])


def test_workers_share_the_ledger_of_the_machines_memory() -> None:
    for name in ("worker", *GPU):
        assert "memory:/run/ringtrue" in SERVICES[name]["volumes"]
        assert SERVICES[name]["environment"]["RINGTRUE_MEMORY_LEDGER"] == "/run/ringtrue"


def test_gpus_are_asked_for_in_their_profile_alone() -> None:
    assert {name for name, service in SERVICES.items() if service.get("profiles") == ["gpu"]} == GPU
    assert {name for name, service in SERVICES.items() if "deploy" in service} == GPU
    chosen = composed({**example(), "WORKER_GPU": "3"})["services"]["worker-gpu"]["environment"]
    assert (chosen["CUDA_VISIBLE_DEVICES"], chosen["CUDA_DEVICE_ORDER"]) == ("3", "PCI_BUS_ID")


def test_the_page_on_deployment_names_every_variable() -> None:
    page = (ROOT / "docs/deploy.md").read_text()
    assert [name for name in example() if f"`{name}`" not in page] == []


def test_the_worker_for_one_more_gpu_on_that_page_is_valid_and_another_gpus() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/deploy.md").read_text(), re.DOTALL)
    override = yaml.safe_load(block)
    validate(override)
    (more,) = override["services"].values()
    assert more["extends"]["service"] in GPU
    assert more["environment"]["CUDA_VISIBLE_DEVICES"] != example()["WORKER_GPU"]
